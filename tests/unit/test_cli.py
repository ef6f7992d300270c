"""The command line against the real API on a stand-in: what it sends, shows, saves, and its exit statuses."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from darkroom_api.jobs import answer
from darkroom_cli import main, terminal
from darkroom_cli.client import Client
from darkroom_cli.config import read_config
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_cli.request import pairs, read_lines, request_of, with_settings
from darkroom_contract.document import Artifact, Error
from darkroom_contract.job import State
from tests.unit.api_world import ApiWorld, api_world

type Run = Callable[..., Any]
PICTURE = b"\x89PNG a picture"


@pytest.fixture
def api() -> Iterator[ApiWorld]:
    with api_world() as world:
        yield world


def _transport(api: ApiWorld) -> httpx.MockTransport:
    """The API in this process; the bucket's addresses go to the stand-in."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host != "api":
            headers = {"Content-Type": request.headers.get("Content-Type", "")}
            stored = httpx.request(request.method, request.url, headers=headers, content=request.content)
            return httpx.Response(stored.status_code, content=stored.content)
        key = request.headers.get("x-api-key")
        if key == "wrong":
            return httpx.Response(403, json={"message": "Forbidden"})
        event = {
            "path": urlsplit(str(request.url)).path,
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "queryStringParameters": dict(request.url.params) or None,
            "requestContext": {"identity": {"apiKeyId": key}},
            "body": request.content.decode(),
        }
        with redirect_stdout(io.StringIO()):  # the API's log, which nobody configured here
            given = answer(api.door, event)
        return httpx.Response(given.status, headers=dict(given.headers), text=given.body)

    return httpx.MockTransport(handle)


@pytest.fixture
def run(api: ApiWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command; a failure of ours is raised as it would end the process."""
    monkeypatch.setattr(terminal, "Client", partial(Client, transport=_transport(api)))
    monkeypatch.setenv("DARKROOM_ENDPOINT", "http://api")
    monkeypatch.setenv("DARKROOM_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("COLUMNS", "160")

    def command(*arguments: str, status: int = 0, stdin: str | None = None) -> str:
        result = CliRunner().invoke(main.app, arguments, input=stdin)
        if isinstance(result.exception, DarkroomError):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    return command


def _end(api: ApiWorld, job_id: str, state: State = State.COMPLETED) -> None:
    document = api.document(job_id)
    assert document is not None
    key = f"webui/{job_id}/0-a.png"
    api.clients.s3.put_object(Bucket="outputs", Key=key, Body=PICTURE)
    digest = hashlib.sha256(PICTURE).hexdigest()
    artifact = Artifact(url=f"s3://outputs/{key}", content_type="image/png", bytes=len(PICTURE), sha256=digest)
    error = Error(code="runtime_refused", message="no such sampler", retryable=False)
    failed = state is State.FAILED
    changed = {"state": state, "artifacts": () if failed else (artifact,), "error": error if failed else None}
    api.put_document(msgspec.structs.replace(document, **changed))


def test_a_prompt_is_submitted(api: ApiWorld, run: Run) -> None:
    """The id is printed; fields are set as numbers where they are numbers."""
    job_id = run("submit", "--runtime", "webui", "--prompt", "a lake", "--set", "steps=30").strip()
    (job,) = api.heard()
    assert (job.id, job.input) == (job_id, {"prompt": "a lake", "steps": 30})


def test_a_workflow_file_is_submitted_with_settings(api: ApiWorld, run: Run, tmp_path: Path) -> None:
    """A bare graph needs a runtime; `--set` reaches a node's input."""
    graph = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "x"}}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    run("submit", str(tmp_path / "graph.json"), "--runtime", "comfy", "--set", "6.text=a lighthouse", "--id", "own-1")
    (job,) = api.heard()
    assert (job.id, job.task, job.input["6"]["inputs"]) == ("own-1", "pipeline", {"text": "a lighthouse"})


def test_many_are_submitted_from_a_stream(api: ApiWorld, run: Run) -> None:
    """A request a line; all of them go, each id is printed in its turn."""
    lines = [
        json.dumps({"id": f"n{n}", "runtime": "webui", "task": "text-to-image", "input": {"prompt": "a"}})
        for n in range(40)
    ]
    assert run("submit", "-", stdin="\n".join(lines)).split() == [f"n{n}" for n in range(40)]
    assert {job.id for job in api.heard()} == {f"n{n}" for n in range(40)}


def test_an_image_is_uploaded(api: ApiWorld, run: Run, tmp_path: Path) -> None:
    """A local file becomes an s3:// address in the request, and lies there."""
    (tmp_path / "in.png").write_bytes(PICTURE)
    run("submit", "--runtime", "webui", "--prompt", "a lake", "--image", str(tmp_path / "in.png"))
    (job,) = api.heard()
    (url,) = job.input["init_images"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    assert api.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == PICTURE


def test_artifacts_are_saved_and_checked(api: ApiWorld, run: Run, tmp_path: Path) -> None:
    """A file whose bytes are others than the document says is not kept; one that is there is not fetched again."""
    api.submit(id="order-1")
    _end(api, "order-1")
    run("save", "order-1", "--out", str(tmp_path))
    assert (tmp_path / "order-1" / "0-a.png").read_bytes() == PICTURE
    api.clients.s3.put_object(Bucket="outputs", Key="webui/order-1/0-a.png", Body=b"tampered")
    run("save", "order-1", "--out", str(tmp_path))
    with pytest.raises(DarkroomError, match="another SHA-256"):
        run("save", "order-1", "--out", str(tmp_path / "other"))
    assert not list((tmp_path / "other").rglob("*.png"))


def test_a_failed_job_is_status_1(api: ApiWorld, run: Run) -> None:
    """A script can tell; a person reads why."""
    api.submit(id="order-1")
    _end(api, "order-1", State.FAILED)
    assert "no such sampler" in run("watch", "order-1", status=1)


def test_jobs_are_shown_listed_and_cancelled(api: ApiWorld, run: Run) -> None:
    """For people, and as JSON for machines."""
    job_id = api.submit().body["id"]
    assert job_id in run("get", job_id)
    assert json.loads(run("get", job_id, "--json"))["state"] == "queued"
    assert [job["id"] for job in json.loads(run("list", "--json"))] == [job_id]
    assert run("list", "--state", "failed", "--json").strip() == "[]"
    assert job_id in run("list")
    assert json.loads(run("cancel", job_id, "--json"))[0]["state"] == "cancelled"
    assert "webui" in run("runtimes")


def test_what_is_wrong_has_its_exit_status(api: ApiWorld, run: Run, tmp_path: Path) -> None:
    """2 for the request, 3 for the API or the key, 4 for what is not there."""
    with pytest.raises(Refused, match=r"\$\.input\.steps") as refused:
        run("submit", "--runtime", "webui", "--prompt", "a", "--set", "steps=5000")
    with pytest.raises(NotReachable, match="key") as unkeyed:
        run("runtimes", "--api-key", "wrong")
    with pytest.raises(NotFound) as missing:
        run("get", "never")
    found = [one.value.exit_status for one in (refused, unkeyed, missing)]
    assert found == [2, 3, 4]
    run("submit", status=2)
    with pytest.raises(Refused, match="images can be"):
        run("submit", "--runtime", "webui", "--prompt", "a", "--image", str(tmp_path / "notes.txt"))


async def test_a_busy_api_is_asked_again(api: ApiWorld) -> None:
    """429 and 503 pass by themselves; the try again is the same request."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["idempotency-key"])
        if len(seen) < 3:
            return httpx.Response(503, headers={"Retry-After": "0"}, json={})
        links = {"self": "/", "page": "/"}
        return httpx.Response(202, json={"id": "a", "state": "queued", "links": links})

    async with Client("http://api", transport=httpx.MockTransport(handle)) as darkroom:
        assert (await darkroom.submit({})).id == "a"
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_flags_come_before_the_environment_and_the_file(tmp_path: Path) -> None:
    """And nothing at all is said clearly."""
    file = tmp_path / "config.toml"
    file.write_text('endpoint = "http://file"\napi_key = "of-file"\n')
    environ = {"DARKROOM_CONFIG": str(file)}
    assert read_config(None, None, environ).endpoint == "http://file"
    assert read_config(None, None, {**environ, "DARKROOM_ENDPOINT": "http://env"}).endpoint == "http://env"
    assert read_config("http://flag", None, environ).api_key == "of-file"
    with pytest.raises(NotReachable, match="where is the API"):
        read_config(None, None, {"DARKROOM_CONFIG": str(tmp_path / "none")})
    file.write_text("endpoint =")
    with pytest.raises(Refused, match="config"):
        read_config(None, None, environ)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: pairs(["steps"], "--set"), "--set steps: write it as name=value"),
        (lambda: read_lines(["{}", "{"]), "line 2 is no JSON"),
        (lambda: request_of([], None), "a request is a JSON object"),
        (lambda: request_of({"6": {}}, None), "name its runtime with --runtime"),
        (lambda: with_settings({"task": "pipeline", "input": {"6": {}}}, {"7.text": "a"}), "the nodes are 6"),
    ],
)
def test_a_wrong_command_line(act: Callable[[], Any], message: str) -> None:
    """Each says how it is written."""
    with pytest.raises(Refused, match=message):
        act()
