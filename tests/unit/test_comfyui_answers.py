"""What ComfyUI's answers mean."""

from typing import Any

import pytest

from darkroom_agent.errors import Failure, OutOfMemory, RuntimeBroken, RuntimeFailed, RuntimeRefused
from darkroom_agent.runtimes.comfyui_answers import (
    Place,
    entry_of,
    failure_of,
    files_of,
    place_of,
    refusal,
    response_of,
    uploaded_name,
)


def file(name: str, kind: str = "output") -> dict[str, Any]:
    return {"filename": name, "subfolder": "", "type": kind}


def raised(kind: str, message: str) -> dict[str, Any]:
    error = {
        "node_id": "5",
        "node_type": "KSampler",
        "exception_type": kind,
        "exception_message": message,
        "traceback": [f"line {i}" for i in range(20)],
        "current_inputs": {"image": ["tensor([1.])"]},
    }
    return {"outputs": {}, "status": {"status_str": "error", "messages": [["execution_error", error]]}}


@pytest.mark.parametrize(
    ("kind", "message", "failure"),
    [
        ("torch.OutOfMemoryError", "Allocation on device", OutOfMemory),
        ("torch.cuda.OutOfMemoryError", "CUDA out of memory", OutOfMemory),
        ("MemoryError", "", OutOfMemory),
        ("RuntimeError", "DefaultCPUAllocator: can't allocate memory", OutOfMemory),
        ("RuntimeError", "CUDA error: out of memory", OutOfMemory),
        ("RuntimeError", "CUDA error: an illegal memory access was encountered", RuntimeBroken),
        ("RuntimeError", "CUBLAS_STATUS_EXECUTION_FAILED", RuntimeBroken),
        ("PIL.UnidentifiedImageError", "cannot identify image file", RuntimeRefused),
        ("ValueError", "bad", RuntimeRefused),
        ("ExecutionBlocked", "Execution Blocked", RuntimeRefused),
        ("RuntimeError", "ValueError: somewhere inside", RuntimeFailed),
        ("OSError", "disk", RuntimeFailed),
        ("", "", RuntimeFailed),
    ],
)
def test_what_a_node_raised_has_its_class(kind: str, message: str, failure: type[Failure]) -> None:
    """By the one table, the first row that fits."""
    found = failure_of(raised(kind, message))
    assert type(found) is failure
    assert found.message.startswith("node 5 KSampler: ")


def test_a_failures_response_has_neither_tensors_nor_long_tracebacks() -> None:
    """Its last lines tell enough."""
    found = failure_of(raised("OSError", "disk"))
    assert found is not None
    (_, told), *_ = found.response["status"]["messages"]
    assert told["traceback"] == [f"line {i}" for i in range(15, 20)]
    assert "current_inputs" not in told


@pytest.mark.parametrize("entry", [{}, {"status": None}, {"status": {"status_str": "error", "messages": None}}])
def test_an_entry_that_tells_nothing_is_a_failure(entry: dict[str, Any]) -> None:
    """It is no success; another attempt may tell more."""
    assert isinstance(failure_of(entry), RuntimeFailed)


def test_files_of_every_kind_come_in_the_workflows_order() -> None:
    """Whatever their key; each once, previews and inputs not."""
    outputs = {
        "9": {"images": [file("b.png"), file("c.png")], "animated": [False]},
        "3": {"gifs": [file("a.mp4")], "text": ["a word"]},
        "4": {
            "audio": [file("d.flac")],
            "3d": [file("e.glb")],
            "images": [file("p.png", "temp"), file("i.png", "input")],
        },
        "12": {"images": [file("b.png")]},
        "ghost": None,
        "expanded.1": {"video": [file("f.webm")]},
    }
    names = [found.filename for found in files_of({"outputs": outputs}, ["12", "9", "3", "4"])]
    assert names == ["b.png", "c.png", "a.mp4", "d.flac", "e.glb", "f.webm"]


def test_previews_count_where_nothing_was_saved() -> None:
    """But what a node shows of the input folder never does."""
    outputs = {"1": {"images": [file("p.png", "temp"), file("i.png", "input")]}}
    assert [found.filename for found in files_of({"outputs": outputs}, ["1"])] == ["p.png"]
    assert files_of({"outputs": {"1": {"images": [file("i.png", "input")]}}}, ["1"]) == []


def test_the_response_keeps_what_is_no_file() -> None:
    """Text, numbers; not the graph."""
    entry = {"prompt": [1], "outputs": {"1": {"text": ["x"]}}, "status": {"status_str": "success", "messages": []}}
    assert response_of(entry) == {"outputs": entry["outputs"], "status": entry["status"]}


@pytest.mark.parametrize(
    ("queue", "place"),
    [
        ({"queue_running": [[1, "a", {}]], "queue_pending": []}, Place.RUNNING),
        ({"queue_running": [[1, "b", {}]], "queue_pending": [[2, "a", {}]]}, Place.PENDING),
        ({"queue_running": [[1, "b"]], "queue_pending": []}, Place.NOWHERE),
        ({"queue_running": ["a", ["a"], None], "queue_pending": 7}, Place.NOWHERE),
        ([], Place.NOWHERE),
    ],
)
def test_the_place_in_the_queue(queue: Any, place: Place) -> None:
    """Running, waiting, or neither; odd answers are neither."""
    assert place_of(queue, "a") is place


def test_only_the_jobs_own_entry_counts() -> None:
    """A running job is absent from the history."""
    assert entry_of({"a": {"outputs": {}}}, "a") == {"outputs": {}}
    assert entry_of({"b": {}}, "a") is None
    assert entry_of([], "a") is None


def test_an_upload_is_called_what_the_server_says() -> None:
    """With its subfolder; a nameless one is the server's failure."""
    assert uploaded_name({"name": "a (1).png", "subfolder": "darkroom", "type": "input"}) == "darkroom/a (1).png"
    assert uploaded_name({"name": "a.png", "subfolder": ""}) == "a.png"
    odds: list[Any] = [{}, [], {"name": 7}]
    for odd in odds:
        with pytest.raises(RuntimeFailed):
            uploaded_name(odd)


def test_a_refusal_of_many_nodes_says_how_many_more() -> None:
    """A message is for people."""
    node = {"class_type": "A", "errors": [{"message": "no", "details": "x", "extra_info": {"traceback": ["t"]}}]}
    answer = {"error": {"message": "Failed"}, "node_errors": {str(i): node for i in range(7)}}
    found = refusal(answer)
    assert found.message.startswith("Failed: node 0 A: no (x); ")
    assert found.message.endswith("; and 2 more")
    assert "traceback" not in str(found.response)


@pytest.mark.parametrize(
    "answer", [None, [], "x", {}, {"error": "no"}, {"node_errors": {"1": None, "2": {"errors": 3}}}]
)
def test_odd_refusals_are_refusals(answer: Any) -> None:
    """Custom nodes put their own words there."""
    assert refusal(answer).message
