"""What a deployment decides: on plans, quotas, releases, contents, the folder that it begins with."""

import datetime as dt
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from darkroom_contract.comfyui import check_graph
from darkroom_deploy.begin import begin, variables_file, with_source
from darkroom_deploy.changes import Change, progress, read_plan
from darkroom_deploy.contents import holders
from darkroom_deploy.failures import Refused
from darkroom_deploy.finish import _PICTURE
from darkroom_deploy.hints import hint
from darkroom_deploy.installation import ROOT, Installation
from darkroom_deploy.models import Model, listed
from darkroom_deploy.outputs import Runtime, read_outputs
from darkroom_deploy.quotas import needed, quota_of, shortages
from darkroom_deploy.release import Release, State, read_release, state
from tests.docs_commands import Command
from tests.docs_programs import fault

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)


def change(address: str, *actions: str) -> dict[str, Any]:
    return {"address": address, "change": {"actions": actions}}


def test_a_plan_in_short() -> None:
    """By module and action; what only reads counts for nothing, what is lost is told by name."""
    runtimes = {
        "sdxl": {"type": "comfyui", "instance_types": ["g5.xlarge"], "capacity_types": ["spot"], "max_replicas": 4}
    }
    plan = read_plan(
        json.dumps(
            {
                "resource_changes": [
                    change("module.darkroom.module.network.aws_vpc.this[0]", "create"),
                    change('module.darkroom.module.agent["sdxl"].aws_iam_role.this', "create"),
                    change("module.darkroom.module.storage.aws_s3_bucket.this", "delete", "create"),
                    change("module.darkroom.data.aws_region.current", "read"),
                    change("module.darkroom.module.api.aws_api_gateway_stage.this", "update"),
                    change("aws_sns_topic.mine", "delete"),
                    change("module.darkroom.module.api.x", "no-op"),
                ],
                "output_changes": {"deployment": {"after": {"runtimes": runtimes}}},
            }
        )
    )
    assert str(plan) == "2 to add, 1 to change, 1 to replace, 1 to destroy"
    assert {name: dict(counts) for name, counts in plan.counts().items()} == {
        "network": {"add": 1},
        "agent": {"add": 1},
        "storage": {"replace": 1},
        "api": {"change": 1},
        "root": {"destroy": 1},
    }
    assert [one.action for one in plan.lost] == ["replace", "destroy"]
    assert plan.runtimes["sdxl"].max_replicas == 4
    assert Change("module.messaging.aws_sqs_queue.this", "add").module == "messaging"


def test_how_far_an_apply_is() -> None:
    """Terraform's lines tell what began, what is done, and what went wrong with its detail; others tell nothing."""
    begun = {"type": "apply_start", "hook": {"resource": {"addr": "a.b"}}}
    wrong = {"severity": "error", "summary": "creating VPC", "detail": "VpcLimitExceeded", "address": "a.b"}
    assert progress(json.dumps(begun)) == ("begun", "a.b")
    assert progress(json.dumps({**begun, "type": "apply_complete"})) == ("done", "a.b")
    told = progress(json.dumps({"type": "diagnostic", "diagnostic": wrong}))
    assert told == ("failed", "a.b: creating VPC\nVpcLimitExceeded")
    assert progress(json.dumps({"type": "diagnostic", "diagnostic": {**wrong, "severity": "warning"}})) is None
    assert progress("no JSON") is None


@pytest.mark.parametrize(
    ("instance_type", "capacity", "code"),
    [
        ("g5.xlarge", "on-demand", "L-DB2E81BA"),
        ("g6e.2xlarge", "spot", "L-3819A6DF"),
        ("p4d.24xlarge", "spot", "L-7212CCBC"),
        ("p5.48xlarge", "spot", "L-C4BD4855"),
        ("p5.48xlarge", "on-demand", "L-417A185B"),
        ("inf2.xlarge", "on-demand", "L-1945791B"),
        ("trn1.2xlarge", "spot", "L-6B0D517C"),
        ("m7i.large", "spot", None),
    ],
)
def test_the_quota_of_an_instance_type(instance_type: str, capacity: str, code: str | None) -> None:
    """EC2 counts families together, Spot and On-Demand apart."""
    quota = quota_of(instance_type, capacity)
    assert (quota and quota.code) == code


def test_quotas_that_are_too_small() -> None:
    """Of both kinds together, for the smallest type that a runtime may have; with the command that asks for more."""
    both = Runtime("comfyui", ("g5.2xlarge", "g6.xlarge"), ("spot", "on-demand"), 4)
    runtimes = {"small": both, "large": Runtime("comfyui", ("g5.xlarge",), ("on-demand",), 20)}
    vcpus = {"g5.xlarge": 4, "g5.2xlarge": 8, "g6.xlarge": 4}
    assert {quota.code for quota in needed(runtimes)} == {"L-DB2E81BA", "L-3819A6DF"}
    (told,) = shortages(runtimes, {"L-DB2E81BA": 8, "L-3819A6DF": 8}, vcpus)
    assert told.startswith(
        "large: quotas of vCPUs (On-Demand G and VT: 8) let 2 of 20 pods run, 4 vCPUs each; ask for 80"
    )
    assert "--quota-code L-DB2E81BA --desired-value 80" in told
    assert list(shortages(runtimes, {}, vcpus)) == []


def release(**info: Any) -> Release:
    moment = info.pop("at", NOW)
    hooks = info.pop("hooks", [])
    told = {
        "info": {"status": "deployed", "last_deployed": moment.isoformat(), **info},
        "version": info.pop("version", 1),
    }
    return read_release(json.dumps({**told, "manifest": "a\n", "hooks": hooks}))


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        (None, "a", State.ABSENT),
        (release(), "a", State.CURRENT),
        (release(), "b", State.OUTDATED),
        (release(status="failed"), "a", State.OUTDATED),
        (release(status="pending-install"), "", State.BUSY),
        (release(status="pending-install", at=NOW - dt.timedelta(hours=1)), "", State.BROKEN),
        (release(status="pending-upgrade", at=NOW - dt.timedelta(hours=1), version=3), "", State.HALF_UPGRADED),
        (release(status="uninstalling", at=NOW - dt.timedelta(hours=1)), "", State.BROKEN),
    ],
)
def test_what_is_to_be_done_about_a_release(there: Release | None, wanted: str, expected: State) -> None:
    """By what Helm says of it, and by what an upgrade would make; a Helm that was killed is told by the time."""
    assert state(there, wanted, NOW, dt.timedelta(minutes=15)) is expected


def test_a_release_works_if_its_job_came_back_since() -> None:
    """A test from before the last upgrade proves nothing, and neither does one that failed."""

    def hook(phase: str, minutes: int) -> dict[str, Any]:
        ended = (NOW + dt.timedelta(minutes=minutes)).isoformat()
        return {"events": ["test"], "last_run": {"completed_at": ended, "phase": phase}}

    assert release(hooks=[hook("Succeeded", 5)]).works
    assert not release(hooks=[hook("Succeeded", -5)]).works
    assert not release(hooks=[hook("Failed", 5)]).works
    assert not release(hooks=[{"events": ["test"]}]).works
    assert not release().works


def test_what_holds_something() -> None:
    """Each bucket and repository with all that belongs to it: access rules and keys stay with what is kept."""

    def resource(kind: str, address: str, **values: Any) -> dict[str, Any]:
        return {"mode": "managed", "type": kind, "address": address, "values": values}

    found = [
        resource("aws_s3_bucket", "m.b", bucket="out"),
        resource("aws_s3_bucket_policy", "m.p", bucket="out"),
        resource("aws_s3_bucket_policy", "m.q", bucket="models"),
        resource("aws_ecr_repository", "m.r", name="darkroom/agent"),
        resource("aws_ecr_lifecycle_policy", "m.l", repository="darkroom/agent"),
        resource("aws_sns_topic", "m.t", name="out"),
        resource(
            "aws_s3_bucket_server_side_encryption_configuration", "m.e", bucket="out", rule=[{"key": "arn:key/k1"}]
        ),
        resource("aws_kms_key", "m.k", arn="arn:key/k1"),
        resource("aws_kms_alias", "m.a", target_key_id="k1"),
        resource("aws_kms_key", "m.other", arn="arn:key/k2"),
    ]
    nested = {"resources": found[:1], "child_modules": [{"resources": found[1:]}]}
    made = holders(json.dumps({"values": {"root_module": nested}}))
    assert [(one.kind, one.name, one.addresses) for one in made] == [
        ("bucket", "out", ("m.a", "m.b", "m.e", "m.k", "m.p")),
        ("repository", "darkroom/agent", ("m.l", "m.r")),
    ]
    assert holders("") == ()


@pytest.mark.parametrize(
    "example", sorted(path.parent.name for path in (ROOT / "terraform/examples").glob("*/main.tf"))
)
def test_a_folder_is_begun_from_an_example(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root module is found from there, every variable without a default has a line, and nothing is overwritten."""
    monkeypatch.setattr("darkroom_deploy.begin._answers", lambda _: {"region": '"eu-west-1"'})
    at = Installation(tmp_path / "deep" / "er")
    assert begin(at, example, None) == {"region": '"eu-west-1"'}
    (source,) = re.findall(r'module "darkroom" \{\n\s+source = "(.*)"', (at.folder / "main.tf").read_text())
    assert (at.folder / source).resolve() == ROOT / "terraform"
    assert 'region = "eu-west-1"' in (at.folder / "terraform.tfvars").read_text()
    assert ".darkroom/" in (at.folder / ".gitignore").read_text()
    with pytest.raises(Refused, match="already"):
        begin(at, example, None)
    with pytest.raises(Refused, match="minimal"):
        begin(Installation(tmp_path / "x"), "maximal", None)


def test_what_nobody_can_answer_is_to_be_filled_in() -> None:
    """With the variable's own description; a variable with a default needs no line."""
    text = 'variable "a" {\n  description = "Which."\n  type = string\n}\n\nvariable "b" {\n  default = 1\n}\n'
    assert variables_file(text, {}) == '# Which.\na = "FILL IN"\n'
    assert with_source('source = "../.."', ROOT / "installation") == 'source = "../terraform"'


def test_models_are_listed(tmp_path: Path) -> None:
    """Address, key and digest; a line with less is refused by its number, and no file is an empty list."""
    at = Installation(tmp_path)
    assert listed(at) == ()
    at.models.write_text(f"# a comment\n\nhttps://x/a checkpoints/a {'0' * 64}  # why\n")
    assert listed(at) == (Model("https://x/a", "checkpoints/a", "0" * 64),)
    at.models.write_text(f"a.safetensors checkpoints/a {'0' * 64}\n")
    assert listed(at)[0].source == str(tmp_path / "a.safetensors"), "a file is seen from its list"
    at.models.write_text("https://x/a checkpoints/a\n")
    with pytest.raises(Refused, match=r"models\.txt:1"):
        listed(at)
    template = Installation(ROOT / "deploy" / "template")
    assert [one.key for one in listed(template)] == ["checkpoints/sd_xl_base_1.0.safetensors"]


def test_outputs_of_another_main_tf_are_refused() -> None:
    """It says what is missing, and where to take it from; nothing at all is an installation that is not there yet."""
    assert read_outputs("{}") is None
    with pytest.raises(Refused, match=r"deployment.*outputs\.tf"):
        read_outputs(json.dumps({"platform_values": {"value": ""}}))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("An error occurred (ExpiredToken) when calling GetCallerIdentity", "aws sso login"),
        ("ExpiredTokenException: The security token included in the request is expired", "sign in again"),
        ("Error when retrieving token from sso: Token has expired and refresh failed", "sign in again"),
        ("InvalidClientTokenId: The security token included in the request is invalid", "AWS_PROFILE"),
        ("Error: No valid credential sources found", "aws configure sso"),
        ("Error acquiring the state lock", "force-unlock"),
        ("api error VpcLimitExceeded: The maximum number of VPCs", "Service Quotas"),
        ("AccessDenied: User is not authorized to perform: eks:CreateCluster", "deploy.md"),
        ("error: You must be logged in to the server", "admin_arns"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "public_access_cidrs"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "start it"),
        ("write /var/lib/docker: no space left on device", "30 GB"),
        ("UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", "wait for it"),
    ],
)
def test_what_to_do_about_a_failure(said: str, advice: str) -> None:
    """The failures that people meet have an answer; others stand for themselves."""
    assert advice in (hint(said) or "")
    assert hint("something else") is None


@pytest.mark.parametrize("kind", ["comfyui", "sdwebui", "openai"])
def test_the_command_of_a_first_picture_is_one(kind: str) -> None:
    """For each type of runtime; a new installation's own is a workflow for the model that its list names."""
    template = ROOT / "deploy" / "template"
    words = ("darkroom", *shlex.split(_PICTURE[kind].format(folder=template, runtime="sd")))
    assert fault(Command("finish.py", words)) is None
    graph = json.loads((template / "first-picture.json").read_text())
    check_graph(graph)
    (model,) = listed(Installation(template))
    assert f"checkpoints/{graph['1']['inputs']['ckpt_name']}" == model.key
