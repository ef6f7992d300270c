"""Where the images of an sdwebui request stand."""

from typing import Any

import pytest

from darkroom_agent.ports import FieldPath, InputImage, RuntimeLimits
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_agent.runtimes.sdwebui_request import checkpoint_of, image_fields, overrides, with_values
from darkroom_contract.job import Job, Task

CONTROLNET: FieldPath = ("alwayson_scripts", "ControlNet", "args")
BODY: dict[str, Any] = {
    "prompt": "http://example.com/not-fetched",
    "image": "http://h/no-task-of-this",
    "init_images": ["s3://b/a.png", "http://h/b.png", None, ""],
    "mask": "data:image/png;base64,xx",
    "alwayson_scripts": {
        "ControlNet": {
            "args": [
                {"image": "http://h/c.png", "module": "http://h/no", "input_image": "http://h/i.png"},
                {"image": {"image": "d", "mask": "e", "other": "no"}, "mask": "http://h/m.png"},
                "odd",
            ]
        },
        "other": {"args": [{"image": "http://h/no"}]},
    },
}
OF_CONTROLNET = {
    (*CONTROLNET, 0, "image"): "http://h/c.png",
    (*CONTROLNET, 0, "input_image"): "http://h/i.png",
    (*CONTROLNET, 1, "image", "image"): "d",
    (*CONTROLNET, 1, "image", "mask"): "e",
    (*CONTROLNET, 1, "mask"): "http://h/m.png",
}


def test_only_fields_that_hold_images_are_found() -> None:
    """Whatever they hold, URL or base64; a prompt that is a URL stays a prompt."""
    assert dict(image_fields(Task.IMAGE_TO_IMAGE, BODY)) == {
        ("init_images", 0): "s3://b/a.png",
        ("init_images", 1): "http://h/b.png",
        ("mask",): "data:image/png;base64,xx",
        **OF_CONTROLNET,
    }


def test_each_task_reads_its_own_fields() -> None:
    """What the server would not read is not fetched."""
    assert dict(image_fields(Task.TEXT_TO_IMAGE, BODY)) == OF_CONTROLNET
    assert image_fields(Task.EXTRA_SINGLE_IMAGE, BODY) == [(("image",), "http://h/no-task-of-this")]
    batch = {"imageList": [{"data": "a", "name": "http://h/no"}, "odd", {"data": 3}, {"data": "http://h/b"}]}
    assert image_fields(Task.EXTRA_BATCH_IMAGES, batch) == [
        (("imageList", 0, "data"), "a"),
        (("imageList", 3, "data"), "http://h/b"),
    ]


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"controlnet": 3}, {"controlnet": {"args": 3}}])
def test_odd_bodies_hold_no_images(odd: Any) -> None:
    """They are for the server to refuse."""
    body = {"init_images": odd, "alwayson_scripts": odd, "mask": None, "imageList": odd}
    for task in (Task.TEXT_TO_IMAGE, Task.EXTRA_BATCH_IMAGES, Task.EXTRA_SINGLE_IMAGE):
        assert image_fields(task, body) == []


async def test_fetched_images_take_the_places_of_what_named_them() -> None:
    """As base64; the job's own input stays as it came."""
    job = Job(id="a", runtime="sd", task=Task.IMAGE_TO_IMAGE, input=BODY)
    adapter = SDWebUI("http://unused", RuntimeLimits())
    fields = dict(adapter.image_fields(job))
    small = InputImage(b"png", "image/png", "x")
    large = InputImage(bytes(2 * 1024 * 1024), "image/png", "x")
    images = dict.fromkeys(fields, small) | {("mask",): large}
    prepared = await adapter.prepare(job, 1, images)
    assert prepared.payload.count(b'"cG5n"') == len(fields) - 1
    assert prepared.payload.count(b"A" * 1000) > 1
    assert b"http://example.com/not-fetched" in prepared.payload
    assert BODY["init_images"][0] == "s3://b/a.png"


def test_values_are_put_at_their_places() -> None:
    """In a copy."""
    body = {"a": [{"b": 1}], "c": 2}
    assert with_values(body, {("a", 0, "b"): 3}) == {"a": [{"b": 3}], "c": 2}
    assert body == {"a": [{"b": 1}], "c": 2}


def test_the_checkpoint_is_named_among_the_overrides() -> None:
    """What is none is left to the server."""
    assert checkpoint_of({"override_settings": {"sd_model_checkpoint": "x"}}) == "x"
    assert checkpoint_of({}) is None
    for odd in (None, 3, {}, {"sd_model_checkpoint": 3}):
        assert checkpoint_of({"override_settings": odd}) is None
    assert overrides({"override_settings": 3}) == {}
