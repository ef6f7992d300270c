"""What `darkroom migrate` makes of the predecessor's files, charts/runtime takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from darkroom_cli.migration import Migration, migrate

from .platform.chart import helm_run

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "predecessor"
# What Terraform's runtime_values say, in short.
TERRAFORM: dict[str, Any] = {
    "aws": {"region": "us-west-2"},
    "queue": {"url": "https://sqs.us-west-2.amazonaws.com/123456789012/darkroom-sdruntime"},
    "results": {"topicArn": "arn:aws:sns:us-west-2:123456789012:darkroom-results"},
    "outputs": {"bucket": "darkroom-outputs"},
    "models": {"bucket": "sdoneks-models"},
    "nodes": {"role": "darkroom-nodes", "discoveryTag": "darkroom"},
}


@pytest.mark.parametrize(("file", "runtime"), [("values", "sdruntime"), ("config", "sdruntime"), ("config", "comfy")])
def test_the_runtime_chart_takes_it(helm: Path, tmp_path: Path, file: str, runtime: str) -> None:
    """Beside Terraform's values, which it leaves in force: schema and rules have nothing to say."""
    made = migrate(yaml.safe_load((FILES / f"{file}.yaml").read_text()))
    given = []
    for name, values in (("terraform", terraform(runtime, made)), ("moved", made.values[runtime])):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(values))
        given.append(f"--values={path}")
    status, said = helm_run(helm, "template", runtime, ROOT / "charts" / "runtime", *given)
    assert status == 0, said
    objects = [one for one in yaml.load_all(said, yaml.CSafeLoader) if one]
    (scaled,) = [one for one in objects if one["kind"] == "ScaledObject"]
    assert scaled["spec"]["triggers"][0]["metadata"]["queueURL"] == TERRAFORM["queue"]["url"]


def terraform(name: str, made: Migration) -> dict[str, Any]:
    """What the output `runtime_values` says of a migrated runtime, in short."""
    entry = made.variables["runtimes"][name]
    return {
        **TERRAFORM,
        "runtime": {"name": name, "type": entry["type"], "dynamicModel": entry.get("dynamic_model", False)},
        "agent": {"settings": entry.get("settings", {})},
    }
