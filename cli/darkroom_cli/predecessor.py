"""Values of the predecessor's chart become values of charts/runtime; what has no place there is said, and why. Pure.

Its values are those of its chart `sd-on-eks` 1.0 to 1.2 (src/charts/sd_on_eks of its repository): `global`,
`karpenter`, `runtime`. Its users mostly write them into `extraValues` of a runtime in the CDK's `config.yaml`: that is
taken, too.
What names resources of AWS is never carried over: `runtime_values` of Terraform names the new ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .failures import Refused
from .predecessor_rules import RULES, Given, Unusable

_CONFIG = {
    "stackName": "it named a stack of CloudFormation; `name` of Terraform's root module names the installation",
    "modelBucketArn": "`storage.existing_models_bucket` of Terraform takes the bucket over",
    "APIGW": "stage and throttling are Terraform's `api`",
    "clusterComponents": "system nodes are Terraform's `cluster.system_nodes`",
    "dynamicModelRuntime": "it is a runtime like others here: install one with `runtime.dynamicModel`",
}
_RUNTIME = {
    "namespace": "say it to Helm: `--namespace`",
    "chartRepository": "the chart is charts/runtime",
    "chartVersion": "the chart is charts/runtime",
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A value that was not carried over: where it stands, what it is, and why."""

    path: str
    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A value that was carried over: where it stood, and where it stands now; none if it is the default here."""

    path: str
    value: Any
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """Values of charts/runtime, where they came from, and what they do not hold."""

    values: dict[str, Any]
    moved: tuple[Moved, ...]
    dropped: tuple[Dropped, ...]


def convert(document: Any, runtime: str | None = None) -> Converted:
    """Convert values of its chart, or one runtime of its `config.yaml`.

    Args:
        document: what the file holds.
        runtime: which runtime of a `config.yaml`; it may be left out if there is one.

    Raises:
        Refused: it is neither, or the runtime is not there.
    """
    if isinstance(document, dict) and "modelsRuntime" in document:
        values, before = _of_config(document, runtime)
        after = _convert(values)
        return Converted(after.values, after.moved, (*before, *after.dropped))
    if isinstance(document, dict) and document.keys() & {"global", "karpenter", "runtime"}:
        return _convert(document)
    raise Refused(
        "this holds neither values of the predecessor's chart (global, karpenter, runtime) nor its config.yaml"
    )


def _of_config(config: Mapping[str, Any], name: str | None) -> tuple[dict[str, Any], list[Dropped]]:
    """The values that its CDK gives the chart for a runtime, and what of the file says nothing about it."""
    listed = config["modelsRuntime"]
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("name") for one in listed):
        raise Refused("modelsRuntime: a list of runtimes is expected, each with a name")
    names = [str(one["name"]) for one in listed]
    wanted = name or (names[0] if len(names) == 1 else None)
    if wanted not in names:
        raise Refused(f"say which runtime, with `--runtime`: {', '.join(names)}")
    one = listed[names.index(wanted)]
    dropped = [
        Dropped(key, value, _CONFIG.get(key, "its config.yaml knows no such key"))
        for key, value in config.items()
        if key != "modelsRuntime"
    ]
    used = {"name", "type", "modelFilename", "dynamicModel", "extraValues"}
    dropped += [
        Dropped(f"modelsRuntime.{wanted}.{key}", value, _RUNTIME.get(key, "its config.yaml knows no such key"))
        for key, value in one.items()
        if key not in used
    ]
    generated: dict[str, Any] = {"global": {"runtime": wanted}, "runtime": {"type": str(one.get("type", "sdwebui"))}}
    if generated["runtime"]["type"].lower() == "sdwebui":
        generated["runtime"]["inferenceApi"] = {"modelFilename": one.get("modelFilename")}
        generated["runtime"]["queueAgent"] = {"dynamicModel": one.get("dynamicModel")}
    extra = one.get("extraValues") or {}
    if not isinstance(extra, dict):
        raise Refused(f"modelsRuntime.{wanted}.extraValues: values of its chart are expected")
    return _merge(extra, generated), dropped


def _convert(values: Mapping[str, Any]) -> Converted:
    given = Given.of(values)
    converted: dict[str, Any] = {}
    moved = []
    dropped = []
    for path, value in _leaves(values, ""):
        rule = RULES.get(path)
        try:
            if rule is None:
                raise Unusable("its chart knows no such value")
            places: list[str] = []
            for where, what in rule(value, given):
                if isinstance(what, Unusable):
                    part = value.get(where) if isinstance(value, dict) else None
                    dropped.append(Dropped(f"{path}.{where}", part, str(what)))
                else:
                    _put(converted, where, what)
                    places.append(where)
            moved.append(Moved(path, value, tuple(places)))
        except Unusable as reason:
            dropped.append(Dropped(path, value, str(reason)))
    return Converted(converted, tuple(moved), tuple(dropped))


def _leaves(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Every value that a rule speaks of, or none does; what is empty says nothing."""
    for key, value in values.items():
        here = f"{path}.{key}" if path else str(key)
        if value in (None, "", [], {}):
            continue
        if here not in RULES and isinstance(value, dict) and any(known.startswith(f"{here}.") for known in RULES):
            yield from _leaves(value, here)
        else:
            yield here, value


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        values = values.setdefault(folder, {})
    values[last] = _merge(values[last], value) if isinstance(values.get(last), dict) else value


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the second winning; maps are merged as Helm and its CDK do."""
    merged = dict(first)
    for key, value in second.items():
        mine = merged.get(key)
        merged[key] = _merge(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged
