"""A predecessor's configuration becomes an installation's: variables, values for Helm, a report. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .failures import Refused
from .predecessor import Converted, convert

# What the variable `runtimes` says of a runtime: Terraform writes it into the release's values.
_TERRAFORM = {
    "runtime.type": "type",
    "runtime.dynamicModel": "dynamic_model",
    "scaling.jobSeconds": "job_seconds",
    "scaling.targetWaitSeconds": "target_wait_seconds",
    "scaling.minReplicas": "min_replicas",
    "scaling.maxReplicas": "max_replicas",
    "nodes.instanceTypes": "nodes.instance_types",
    "nodes.capacityTypes": "nodes.capacity_types",
    "agent.settings": "settings",
}
# Its bucket has the WebUI's own folders (its guide, "Model Storage"); Darkroom's image looks into others, unless told.
# Of hypernetworks it finds the folder by itself; told of one that is missing the WebUI would not start.
_WEBUI_FOLDERS = {
    "--ckpt-dir": "Stable-diffusion",
    "--lora-dir": "Lora",
    "--vae-dir": "VAE",
    "--embeddings-dir": "embeddings",
    "--esrgan-models-path": "ESRGAN",
    "--realesrgan-models-path": "RealESRGAN",
    "--gfpgan-models-path": "GFPGAN",
    "--codeformer-models-path": "Codeformer",
}
_BETTER = {
    "runtime.scaling.queueLength": "a wait in seconds, from which the number follows; measure `job_seconds`",
    "runtime.scaling.pollingInterval": "messages in flight count, so that a pod at work is not taken away",
    "runtime.queueAgent.dynamicModel": "jobs of one checkpoint run one after another, so that fewer are loaded",
    "runtime.inferenceApi.extraEnv": "a map, as its values say; its template wanted a list",
    "karpenter.nodeTemplate.userData": "SOCI is a switch, and not lines of user data",
    "karpenter.provisioner.consolidation": "a node whose pod is at work is spared",
}


class Verdict(StrEnum):
    """What became of a value."""

    SAME = "same"
    BETTER = "better"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one value of a runtime; `runtime` is empty for what belongs to all of them."""

    runtime: str
    path: str
    verdict: Verdict
    becomes: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """The files of an installation: Terraform's variables, and values by release; and what became of each value."""

    variables: dict[str, Any]
    values: dict[str, dict[str, Any]]
    report: tuple[Line, ...]


def migrate(document: Any) -> Migration:
    """Move a `config.yaml` with all its runtimes, or the values of one runtime's chart.

    Raises:
        Refused: it is neither.
    """
    names = _names(document)
    converted = {name: convert(document, name) for name in names} if names else _one(document)
    variables: dict[str, Any] = {"runtimes": {}}
    values: dict[str, dict[str, Any]] = {}
    report: list[Line] = []
    shared = _bucket(document)
    if shared is not None:
        variables["existing_models_bucket"] = shared
        report.append(Line("", "modelBucketArn", Verdict.SAME, "existing_models_bucket", "both stacks read one bucket"))
    for name, one in converted.items():
        entry, rest = _split(one.values)
        variables["runtimes"][name] = entry | _checkpoints(one)
        values[name] = rest | _webui(entry, rest)
        report += [line for line in _report(name, one) if line not in report]
    return Migration(variables, values, tuple(report))


def _names(document: Any) -> list[str]:
    listed = document.get("modelsRuntime") if isinstance(document, dict) else None
    return (
        [str(one["name"]) for one in listed if isinstance(one, dict) and "name" in one]
        if isinstance(listed, list)
        else []
    )


def _one(document: Any) -> dict[str, Converted]:
    one = convert(document)
    name = one.values.get("runtime", {}).get("name")
    if name is None:
        raise Refused("global.runtime: the runtime's name is expected")
    return {name: one}


def _bucket(document: Any) -> str | None:
    if not isinstance(document, dict):
        return None
    arn = document.get("modelBucketArn") or _at(document, "runtime.persistence.s3.modelBucket")
    return str(arn).rpartition(":")[2] if arn else None


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the variable `runtimes` says of it, and what is left for Helm."""
    entry: dict[str, Any] = {}
    for path, where in _TERRAFORM.items():
        if (value := _at(values, path)) is not None:
            *folders, last = where.split(".")
            place = entry
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = value
    return entry, dict(_without(values, ""))


def _without(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        here = f"{path}{key}"
        if here in _TERRAFORM or here == "runtime.name":
            continue
        inside = dict(_without(value, f"{here}.")) if isinstance(value, dict) and value else value
        if inside != {} or value == {}:
            yield key, inside


def _checkpoints(one: Converted) -> dict[str, Any]:
    """v1alpha1 names a checkpoint and no runtime: the runtime that lists it is meant."""
    named = [moved.value for moved in one.moved if moved.path == "runtime.inferenceApi.modelFilename"]
    return {"checkpoints": named} if named else {}


def _webui(entry: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    if entry.get("type") != "sdwebui":
        return {}
    mount = "/models"
    words = [word for flag, folder in _WEBUI_FOLDERS.items() for word in (flag, f"{mount}/{folder}")]
    return {"runtime": {"args": words, **rest.get("runtime", {})}}


def _report(name: str, one: Converted) -> Iterator[Line]:
    for moved in one.moved:
        becomes = ", ".join(f"runtimes.{name}.{_TERRAFORM[to]}" if to in _TERRAFORM else to for to in moved.to)
        better = _BETTER.get(moved.path, "")
        yield Line(
            name,
            moved.path,
            Verdict.BETTER if better else Verdict.SAME,
            becomes or "with another, or the default here",
            better,
        )
    for dropped in one.dropped:
        if dropped.path in {"modelBucketArn", "runtime.persistence.s3.modelBucket"}:
            continue  # it is told once, for all of them
        whole = "." not in dropped.path and dropped.path not in {"global", "karpenter", "runtime"}
        yield Line("" if whole else name, dropped.path, Verdict.DROPPED, "", dropped.why)
