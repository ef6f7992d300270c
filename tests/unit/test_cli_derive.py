"""What callers may choose is found in a request: prompts by their way to the sampler, the rest by name."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom_cli.derive import derive
from darkroom_cli.node_definitions import Definitions, read_definitions
from darkroom_contract.job import Task
from darkroom_contract.workflow import decode_workflow, fill
from darkroom_local.jobs import workflow
from darkroom_simulator.comfyui_nodes import NODES, object_info

DEFINITIONS = read_definitions({name: object_info(name, ["dreamy.safetensors"]) for name in NODES})


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs} | ({"_meta": {"title": title}} if title else {})


def derived(graph: dict[str, Any], definitions: Definitions | None = None) -> dict[str, Any]:
    """Name, places and default of each."""
    found = derive(Task.PIPELINE, graph, definitions)
    return {name: (one.at, one.default) for name, one in found.items()}


def test_an_ordinary_workflow() -> None:
    """Prompts are told apart by the sampler's links; a denoise of 1 is nothing to choose; the order is a form's."""
    graph = workflow("a lighthouse", 11)
    expected = {
        "prompt": (("6.text",), None),
        "negative": (("7.text",), "blurry"),
        "width": (("5.width",), 640),
        "height": (("5.height",), 512),
        "images": (("5.batch_size",), 1),
        "steps": (("3.steps",), 20),
        "guidance": (("3.cfg",), 7.0),
        "seed": (("3.seed",), None),
    }
    assert derived(graph) == expected
    assert list(derived(graph)) == list(expected)
    assert derived({"prompt": graph, "extra_data": {}}) == expected
    found = derive(Task.PIPELINE, graph)
    assert found["prompt"].required
    assert found["seed"].seed


def test_choices_come_from_the_runtimes_definitions() -> None:
    """And bounds are no wider than the nodes'."""
    graph = workflow("a lighthouse", 11)
    graph["5"]["inputs"]["width"] = 8192
    found = derive(Task.PIPELINE, graph, DEFINITIONS)
    assert found["checkpoint"].choices == ("dreamy.safetensors",)
    assert "dpmpp_2m" in found["sampler"].choices
    assert (found["width"].minimum, found["width"].maximum) == (64, 8192)
    assert (found["seed"].minimum, found["seed"].maximum) == (0, 0xFFFFFFFF)
    narrow = {"KSampler": {"input": {"required": {"steps": ["INT", {"min": 2, "max": 30}]}}}}
    steps = derive(Task.PIPELINE, graph, read_definitions(narrow))["steps"]
    assert (steps.minimum, steps.maximum) == (2, 30)


def test_prompts_are_followed_through_what_lies_between() -> None:
    """ControlNets that pass both on, and texts that a node of their own holds."""
    graph = {
        "1": node("PrimitiveStringMultiline", value="a lake"),
        "2": node("CLIPTextEncode", text=["1", 0], clip=["9", 1]),
        "3": node("CLIPTextEncode", text="ugly", clip=["9", 1]),
        "4": node("ControlNetApplyAdvanced", positive=["2", 0], negative=["3", 0], image=["8", 0]),
        "5": node("KSampler", positive=["4", 0], negative=["4", 1], seed=1),
        "8": node("LoadImage", image="pose.png"),
    }
    assert derived(graph) == {
        "prompt": (("1.value",), None),
        "negative": (("3.text",), "ugly"),
        "image": (("8.image",), None),
        "seed": (("5.seed",), None),
    }


def test_flux_takes_its_prompt_from_a_guider() -> None:
    """No negative one; noise has a seed of its own."""
    graph = {
        "6": node("CLIPTextEncode", text="a lake", clip=["11", 0]),
        "13": node("SamplerCustomAdvanced", noise=["25", 0], guider=["22", 0]),
        "17": node("BasicScheduler", scheduler="simple", steps=20, denoise=1.0),
        "22": node("BasicGuider", conditioning=["26", 0]),
        "25": node("RandomNoise", noise_seed=7),
        "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]),
        "27": node("EmptySD3LatentImage", width=1024, height=768, batch_size=1),
    }
    assert derived(graph) == {
        "prompt": (("6.text",), None),
        "width": (("27.width",), 1024),
        "height": (("27.height",), 768),
        "images": (("27.batch_size",), 1),
        "steps": (("17.steps",), 20),
        "guidance": (("26.guidance",), 3.5),
        "seed": (("25.noise_seed",), None),
    }


def test_a_text_that_serves_both_is_a_prompt() -> None:
    """Where the negative conditioning is the positive one, zeroed out."""
    graph = {
        "1": node("CLIPTextEncode", text="a lake"),
        "2": node("ConditioningZeroOut", conditioning=["1", 0]),
        "3": node("KSampler", positive=["1", 0], negative=["2", 0]),
    }
    assert derived(graph) == {"prompt": (("1.text",), None)}


def test_two_passes_share_what_is_the_same() -> None:
    """All seeds are one; other values that differ get names of their own, and the node's title."""
    graph = {
        "1": node("CLIPTextEncodeSDXL", text_g="a lake", text_l="a lake"),
        "3": node("KSampler", positive=["1", 0], seed=1, steps=20, cfg=7),
        "10": node("KSampler", "Second pass", positive=["1", 0], seed=2, steps=12, cfg=7, denoise=0.5),
    }
    assert derived(graph) == {
        "prompt": (("1.text_g", "1.text_l"), None),
        "steps": (("3.steps",), 20),
        "steps_10": (("10.steps",), 12),
        "guidance": (("3.cfg", "10.cfg"), 7),
        "strength": (("10.denoise",), 0.5),
        "seed": (("3.seed", "10.seed"), None),
    }
    assert derive(Task.PIPELINE, graph)["steps_10"].title == "Steps (Second pass)"


def test_links_in_a_circle_end() -> None:
    """No valid workflow has them, but files are hostile."""
    graph = {
        "1": node("ConditioningCombine", conditioning_1=["2", 0]),
        "2": node("ConditioningCombine", conditioning_1=["1", 0], text="a"),
        "3": node("KSampler", positive=["1", 0]),
    }
    assert derived(graph) == {"prompt": (("2.text",), None)}


@pytest.mark.parametrize(
    ("task", "request_", "places"),
    [
        ("text-to-image", {"steps": 20, "seed": -1}, {"prompt": "prompt", "steps": "steps", "seed": "seed"}),
        (
            "image-to-image",
            {"prompt": "", "init_images": [], "denoising_strength": 0.5, "mask": "x", "restore_faces": True},
            {"prompt": "prompt", "image": "init_images.0", "mask": "mask", "strength": "denoising_strength"},
        ),
        ("extra-single-image", {"image": "", "upscaling_resize": 2}, {"image": "image"}),
    ],
)
def test_fields_of_the_webui(task: str, request_: dict[str, Any], places: dict[str, str]) -> None:
    """Those that the request has, and the prompt and picture that every such request needs."""
    found = derive(Task(task), request_)
    assert {name: place for name, one in found.items() for place in one.at} == places


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
_LINKS = st.tuples(st.sampled_from("123"), st.integers(0, 2)).map(list)
_INPUTS = st.dictionaries(
    st.sampled_from(
        [
            "positive",
            "negative",
            "conditioning",
            "text",
            "steps",
            "seed",
            "cfg",
            "denoise",
            "image",
            "ckpt_name",
            "width",
        ]
    ),
    _VALUES | _LINKS,
)
_KINDS = st.sampled_from(["KSampler", "CLIPTextEncode", "LoadImage", "EmptyLatentImage", "BasicGuider", "Odd.Node"])
_GRAPHS = st.dictionaries(
    st.sampled_from("123"), st.fixed_dictionaries({"class_type": _KINDS, "inputs": _INPUTS}), min_size=1
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the first draw looks for constants
@given(_GRAPHS)
def test_what_is_derived_can_be_put_up(graph: dict[str, Any]) -> None:
    """Of any graph: the workflow is valid, and filled with nothing but what is required it runs."""
    parameters = derive(Task.PIPELINE, graph)
    value = {"name": "w", "runtime": "c", "task": "pipeline", "input": graph}
    named = decode_workflow(json.loads(json.dumps({**value, "parameters": msgspec.to_builtins(parameters)})))
    samples = {"string": "a", "image": "s3://b/k"}
    fill(named, {name: samples[one.type] for name, one in parameters.items() if one.required})


def test_the_examples_are_what_is_derived_of_them() -> None:
    """Places of the parameters that ship are found by themselves."""
    for file in sorted((Path(__file__).parents[2] / "examples" / "workflows").glob("*.json")):
        named = decode_workflow(json.loads(file.read_text()))
        found = {place for one in derive(named.task, named.input, DEFINITIONS).values() for place in one.at}
        assert {place for one in named.parameters.values() for place in one.at} <= found, file.name


def test_an_openai_request() -> None:
    """Its fields are offered under the same names as others'; images stand in `image`."""
    body = {"prompt": "a", "size": "768x512", "n": 2, "num_inference_steps": 8, "guidance_scale": 3.5, "model": "flux"}
    made = derive(Task.TEXT_TO_IMAGE, body)
    assert {name: one.at for name, one in made.items()} == {
        "prompt": ("prompt",),
        "size": ("size",),
        "images": ("n",),
        "steps": ("num_inference_steps",),
        "guidance": ("guidance_scale",),
    }
    for image, place in (("s3://a/b.png", "image"), (["s3://a/b.png"], "image.0")):
        assert derive(Task.IMAGE_TO_IMAGE, {"prompt": "a", "image": image})["image"].at == (place,)
