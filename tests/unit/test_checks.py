"""What is refused before any GPU wakes: workflows that cannot run, A1111 fields out of bounds."""

from typing import Any

import pytest

from darkroom_contract import openai
from darkroom_contract.comfyui import check_graph
from darkroom_contract.decode import ContractError
from darkroom_contract.job import Task
from darkroom_contract.sdwebui import check_request
from darkroom_local.jobs import workflow


def _graph(**nodes: Any) -> dict[str, Any]:
    return {**workflow("a lighthouse", 1), **nodes}


def test_a_whole_workflow_passes() -> None:
    """Bare, or inside a request with `prompt`, a node called prompt included."""
    check_graph(_graph())
    check_graph({"prompt": _graph(), "extra_data": {}})
    check_graph(_graph(prompt={"class_type": "Note", "inputs": {}}))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"nodes": [], "links": [], "last_node_id": 3}, "$.input.nodes: expected a workflow in API format"),
        ({"prompt": {"nodes": []}}, "$.input.prompt.nodes: expected a workflow in API format"),
        ({"prompt": "text"}, "$.input.prompt: expected a workflow in API format, an object of nodes"),
        ({}, "$.input: expected a workflow with nodes"),
        (_graph(x=3), '$.input["x"]: expected a node'),
        (_graph(x={"inputs": {}}), '$.input["x"].class_type: expected string, got nothing'),
        (_graph(x={"class_type": 3}), '$.input["x"].class_type: expected string, got 3'),
        (_graph(x={"class_type": "A", "inputs": []}), '$.input["x"].inputs: expected object, got []'),
        (
            _graph(x={"class_type": "A", "inputs": {"clip": ["99", 0]}}),
            '$.input["x"].inputs["clip"]: expected a link to a node of this workflow, got ["99",0]',
        ),
        (_graph(x={"class_type": "A", "inputs": {"clip": ["4", -1]}}), '$.input["x"].inputs["clip"]: expected a link'),
        ({str(n): {"class_type": "A"} for n in range(2001)}, "$.input: expected a workflow of at most 2000 nodes"),
    ],
)
def test_a_workflow_that_cannot_run(request_: dict[str, Any], message: str) -> None:
    """The node and the field are in the message."""
    with pytest.raises(ContractError) as caught:
        check_graph(request_)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"prompt": "a lake", "seed": -1, "cfg_scale": 7, "sampler_name": None, "extension_field": {"any": 1}},
        {"width": 64, "height": 4096, "steps": 150, "batch_size": 8, "n_iter": 8},
    ],
)
def test_what_the_server_takes_passes(request_: dict[str, Any]) -> None:
    """Null is "not said"; fields of extensions are theirs."""
    check_request(Task.TEXT_TO_IMAGE, request_)


@pytest.mark.parametrize(
    ("task", "request_", "message"),
    [
        ("text-to-image", {"steps": 0}, "$.input.steps: expected integer ≥ 1, got 0"),
        ("text-to-image", {"steps": 5000}, "$.input.steps: expected integer ≤ 150, got 5000"),
        ("text-to-image", {"width": 8}, "$.input.width: expected integer ≥ 64, got 8"),
        ("text-to-image", {"height": 100_000}, "$.input.height: expected integer ≤ 4096, got 100000"),
        ("text-to-image", {"cfg_scale": "high"}, '$.input.cfg_scale: expected number ≤ 100, got "high"'),
        ("text-to-image", {"batch_size": 9, "n_iter": 8}, "$.input.n_iter: expected batch_size × n_iter ≤ 64, got 72"),
        ("text-to-image", {"prompt": 3}, "$.input.prompt: expected string of ≤ 20000 characters, got 3"),
        ("text-to-image", {"seed": "x"}, '$.input.seed: expected integer, got "x"'),
        ("text-to-image", {"alwayson_scripts": []}, "$.input.alwayson_scripts: expected object, got []"),
        ("image-to-image", {}, "$.input.init_images: expected an array with at least one image, got nothing"),
        (
            "image-to-image",
            {"init_images": []},
            "$.input.init_images: expected an array with at least one image, got []",
        ),
        (
            "image-to-image",
            {"init_images": ["x"], "denoising_strength": 2},
            "$.input.denoising_strength: expected number ≤ 1",
        ),
        ("extra-single-image", {}, "$.input.image: expected an image, got nothing"),
        (
            "extra-single-image",
            {"image": "x", "upscaling_resize": 100},
            "$.input.upscaling_resize: expected number ≤ 8",
        ),
        ("extra-batch-images", {"imageList": []}, "$.input.imageList: expected an array with at least one image"),
    ],
)
def test_a_request_out_of_bounds(task: str, request_: dict[str, Any], message: str) -> None:
    """What the server would refuse, or what would keep a GPU for hours."""
    with pytest.raises(ContractError) as caught:
        check_request(Task(task), request_)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("task", "request_"),
    [
        (Task.TEXT_TO_IMAGE, {"prompt": "a lake"}),
        (
            Task.TEXT_TO_IMAGE,
            {"prompt": "x", "n": 4, "size": "1024x768", "seed": 7, "num_inference_steps": 8, "lora": {}},
        ),
        (
            Task.TEXT_TO_IMAGE,
            {"prompt": "x", "size": "auto", "n": None, "stream": False, "response_format": "b64_json"},
        ),
        (Task.IMAGE_TO_IMAGE, {"prompt": "in fog", "image": "s3://bucket/a.png", "mask": "https://a/b.png"}),
        (Task.IMAGE_TO_IMAGE, {"prompt": "both", "image": ["s3://bucket/a.png", "s3://bucket/b.png"], "strength": 0.5}),
    ],
)
def test_what_an_openai_server_takes_passes(task: Task, request_: dict[str, Any]) -> None:
    """Fields of servers' own are theirs."""
    openai.check_request(task, request_)


@pytest.mark.parametrize(
    ("task", "request_", "message"),
    [
        (Task.TEXT_TO_IMAGE, {}, "$.input.prompt: expected string of 1 … 32000 characters, got nothing"),
        (Task.TEXT_TO_IMAGE, {"prompt": ""}, "$.input.prompt: expected string of 1 … 32000 characters"),
        (Task.TEXT_TO_IMAGE, {"prompt": "x", "n": 65}, "$.input.n: expected integer ≤ 64, got 65"),
        (Task.TEXT_TO_IMAGE, {"prompt": "x", "size": "huge"}, '$.input.size: expected "auto" or "<width>x<height>"'),
        (Task.TEXT_TO_IMAGE, {"prompt": "x", "size": "32x64"}, '$.input.size: expected "auto" or'),
        (Task.TEXT_TO_IMAGE, {"prompt": "x", "size": "64x99999"}, '$.input.size: expected "auto" or'),
        (
            Task.TEXT_TO_IMAGE,
            {"prompt": "x", "response_format": "url"},
            '$.input.response_format: expected one of "b64',
        ),
        (Task.TEXT_TO_IMAGE, {"prompt": "x", "stream": True}, "$.input.stream: expected one of false, got true"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x"}, "$.input.image: expected an image, or an array of 1 … 16, got nothing"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x", "image": []}, "$.input.image: expected an image, or an array of 1 … 16"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x", "image": ["a"] * 17}, "$.input.image: expected an image, or an array"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x", "image": 3}, "$.input.image: expected string or array, got 3"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x", "image": "a", "mask": 3}, "$.input.mask: expected string, got 3"),
        (Task.IMAGE_TO_IMAGE, {"prompt": "x", "image": "a", "b\r\nc": 1}, "$.input: expected names of form fields"),
    ],
)
def test_an_openai_request_that_cannot_run(task: Task, request_: dict[str, Any], message: str) -> None:
    """The field, its bounds, and what came."""
    with pytest.raises(ContractError) as caught:
        openai.check_request(task, request_)
    assert str(caught.value).startswith(message)
