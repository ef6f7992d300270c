"""What is asked of the model: one knob at a time is turned, the others stay as the chart has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .parameters import Parameters
from .published import IMAGE, defaults


@dataclass(frozen=True, slots=True)
class Case:
    """One setting of one knob."""

    label: str
    parameters: Parameters
    usual: bool
    """Whether it is what the chart has."""


@dataclass(frozen=True, slots=True)
class Question:
    """A knob and the settings that are tried."""

    title: str
    knob: str
    cases: tuple[Case, ...]


def questions() -> tuple[Question, ...]:
    """All of them."""
    usual = defaults()
    return (
        _scaling(usual, "How long may a job wait?", "targetWaitSeconds", (5, 15, 30, 60, 120, 300)),
        _scaling(usual, "How many pods at most?", "maxReplicas", (5, 10, 20, 40)),
        _scaling(usual, "How often does KEDA look?", "pollingSeconds", (1, 5, 15, 30)),
        _scaling(usual, "How long does the last pod stay?", "cooldownSeconds", (30, 120, 300, 900, 1800)),
        _ask(
            "How slowly do pods leave?",
            "scaling.behavior.scaleDown.stabilizationWindowSeconds",
            usual,
            {f"{one} s": _scale_down(usual, one) for one in (0, 60, 120, 300, 600)},
        ),
        _scaling(usual, "How many pods are always there?", "minReplicas", (0, 1, 2)),
        _nodes(usual, "How much room is kept free?", "headroom.replicas", (0, 1, 2, 4)),
        _nodes(usual, "How long does an empty node stay?", "nodes.consolidateAfter", (30, 60, 300, 600)),
        _ask(
            "How do images come?",
            "imageCache.mode",
            usual,
            {mode: replace(usual, start=replace(usual.start, image=image)) for mode, image in IMAGE.items()},
        ),
        _nodes(usual, "How many launches find Spot?", "spot share", (0, 0.5, 1)),
        _nodes(usual, "How often does EC2 take a Spot node?", "interruptions an hour", (0, 0.05, 0.5)),
    )


_SCALING = {
    "targetWaitSeconds": "target_wait_seconds",
    "maxReplicas": "max_replicas",
    "pollingSeconds": "polling_seconds",
    "cooldownSeconds": "cooldown_seconds",
    "minReplicas": "min_replicas",
}
_NODES = {
    "headroom.replicas": ("headroom", "{}"),
    "nodes.consolidateAfter": ("consolidate_after", "{} s"),
    "spot share": ("spot_share", "{:.0%}"),
    "interruptions an hour": ("interruptions_per_hour", "{}"),
}
"""Knob → field of the parameters, and how its settings are written."""


def _scaling(usual: Parameters, title: str, knob: str, tried: Sequence[float]) -> Question:
    unit = " s" if knob.endswith("Seconds") else ""
    changed = {
        f"{one}{unit}": replace(usual, scaling=replace(usual.scaling, **_one(_SCALING[knob], one))) for one in tried
    }
    return _ask(title, f"scaling.{knob}", usual, changed)


def _nodes(usual: Parameters, title: str, knob: str, tried: Sequence[float]) -> Question:
    field, label = _NODES[knob]
    changed = {label.format(one): replace(usual, nodes=replace(usual.nodes, **_one(field, one))) for one in tried}
    return _ask(title, knob, usual, changed)


def _one(field: str, value: float) -> dict[str, Any]:
    return {field: value}


def _scale_down(usual: Parameters, seconds: float) -> Parameters:
    down = replace(usual.scaling.down, stabilization_seconds=seconds)
    return replace(usual, scaling=replace(usual.scaling, down=down))


def _ask(title: str, knob: str, usual: Parameters, changed: dict[str, Parameters]) -> Question:
    cases = tuple(Case(label, parameters, parameters == usual) for label, parameters in changed.items())
    return Question(title, knob, cases)
