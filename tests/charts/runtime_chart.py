"""charts/runtime, rendered: its objects by kind, for any values."""

import functools
import json
import os
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from scripts.go_tools import ToolUnavailable, program

CHART = Path(__file__).parents[2] / "charts" / "runtime"
EXAMPLES = sorted(CHART.glob("examples/*.yaml"))
NAMESPACE = "darkroom"

type Values = Mapping[str, Any]
type Object = dict[str, Any]

# The least that can be installed.
MINIMAL: Values = {
    "runtime": {"type": "comfyui"},
    "aws": {"region": "eu-west-1"},
    "queue": {"url": "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-sdxl"},
    "results": {"topicArn": "arn:aws:sns:eu-west-1:123456789012:darkroom-results"},
    "outputs": {"bucket": "darkroom-outputs"},
    "models": {"bucket": "darkroom-models"},
    "nodes": {"role": "darkroom-node", "discoveryTag": "darkroom"},
}


class Refused(Exception):
    """Helm did not take the values; the message is Helm's."""


@dataclass(frozen=True)
class Rendered:
    """What `helm template` made."""

    objects: tuple[Object, ...]

    def every(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str) -> Object:
        """The first object of a kind, which must be there."""
        return self.every(kind)[0]

    @cached_property
    def pod(self) -> Object:
        """The spec of the runtime's pods."""
        return cast("Object", self.one("Deployment")["spec"]["template"]["spec"])

    @cached_property
    def runtime(self) -> Object:
        """The runtime's container."""
        return next(one for one in self.pod["initContainers"] if one["name"] == "runtime")

    @cached_property
    def agent(self) -> Object:
        """The agent's container."""
        return next(one for one in self.pod["containers"] if one["name"] == "agent")

    @cached_property
    def environ(self) -> dict[str, str]:
        """The agent's environment, as a mapping."""
        return {one["name"]: one["value"] for one in self.agent["env"] if "value" in one}

    @cached_property
    def scaled(self) -> Object:
        """The spec of the ScaledObject."""
        return cast("Object", self.one("ScaledObject")["spec"])

    @cached_property
    def pool(self) -> Object:
        """The spec of the NodePool."""
        return cast("Object", self.one("NodePool")["spec"])

    @cached_property
    def requirements(self) -> dict[str, list[str]]:
        """What the NodePool asks of instances: key → values."""
        return {one["key"]: one.get("values") for one in self.pool["template"]["spec"]["requirements"]}

    @cached_property
    def node_class(self) -> Object:
        """The spec of the EC2NodeClass."""
        return cast("Object", self.one("EC2NodeClass")["spec"])

    @cached_property
    def data_volume(self) -> Object:
        """The nodes' data volume."""
        return cast("Object", self.node_class["blockDeviceMappings"][1]["ebs"])

    @cached_property
    def network(self) -> Object:
        """The spec of the NetworkPolicy."""
        return cast("Object", self.one("NetworkPolicy")["spec"])

    @cached_property
    def soci(self) -> Object:
        """How the nodes pull images in parallel, of their user data."""
        plugins = tomllib.loads(self.node_class["userData"])["settings"]["container-runtime-plugins"]
        return cast("Object", plugins["soci-snapshotter"]["parallel-pull-unpack"])


def look(made: Rendered, path: str) -> Any:
    """What lies at a path, `runtime ports 0 containerPort`: names, places in lists, entries by `name=…`; else None.

    It begins with a part of `Rendered`, a kind, or a kind and a name (`Deployment/sdxl-headroom`).
    """
    first, *steps = path.split()
    kind, _, name = first.partition("/")
    if kind[0].islower():
        there = getattr(made, kind)
    else:
        there = next((one for one in made.every(kind) if name in ("", one["metadata"]["name"])), None)
    for step in steps:
        if there is None:
            return None
        if isinstance(there, dict):
            there = there.get(step)
        elif "=" in step:
            there = next((one for one in there if one["name"] == step.partition("=")[2]), None)
        else:
            there = dict(enumerate(there)).get(int(step) % max(len(there), 1) if int(step) < 0 else int(step))
    return there


def nested(path: str, value: Any) -> Object:
    """`a.b` and 1 → {a: {b: 1}}."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return cast("Object", value)


def valued(paths: Mapping[str, Any]) -> Object:
    """`{a.b: 1, a.c: 2}` → {a: {b: 1, c: 2}}."""
    both: Object = {}
    for path, value in paths.items():
        both = merged(both, nested(path, value))
    return both


def merged(under: Values, over: Values) -> Object:
    """As Helm merges values: maps by key, all else replaced."""
    both = dict(under)
    for key, value in over.items():
        there = both.get(key)
        both[key] = merged(there, value) if isinstance(there, Mapping) and isinstance(value, Mapping) else value
    return both


@functools.cache
def helm() -> Path:
    """Path of Helm; without it tests skip, and fail in CI."""
    try:
        return program("helm")
    except ToolUnavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
        raise AssertionError from reason


def run_helm(*arguments: str, values: Values | None = None) -> tuple[int, str]:
    """Run Helm, with values on top of the chart's: its status, and its output or what it complained of."""
    given = () if values is None else ("--values=-",)
    text = json.dumps(values)
    done = subprocess.run([helm(), *arguments, *given], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def render(values: Values | None = None, *, release: str = "sdxl", namespace: str = NAMESPACE) -> Rendered:
    """The chart's objects for these values on top of the least.

    Raises:
        Refused: Helm does not take them.
    """
    return rendered(merged(MINIMAL, values or {}), release=release, namespace=namespace)


def rendered(values: Values, *, release: str, namespace: str = NAMESPACE) -> Rendered:
    """The chart's objects for these values alone."""
    return _render(json.dumps(values, sort_keys=True), release, namespace)


def render_all(every: Iterable[Values]) -> None:
    """Render for many at once, for those who ask later: Helm starts anew for every set of values."""
    with ThreadPoolExecutor(4) as pool:
        for values in every:
            pool.submit(render, values)


@functools.cache
def _render(values: str, release: str, namespace: str) -> Rendered:
    status, said = run_helm("template", release, str(CHART), f"--namespace={namespace}", values=json.loads(values))
    if status:
        raise Refused(said)
    return Rendered(tuple(one for one in yaml.load_all(said, yaml.CSafeLoader) if one))


def example(path: Path) -> Values:
    """The values of an example."""
    return cast("Values", yaml.safe_load(path.read_text()))
