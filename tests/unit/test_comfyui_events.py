"""What a prompt's events tell."""

from typing import Any

import pytest

from darkroom_agent.runtimes.comfyui_events import Track


def states(**values: float) -> dict[str, Any]:
    return {"nodes": {node: {"value": value, "max": 10} for node, value in values.items()}}


async def test_progress_counts_nodes_and_steps_and_never_goes_back() -> None:
    """Cached nodes are done; the two kinds of events count differently."""
    seen: list[float] = []
    track = Track(dict.fromkeys("1234", "KSampler"), seen.append)
    track.take("execution_cached", {"nodes": ["1"]})
    track.take("executing", {"node": "2"})
    track.take("progress_state", states(a=5))
    track.take("progress", {"value": 2, "max": 10})
    track.take("progress_state", states(a=10, b=10, c=10, d=10))
    assert seen == pytest.approx([0.375, 0.375, 1.0])


async def test_the_last_event_asks_for_a_look_and_no_other_does() -> None:
    """An error need not be the end (ExecutionBlocked); `executing` without a node is, on every recorded run."""
    track = Track({"1": "KSampler"}, lambda _: None)
    for kind in ("execution_start", "execution_error", "execution_success", "executed"):
        track.take(kind, {"node": "1"})
    track.take("executing", {"node": "1"})
    assert not track.look.is_set()
    track.take("executing", {"node": None})
    assert track.look.is_set()


async def test_seconds_of_expanded_nodes_go_to_the_workflows_own() -> None:
    """It is the one that the caller knows."""
    track = Track({"1": "KSampler"}, lambda _: None)
    track.take("executing", {"node": "7.0.0.1", "display_node": "7"})
    track.take("executing", {"node": "7.0.0.2", "display_node": "7"})
    track.take("executing", {"node": None})
    assert set(track.nodes) == {"7"}


async def test_an_error_is_remembered_in_words() -> None:
    """The history of a blocked execution does not tell it."""
    track = Track({"1": "KSampler"}, lambda _: None)
    track.take("execution_error", {"node_id": "2", "node_type": "S", "exception_type": "a.B", "exception_message": "c"})
    assert track.error == "node 2 S: B: c"
