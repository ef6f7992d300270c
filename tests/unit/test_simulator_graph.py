"""Order and cache of the simulated ComfyUI."""

from typing import Any

from darkroom_simulator.comfyui_graph import plan, signatures


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


GRAPH = {
    "1": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
    "2": node("ImageInvert", image=["1", 0]),
    "3": node("SaveImage", images=["2", 0], filename_prefix="a"),
    "4": node("SaveImage", images=["1", 0], filename_prefix="b"),
}


def test_nodes_come_after_what_they_need() -> None:
    """Outputs as soon as they can be, and nothing that no output needs."""
    assert plan(GRAPH, ["3", "4"], []) == ["1", "4", "2", "3"]
    assert plan(GRAPH, ["4"], []) == ["1", "4"]


def test_nothing_behind_a_cached_node_is_touched() -> None:
    """A cached output is, for its old files are told again."""
    assert plan(GRAPH, ["3"], ["1", "2"]) == ["3"]
    assert plan(GRAPH, ["3"], ["1", "2", "3"]) == ["3"]


def test_a_signature_depends_on_everything_behind_a_node() -> None:
    """A value changed at the start changes all that follow, and only those."""
    before = signatures(GRAPH, ["3"], str)
    after = signatures({**GRAPH, "1": node("EmptyImage", width=16, height=8, batch_size=1, color=0)}, ["3"], str)
    assert all(before[i] != after[i] for i in ("1", "2", "3"))
    after = signatures({**GRAPH, "3": node("SaveImage", images=["2", 0], filename_prefix="x")}, ["3"], str)
    assert [i for i in before if before[i] != after[i]] == ["3"]


def test_a_signature_depends_on_the_content_of_a_file() -> None:
    """The same name with another image is another result."""
    graph = {"1": node("LoadImage", image="a.png"), "2": node("SaveImage", images=["1", 0], filename_prefix="x")}
    contents = {"a.png": "old"}
    before = signatures(graph, ["2"], contents.__getitem__)
    contents["a.png"] = "new"
    assert signatures(graph, ["2"], contents.__getitem__)["2"] != before["2"]


def test_shared_nodes_are_signed_once() -> None:
    """Or a graph of forty diamonds would never end."""
    graph = {"0": node("EmptyImage", width=8)}
    for i in range(1, 40):
        graph[str(i)] = node("Both", a=[str(i - 1), 0], b=[str(i - 1), 0])
    assert len(signatures(graph, ["39"], str)) == 40
