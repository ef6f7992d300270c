"""`darkroom migrate`: what the predecessor had becomes an installation's files, and no loss is silent."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from darkroom_cli.failures import DarkroomError, Refused
from darkroom_cli.main import app
from darkroom_cli.migration import Verdict, migrate
from darkroom_cli.predecessor import convert
from darkroom_cli.predecessor_rules import RULES

FILES = Path(__file__).parents[1] / "predecessor"
FULL: dict[str, Any] = yaml.safe_load((FILES / "values.yaml").read_text())
CONFIG: dict[str, Any] = yaml.safe_load((FILES / "config.yaml").read_text())


def of(path: str, value: Any, **others: Any) -> dict[str, Any]:
    """The predecessor's values with one of them, and further ones whose dots are written as `__`."""
    values: dict[str, Any] = {"runtime": {}}
    for where, what in {path: value, **{name.replace("__", "."): one for name, one in others.items()}}.items():
        folder = values
        *before, last = where.split(".")
        for name in before:
            folder = folder.setdefault(name, {})
        folder[last] = what
    return values


def test_a_full_example() -> None:
    """All of it, as it is given to Helm."""
    assert convert(FULL).values == {
        "runtime": {
            "name": "sdruntime",
            "type": "sdwebui",
            "checkpoint": "Stable-diffusion/v1-5-pruned-emaonly.safetensors",
            "dynamicModel": True,
            "image": {"pullPolicy": "Always"},
            "env": {"HF_HUB_OFFLINE": "1", "HF_TOKEN": {"valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}},
            "resources": {"requests": {"cpu": "2500m", "memory": "20Gi"}, "limits": {"memory": None}},
            "accelerator": {"resource": "nvidia.com/gpu", "count": 1},
        },
        "agent": {"image": {"pullPolicy": "IfNotPresent"}, "settings": {"LOGLEVEL": "debug"}},
        "pod": {"labels": {"app.kubernetes.io/team": "images"}, "annotations": {"note": "ours"}},
        "scaling": {
            "jobSeconds": 10,
            "targetWaitSeconds": 100,
            "cooldownSeconds": 60,
            "minReplicas": 0,
            "maxReplicas": 20,
            "pollingSeconds": 1,
            "behavior": {"scaleUp": {"stabilizationWindowSeconds": 10}},
        },
        "nodes": {
            "labels": {"team": "images"},
            "capacityTypes": ["spot"],
            "instanceTypes": ["g5.xlarge", "g5.2xlarge"],
            "requirements": FULL["karpenter"]["provisioner"]["extraRequirements"],
            "taints": FULL["karpenter"]["provisioner"]["extraTaints"],
            "limits": {"nvidia.com/gpu": "100"},
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "30s",
            "expireAfter": "Never",
            "tags": {"cost-centre": "42"},
            "instanceStore": True,
            "volume": {"size": "80Gi", "iops": 4000, "throughput": 1000},
        },
        "imageCache": {"mode": "soci"},
    }


def test_what_is_dropped_is_said() -> None:
    """Each with a reason; resources of the old stack are among them, so that Terraform's stay in force."""
    dropped = {one.path: one.why for one in convert(FULL).dropped}
    assert all(dropped.values())
    assert {path for path in dropped if path.startswith("runtime.queueAgent.s")} == {
        "runtime.queueAgent.s3Bucket",
        "runtime.queueAgent.snsTopicArn",
        "runtime.queueAgent.sqsQueueUrl",
    }
    assert "no effect" in dropped["runtime.scaling.scaleOnInFlight"]
    assert dropped["runtime.queueAgent.extraEnv.S3_BUCKET"] == "the chart sets it"


def test_the_example_tries_every_rule() -> None:
    """A rule that no value of the full example meets would be untried, but for these, which exclude others."""
    met = set()
    for path in RULES:
        value: Any = FULL
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value not in (None, "", [], {}):
            met.add(path)
    assert RULES.keys() - met == {
        "karpenter.nodeTemplate.dataVolume.snapshotID",
        "runtime.inferenceApi.commandArguments",
        "runtime.persistence.existingClaim",
        "runtime.queueAgent.XRay",
    }


def test_a_runtime_of_a_configuration() -> None:
    """A snapshot holds the old images; arguments hold the checkpoint."""
    converted = convert(CONFIG, "sdruntime")
    assert converted.values["nodes"]["instanceStore"] is True
    assert converted.values["runtime"] == {
        "name": "sdruntime",
        "type": "sdwebui",
        "env": {
            "COMMANDLINE_ARGS": "--ckpt '/models/Stable-diffusion/v1-5-pruned-emaonly.safetensors' --xformers --medvram"
        },
        "dynamicModel": False,
    }
    dropped = {one.path: one.why for one in converted.dropped}
    assert dropped.keys() >= {"stackName", "modelBucketArn", "APIGW", "modelsRuntime.sdruntime.namespace"}
    assert "bottlerocket-snapshot build" in dropped["karpenter.nodeTemplate.dataVolume.snapshotID"]


def test_another_runtime_of_it() -> None:
    """ComfyUI: its arguments had no effect; without scaling the number of pods is fixed."""
    converted = convert(CONFIG, "comfy")
    assert converted.values == {
        "runtime": {"name": "comfy", "type": "comfyui", "env": {"A": "1"}},
        "models": {"mode": "claim", "claimName": "models"},
        "scaling": {"minReplicas": 3, "maxReplicas": 3},
    }
    assert {one.path for one in converted.dropped} >= {
        "runtime.inferenceApi.commandArguments",
        "modelsRuntime.comfy.chartVersion",
    }


@pytest.mark.parametrize(
    ("values", "made"),
    [
        (of("runtime.persistence.enabled", value=False), {"models": {"mode": "none"}}),
        (of("karpenter.provisioner.consolidation", value=False), {"nodes": {"consolidationPolicy": "WhenEmpty"}}),
        (
            of("karpenter.nodeTemplate.userData", "[settings.x]\n"),
            {"nodes": {"bottlerocketSettings": "[settings.x]\n"}},
        ),
        (of("runtime.scaling.enabled", value=True), {}),
        (of("runtime.scaling.enabled", value=False), {"scaling": {"minReplicas": 1, "maxReplicas": 1}}),
        (of("runtime.inferenceApi.extraEnv", {"A": 1}), {"runtime": {"env": {"A": "1"}}}),
        (
            of("runtime.inferenceApi.resources", {"limits": {"aws.amazon.com/neuron": 2, "memory": "8Gi"}}),
            {
                "runtime": {
                    "resources": {"limits": {"memory": "8Gi"}},
                    "accelerator": {"resource": "aws.amazon.com/neuron", "count": 2},
                }
            },
        ),
    ],
)
def test_a_value_of_its_own(values: dict[str, Any], made: dict[str, Any]) -> None:
    """One value, and all that it makes."""
    assert convert(values).values == made


@pytest.mark.parametrize(
    ("values", "path", "why"),
    [
        (of("runtime.type", "invokeai"), "runtime.type", "sdwebui and comfyui"),
        (of("runtime.scaling.queueLength", "many"), "runtime.scaling.queueLength", "no whole number"),
        (of("runtime.scaling.cooldownPeriod", [1]), "runtime.scaling.cooldownPeriod", "no whole number"),
        (of("runtime.labels", "x"), "runtime.labels", "expected a map"),
        (of("runtime.inferenceApi.extraEnv", "A=1"), "runtime.inferenceApi.extraEnv", "name and value"),
        (of("runtime.inferenceApi.resources", {"limits": 3}), "runtime.inferenceApi.resources", "expected a map"),
        (
            of("karpenter.provisioner.capacityType", {"spot": False, "onDemand": False}),
            "karpenter.provisioner.capacityType",
            "no nodes",
        ),
        (
            of("runtime.queueAgent.dynamicModel", value=True, runtime__type="comfyui"),
            "runtime.queueAgent.dynamicModel",
            "no effect",
        ),
        (
            of("runtime.inferenceApi.modelFilename", "x", runtime__type="comfyui"),
            "runtime.inferenceApi.modelFilename",
            "workflow",
        ),
        (
            of("runtime.scaling.maxReplicaCount", 3, runtime__scaling__enabled=False),
            "runtime.scaling.maxReplicaCount",
            "no effect",
        ),
        (
            of("runtime.queueAgent.extraEnv", [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]),
            "runtime.queueAgent.extraEnv.A",
            "plain texts",
        ),
        (of("runtime.queue", 1), "runtime.queue", "no such value"),
        ({"runtime": {"type": "sdwebui"}, "extra": 1}, "extra", "no such value"),
    ],
)
def test_a_value_without_a_place(values: dict[str, Any], path: str, why: str) -> None:
    """It is told by its path, with the reason."""
    (found,) = [one for one in convert(values).dropped if one.path == path]
    assert why in found.why


@pytest.mark.parametrize(
    ("document", "runtime", "said"),
    [
        (None, None, "neither values"),
        ([], None, "neither values"),
        ({"replicaCount": 1}, None, "neither values"),
        (CONFIG, None, "sdruntime, comfy"),
        (CONFIG, "no", "sdruntime, comfy"),
        ({"modelsRuntime": {}}, None, "a list of runtimes"),
        ({"modelsRuntime": [{"type": "sdwebui"}]}, None, "with a name"),
        ({"modelsRuntime": [{"name": "a", "extraValues": [1]}]}, None, "extraValues"),
    ],
)
def test_a_file_of_another_kind(document: Any, runtime: str | None, said: str) -> None:
    """It is refused, with what was expected."""
    with pytest.raises(Refused, match=said):
        convert(document, runtime)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(path=st.sampled_from(sorted(RULES)), value=_ANYTHING)
def test_nothing_breaks_it(path: str, value: Any) -> None:
    """Whatever stands where a value belongs: it is converted, or dropped with a reason."""
    converted = convert(of(path, value))
    assert yaml.safe_dump(converted.values)
    assert all(one.why for one in converted.dropped)


def test_all_runtimes_of_a_configuration() -> None:
    """What the variable `runtimes` says stands there alone; Helm gets the rest; both stacks read one bucket."""
    made = migrate(CONFIG)
    # terraform/examples/minimal/tests plans it.
    assert made.variables == json.loads((FILES / "migrated" / "runtimes.auto.tfvars.json").read_text())
    assert made.values["comfy"] == {
        "runtime": {"env": {"A": "1"}},
        "models": {"mode": "claim", "claimName": "models"},
    }
    webui = made.values["sdruntime"]
    assert webui["scaling"] == {"cooldownSeconds": 300}
    # Its bucket has the WebUI's folders.
    assert webui["runtime"]["args"][:2] == ["--ckpt-dir", "/models/Stable-diffusion"]


def test_every_value_is_reported_once() -> None:
    """Same, better or dropped: each value that was given, and a reason for what is not the same."""
    for document in (CONFIG, FULL):
        report = migrate(document).report
        paths = [(one.runtime, one.path) for one in report]
        assert len(paths) == len(set(paths))
        assert all(one.why for one in report if one.verdict is not Verdict.SAME)
        assert all(one.becomes for one in report if one.verdict is not Verdict.DROPPED)
    verdicts = {one.path: one.verdict for one in migrate(FULL).report}
    assert verdicts["runtime.scaling.queueLength"] is Verdict.BETTER
    assert verdicts["karpenter.provisioner.instanceType"] is Verdict.SAME
    assert verdicts["runtime.queueAgent.sqsQueueUrl"] is Verdict.DROPPED


def test_the_command(tmp_path: Path) -> None:
    """The files on standard output or in a folder, where it overwrites nothing; the report on standard error."""
    done = CliRunner().invoke(app, ["migrate", str(FILES / "config.yaml")])
    assert done.exit_code == 0
    assert "# values/comfy.yaml" in done.stdout
    assert "karpenter.provisioner.instanceType → runtimes.sdruntime.nodes.instance_types" in done.stderr
    asked = ["migrate", str(FILES / "config.yaml"), "--out", str(tmp_path / "new")]
    assert CliRunner().invoke(app, asked).exit_code == 0
    written = json.loads((tmp_path / "new" / "runtimes.auto.tfvars.json").read_text())
    assert written == migrate(CONFIG).variables
    assert yaml.safe_load((tmp_path / "new" / "values" / "comfy.yaml").read_text()) == migrate(CONFIG).values["comfy"]
    assert isinstance(CliRunner().invoke(app, asked).exception, Refused)
    as_json = CliRunner().invoke(app, ["migrate", "-", "--json"], input=(FILES / "values.yaml").read_text())
    assert json.loads(as_json.stdout)["variables"]["existing_models_bucket"] == "sdoneks-models"


def test_values_without_a_name() -> None:
    """Nothing says what the runtime is called."""
    with pytest.raises(Refused, match=r"global\.runtime"):
        migrate({"runtime": {"type": "sdwebui"}})


@pytest.mark.parametrize(
    ("content", "said"), [(b"a: [", "no YAML"), (b"\xff\xfe\x00", "no text"), (None, "No such file")]
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    """It is told which, and why."""
    path = tmp_path / "values.yaml"
    if content is not None:
        path.write_bytes(content)
    done = CliRunner().invoke(app, ["migrate", str(path)])
    assert isinstance(done.exception, DarkroomError)
    assert said in str(done.exception)
    assert str(path) in str(done.exception)
