"""`darkroom doctor`: a whole installation, each of its parts out of order, and one of which little is known."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from darkroom_cli import doctor, doctor_api
from darkroom_cli.client import base_of
from darkroom_cli.doctor_api import check_api
from tests.unit.cli_world import CliWorld, api_transport, cli_world

OPENAPI = {"info": {"version": "1"}, "paths": {"/v1/jobs": {}}}
DEPTH = {"waiting": 0, "in_flight": 0}


async def _found(_: str) -> None:
    """A name that is found."""


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        world.patch.setattr(doctor_api, "_name", _found)
        transport = api_transport(world.api, world.calls)

        def client(endpoint: str, api_key: str | None) -> httpx.AsyncClient:
            base, headers = base_of(endpoint, api_key)
            return httpx.AsyncClient(base_url=base, headers=headers, transport=transport)

        world.patch.setattr(doctor, "api_client", client)
        settings, sqs = world.api.door.settings, world.api.clients.sqs
        world.patch.setenv("DARKROOM_QUEUE_URL_PREFIX", settings.queue_url_prefix)
        world.patch.setenv("DARKROOM_JOBS_TOPIC_ARN", settings.jobs_topic_arn)
        results = world.api.clients.sns.create_topic(Name="results")["TopicArn"]
        world.patch.setenv("DARKROOM_RESULTS_TOPIC_ARN", results)
        world.patch.setenv("DARKROOM_OUTPUT_BUCKET", "outputs")
        world.patch.setenv("DARKROOM_MODELS_BUCKET", "models")
        sqs.create_queue(QueueName="d-webhooks")
        for name in ("webui", "webui-bulk", "comfy", "flux", "webhooks"):
            dead = sqs.create_queue(QueueName=f"d-{name}-dlq")["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            _policy(world, name, {"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
        yield world


def _policy(cli: CliWorld, runtime: str, policy: dict[str, str] | None) -> None:
    cli.api.clients.sqs.set_queue_attributes(
        QueueUrl=f"{cli.api.door.settings.queue_url_prefix}{runtime}",
        Attributes={"RedrivePolicy": json.dumps(policy) if policy else ""},
    )


def _findings(cli: CliWorld, *arguments: str, status: int = 0) -> dict[str, dict[str, Any]]:
    lines = cli.run("doctor", "--json", *arguments, status=status).splitlines()
    return {one["name"]: one for one in map(json.loads, lines)}


def test_a_whole_installation(cli: CliWorld) -> None:
    """All is fine, and no probe is left in the bucket."""
    found = _findings(cli)
    assert {one["verdict"] for one in found.values()} == {"fine"}
    assert list(found)[:3] == ["api", "key", "runtime comfy"]
    assert {"queue webui", "queue webui, bulk", "queue comfy", "queue webhooks"} <= found.keys()
    assert {"dead letters webui", "dead letters webhooks", "output bucket", "models bucket"} <= found.keys()
    assert cli.api.keys("inputs/") == []
    shown = cli.run("doctor", "--read-only")
    assert "not written to" in shown
    assert f"{len(found)} fine" in shown


def test_dead_letters_and_jobs_that_nobody_takes(cli: CliWorld) -> None:
    """Are warnings, each with what to do; the exit status is 0, for nothing is broken."""
    prefix = cli.api.door.settings.queue_url_prefix
    cli.api.clients.sqs.send_message(QueueUrl=f"{prefix}webui-dlq", MessageBody="{}")
    cli.api.clients.sqs.send_message(QueueUrl=f"{prefix}comfy", MessageBody="{}")
    found = _findings(cli)
    assert {name for name, one in found.items() if one["verdict"] == "warning"} == {
        "dead letters webui",
        "runtime comfy",
    }
    assert "darkroom redrive webui --dry-run" in found["dead letters webui"]["todo"]
    assert "kubectl" in found["runtime comfy"]["todo"]
    assert "→ `darkroom redrive webui --dry-run`" in cli.run("doctor")


def test_parts_that_are_not_there(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told by itself, and the others are looked at all the same."""
    monkeypatch.setenv("DARKROOM_OUTPUT_BUCKET", "nowhere")
    monkeypatch.setenv("DARKROOM_RESULTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:nowhere")
    _policy(cli, "webui", None)
    _policy(
        cli, "comfy", {"maxReceiveCount": "1", "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:d-comfy-dlq"}
    )
    found = _findings(cli, "--runtime", "webui", "--runtime", "comfy", "--runtime", "other", status=1)
    wrong = {name for name, one in found.items() if one["verdict"] == "wrong"}
    assert wrong == {"results topic", "output bucket", "queue webui", "queue other", "dead letters other"}
    assert found["queue comfy"]["verdict"] == "warning"
    assert "no dead-letter queue" in found["queue webui"]["seen"]
    assert all(found[name]["why"] and found[name]["todo"] for name in wrong)


def test_a_topic_that_nobody_hears(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs would be lost there; of results nobody need hear."""
    monkeypatch.setenv("DARKROOM_JOBS_TOPIC_ARN", cli.api.clients.sns.create_topic(Name="deaf")["TopicArn"])
    found = _findings(cli, status=1)
    assert found["jobs topic"]["verdict"] == "wrong"
    assert found["results topic"]["verdict"] == "fine"


def test_a_bucket_that_ignores_conditions(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """As old emulators do: two agents could both end a job."""
    monkeypatch.setattr("darkroom_cli.doctor_aws._refuses_second_write", lambda *_: False)
    assert "ignores conditions" in _findings(cli, status=1)["output bucket"]["seen"]


def test_little_is_known(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not configured is skipped, and said to be; that is no failure."""
    for name in ("OUTPUT_BUCKET", "QUEUE_URL_PREFIX", "RESULTS_TOPIC_ARN", "MODELS_BUCKET"):
        monkeypatch.delenv(f"DARKROOM_{name}")
    found = _findings(cli)
    assert {name for name, one in found.items() if one["verdict"] == "skipped"} == {
        "results topic",
        "queues",
        "output bucket",
        "models bucket",
    }
    monkeypatch.delenv("DARKROOM_JOBS_TOPIC_ARN")
    monkeypatch.delenv("DARKROOM_ENDPOINT")
    nothing = _findings(cli)
    assert {one["verdict"] for one in nothing.values()} == {"skipped"}
    assert list(nothing) == ["api", "aws"]


def test_credentials_that_do_not_work(cli: CliWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of AWS can be looked at; that is said once."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert "credentials" in _findings(cli, status=1)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    found = _findings(cli, status=1)
    assert "nobody" in found["credentials"]["seen"]
    assert "output bucket" not in found


def test_a_key_that_is_not_accepted(cli: CliWorld) -> None:
    """Is told from an API that is not there; AWS is looked at all the same."""
    found = _findings(cli, "--api-key", "wrong", "--runtime", "webui", status=1)
    assert found["key"]["verdict"] == "wrong"
    assert found["queue webui"]["verdict"] == "fine"
    assert _findings(cli, "--endpoint", "ftp://api", status=1)["api"]["verdict"] == "wrong"


def _raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    return handle


def _answering(runtimes: httpx.Response, openapi: Any = OPENAPI) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, json=openapi) if request.url.path.endswith("openapi.json") else runtimes


def _runtime(**depth: Any) -> httpx.Response:
    queue = {**DEPTH, **depth}
    return httpx.Response(200, json={"runtimes": [{"name": "sd", "type": "sdwebui", "bulk": False, "queue": queue}]})


@pytest.mark.parametrize(
    ("handle", "name", "verdict", "text"),
    [
        (_raising(httpx.ConnectError("CERTIFICATE_VERIFY_FAILED")), "api", "wrong", "clock"),
        (_raising(httpx.ConnectTimeout("")), "api", "wrong", "firewall"),
        (_raising(httpx.ConnectError("refused")), "api", "wrong", "is it deployed"),
        (lambda _: httpx.Response(403, json={"message": "Forbidden"}), "api", "wrong", "with its stage"),
        (lambda _: httpx.Response(200, text="<html>"), "api", "wrong", "is something else"),
        (lambda _: httpx.Response(200, json={"info": {}, "paths": []}), "api", "wrong", "is something else"),
        (_answering(_runtime(), {**OPENAPI, "info": {"version": "2"}}), "api", "warning", "speaks version 1"),
        (_answering(httpx.Response(403)), "key", "wrong", "none is given"),
        (_answering(httpx.Response(429)), "key", "warning", "quota"),
        (_answering(httpx.Response(502)), "key", "wrong", "CloudWatch"),
        (_answering(_runtime(waiting=3)), "runtime sd", "warning", "nobody takes its jobs"),
        (_answering(_runtime(waiting=3, oldest_seconds=1000)), "runtime sd", "wrong", "the oldest for 17 min"),
        (_answering(_runtime(waiting=3, in_flight=2, oldest_seconds=1000)), "runtime sd", "warning", "maxReplicas"),
        (_answering(_runtime(waiting=3, in_flight=2)), "runtime sd", "fine", "3 waiting, 2 at work"),
    ],
)  # fmt: skip
async def test_an_api_that_is_out_of_order(
    monkeypatch: pytest.MonkeyPatch,
    handle: Callable[[httpx.Request], httpx.Response],
    name: str,
    verdict: str,
    text: str,
) -> None:
    """Each is told with its cause and its cure."""
    monkeypatch.setattr(doctor_api, "_name", _found)
    async with httpx.AsyncClient(base_url="https://api/prod/", transport=httpx.MockTransport(handle)) as http:
        found = (await check_api("https://api/prod", http)).findings
    (one,) = (one for one in found if one.name == name)
    assert one.verdict == verdict
    assert text in f"{one.seen} {one.why} {one.todo}"


async def test_a_name_that_is_not_found() -> None:
    """Is told before anything is sent."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(_raising(AssertionError("sent")))) as http:
        (one,) = (await check_api("https://a..b/prod", http)).findings
    assert (one.name, one.verdict) == ("api", "wrong")
    assert "a..b is not found" in one.seen


def test_the_version_is_that_of_the_api() -> None:
    """The command line and api/openapi.yaml belong together."""
    openapi = yaml.safe_load((Path(__file__).parents[2] / "api" / "openapi.yaml").read_text())
    assert openapi["info"]["version"] == doctor_api._VERSION
