"""A workflow's images and the request that is made of it."""

import base64
import json
import time
from typing import Any

import pytest

from darkroom_agent.errors import InvalidRequest
from darkroom_agent.runtimes.comfyui_workflow import encode_request, image_fields, workflow_of

SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}


def loader(value: Any, class_type: str = "LoadImage") -> dict[str, Any]:
    return {"1": {"class_type": class_type, "inputs": {"image": value}}}


SOURCES = [
    "https://example.com/a.png",
    "HTTP://example.com/a.png",
    "s3://bucket/key",
    "data:image/png;base64,AAAA",
    base64.b64encode(bytes(300)).decode(),
    base64.encodebytes(bytes(300)).decode(),
]


@pytest.mark.parametrize("value", SOURCES)
def test_urls_and_base64_in_loaders_are_images(value: str) -> None:
    """In a bare graph and in a whole request, each under its own path."""
    assert image_fields(loader(value)) == [(("1", "inputs", "image"), value)]
    assert image_fields({"prompt": loader(value)}) == [(("prompt", "1", "inputs", "image"), value)]


@pytest.mark.parametrize(
    "value", ["a.png", "darkroom/a.png", "a.png [output]", "", "AAAA", "x" * 250 + ".png", ["2", 0], None, 7]
)
def test_names_of_files_and_links_are_left_alone(value: Any) -> None:
    """They mean something inside the runtime."""
    assert image_fields(loader(value)) == []


def test_only_loaders_hold_images() -> None:
    """A prompt that looks like a URL is a prompt."""
    assert image_fields(loader("https://example.com/a.png", "CLIPTextEncode")) == []
    assert len(image_fields(loader("https://example.com/a.png", "LoadImageMask"))) == 1


def test_a_hostile_string_costs_no_time() -> None:
    """No pattern backtracks over it."""
    began = time.process_time()
    assert len(image_fields(loader("A" * 300 + " " * 300_000 + "!"))) == 1
    assert image_fields(loader("A" * 300 + " " * 700 + "!" * 300_000)) == []
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("request_body", "said"),
    [
        ({}, r"^\$\.input: a workflow without nodes"),
        ({"prompt": {}}, r"^\$\.input\.prompt: a workflow without nodes"),
        ({"prompt": "x"}, r"^\$\.input\.prompt: expected a workflow"),
        ({"prompt": [1]}, r"^\$\.input\.prompt: expected a workflow"),
        ({"1": {"inputs": {}}}, r"^\$\.input\.1: expected a node"),
        ({"1": {"class_type": 7}}, r"^\$\.input\.1: expected a node"),
        ({"1": [1]}, r"^\$\.input\.1: expected a node"),
        ({"prompt": {"1": {"class_type": "A", "inputs": []}}}, r"^\$\.input\.prompt\.1\.inputs"),
        ({"prompt": {"1": SAVE}, "extra_data": []}, r"^\$\.input\.extra_data: expected an object"),
        ({"nodes": [{"id": 1}], "links": []}, r"Export \(API\)"),
    ],
)
def test_what_is_no_workflow_is_refused_with_its_place(request_body: dict[str, Any], said: str) -> None:
    """ComfyUI would answer some of it with a bare 500."""
    with pytest.raises(InvalidRequest, match=said):
        workflow_of(request_body)


def test_a_node_may_be_called_prompt() -> None:
    """A bare graph whose node has that id is no whole request."""
    assert workflow_of({"prompt": SAVE}) == ({"prompt": SAVE}, ())


def test_a_whole_request_keeps_its_fields_but_not_those_of_the_adapter() -> None:
    """The editor's graph in extra_data, the targets; never the caller's names or place in the queue."""
    extra: dict[str, Any] = {"extra_pnginfo": {"workflow": {"nodes": []}}}
    theirs = {"client_id": "theirs", "prompt_id": "theirs", "number": "x", "front": True}
    request = {"prompt": {"2": SAVE}, "extra_data": extra, "partial_execution_targets": ["2"], **theirs}
    body = json.loads(encode_request(request, {}, "12345678-rest", "ours"))
    assert body.pop("prompt")["2"]["inputs"]["filename_prefix"] == "out-12345678"
    assert body == {
        "client_id": "ours",
        "prompt_id": "12345678-rest",
        "extra_data": extra,
        "partial_execution_targets": ["2"],
    }


def test_the_jobs_own_input_is_not_changed() -> None:
    """Another attempt must find it as it came."""
    request = {
        **loader("s3://bucket/key"),
        "2": SAVE,
        "3": {"class_type": "S", "inputs": {"filename_prefix": ["4", 0]}},
    }
    before = json.dumps(request)
    body = json.loads(encode_request(request, {("1", "inputs", "image"): "darkroom/a.png"}, "12345678-rest", "ours"))
    assert json.dumps(request) == before
    assert body["prompt"]["1"]["inputs"]["image"] == "darkroom/a.png"
    assert body["prompt"]["3"]["inputs"]["filename_prefix"] == ["4", 0]
