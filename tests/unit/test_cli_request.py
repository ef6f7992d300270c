"""From the command line to requests, without an API: each mistake says how it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom_cli.failures import Refused
from darkroom_cli.request import Ask, pairs, prompt_request, read_json, read_lines, request_of, workflow_request

GRAPH = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "x"}}}
PIPELINE = {"task": "pipeline", "input": GRAPH}
IMAGE = Path("a.png")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: pairs(["steps"], "--set"), "--set steps: write it as name=value"),
        (lambda: read_lines(["{}", "{"]), "line 2 is no JSON"),
        (lambda: read_lines(["[" * 100_000]), "line 1 is no JSON"),
        (lambda: read_json(Path("/nowhere/a.json")), r"/nowhere/a\.json: No such file"),
        (lambda: request_of([], Ask()), "a request is a JSON object"),
        (lambda: request_of({"6": {}}, Ask()), "name its runtime with --runtime"),
        (lambda: request_of(PIPELINE, Ask(settings={"7.text": "a"})), "the nodes are 6"),
        (lambda: request_of(PIPELINE, Ask(settings={"text": "a"})), r"write it as <node id>\.<input>"),
        (lambda: request_of(PIPELINE, Ask(fields={"prompt": "a"})), "in a ComfyUI workflow use --set"),
        (lambda: request_of(PIPELINE, Ask(images=(IMAGE,))), "loads 0 images, --image gives 1"),
        (
            lambda: request_of({"task": "text-to-image", "input": {}}, Ask(images=(IMAGE,))),
            "--image is for image-to-im",
        ),
        (lambda: request_of({"workflow": "a"}, Ask(images=(IMAGE,))), "put the image into its params"),
        (lambda: request_of({"input": 7}, Ask(settings={"a": "b"})), "no input to set anything in"),
        (lambda: request_of({"input": 7}, Ask(images=(IMAGE,))), "no input to put an image in"),
        (lambda: prompt_request(Ask(fields={"prompt": "a"})), "which runtime"),
        (lambda: prompt_request(Ask(runtime="a", fields={"width": 64}), "openai"), "--width and --height go together"),
        (lambda: prompt_request(Ask(runtime="a", fields={"sampler_name": "x"}), "openai"), "--sampler: this runtime's"),
        (lambda: workflow_request(Ask(settings={"a": "b"}), {}), "--param sets its parameters"),
        (lambda: workflow_request(Ask(params={"a": "b"}), {"a": {"type": "integer"}}), "--param a=b: a is integer"),
        (lambda: workflow_request(Ask(params={"a": "b"}), {"a": {"type": "boolean"}}), "--param a=b: a is boolean"),
        (lambda: workflow_request(Ask(workflow="w", images=(IMAGE,)), {}), "the workflow w takes no image"),
    ],
)
def test_a_wrong_command_line(act: Callable[[], Any], message: str) -> None:
    """Each says how it is written."""
    with pytest.raises(Refused, match=message):
        act()


def test_requests_stay_as_they_are() -> None:
    """Settings go into a copy: one file may be asked for many times."""
    changed = request_of(PIPELINE, Ask(settings={"6.text": "y"}))
    assert changed["input"]["6"]["inputs"] == {"text": "y"}
    assert GRAPH["6"]["inputs"] == {"text": "x"}


def test_a_whole_comfyui_request_is_set_in_its_prompt() -> None:
    """`{"prompt": graph, …}` is what its server takes, too."""
    whole = {"task": "pipeline", "input": {"prompt": GRAPH, "extra_data": {}}}
    assert request_of(whole, Ask(settings={"6.text": "y"}))["input"]["prompt"]["6"]["inputs"] == {"text": "y"}


def test_images_go_where_a_request_has_them() -> None:
    """OpenAI's `image` where the request is one of that API, else the WebUI's `init_images`."""
    edit = {"task": "image-to-image", "input": {"prompt": "x", "size": "64x64"}}
    assert request_of(edit, Ask(images=(IMAGE,)))["input"]["image"] == ["a.png"]
    webui = {"task": "image-to-image", "input": {"prompt": "x", "init_images": ["b.png"]}}
    assert request_of(webui, Ask(images=(IMAGE,)))["input"]["init_images"] == ["b.png", "a.png"]


def test_flags_come_before_the_file() -> None:
    """The runtime, the job's own fields, and the generation's."""
    request = {"runtime": "a", "priority": "normal", "task": "text-to-image", "input": {"steps": 1, "seed": 2}}
    ask = Ask(runtime="b", job={"priority": "bulk"}, fields={"steps": 3})
    assert request_of(request, ask) == {
        "runtime": "b",
        "priority": "bulk",
        "task": "text-to-image",
        "input": {"steps": 3, "seed": 2},
    }
