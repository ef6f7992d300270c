"""ComfyUI's node definitions say what a workflow breaks, before anything is put up."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_cli.failures import Refused
from darkroom_cli.node_definitions import findings, parameter_findings, read_definitions
from darkroom_contract.workflow import Parameter
from darkroom_local.jobs import workflow
from darkroom_simulator.comfyui_nodes import NODES, object_info

DEFINITIONS = read_definitions({name: object_info(name, ["dreamy.safetensors"]) for name in NODES})
RECORDED = Path(__file__).parents[1] / "contract" / "recorded" / "comfyui"


def broken(node_id: str, **inputs: Any) -> list[str]:
    """What is found in the ordinary workflow with these inputs; None takes one away."""
    graph = workflow("a lighthouse", 11)
    graph[node_id]["inputs"] = {
        name: value for name, value in {**graph[node_id]["inputs"], **inputs}.items() if value is not None
    }
    return list(findings(graph, DEFINITIONS))


def test_an_ordinary_workflow_has_none() -> None:
    """Images of one machine are not asked of another."""
    assert broken("3") == []
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": "mine.png"}}}
    assert list(findings(graph, DEFINITIONS)) == []


@pytest.mark.parametrize(
    ("node_id", "inputs", "message"),
    [
        ("3", {"steps": 20_000}, "node 3 (KSampler), steps: expected ≤ 10000, got 20000"),
        ("3", {"seed": -1}, "node 3 (KSampler), seed: expected ≥ 0, got -1"),
        ("3", {"cfg": "high"}, 'node 3 (KSampler), cfg: expected a number, got "high"'),
        ("3", {"sampler_name": "dpm++"}, 'node 3 (KSampler), sampler_name: "dpm++" is not there (there are "euler"'),
        ("4", {"ckpt_name": "x"}, '"x" is not there (there are "dreamy.safetensors")'),
        ("3", {"positive": None}, "node 3 (KSampler): its input positive is missing"),
        ("3", {"positive": "text"}, 'node 3 (KSampler), positive: expected a link to CONDITIONING, got "text"'),
        ("3", {"positive": ["4", 0]}, "positive: expected CONDITIONING, but output 0 of node 4 is MODEL"),
        ("8", {"vae": ["4", 3]}, "node 8 (VAEDecode), vae: node 4 has no output 3"),
    ],
)
def test_what_the_runtime_would_refuse(node_id: str, inputs: dict[str, Any], message: str) -> None:
    """With node, class and input."""
    (found,) = broken(node_id, **inputs)
    assert message in found


def test_an_unknown_node_is_told_once() -> None:
    """What is linked to it is not judged."""
    graph = workflow("a lighthouse", 11)
    graph["8"]["class_type"] = "FancyDecode"
    assert list(findings(graph, DEFINITIONS)) == [
        "node 8 (FancyDecode): the runtime has no such node; is its extension installed?"
    ]


def test_parameters_stay_within_the_definitions() -> None:
    """Choices, bounds and defaults that the runtime would refuse one day."""
    graph = workflow("a lighthouse", 11)
    wrong = {
        "steps": Parameter(type="integer", at=("3.steps",), maximum=20_000),
        "sampler": Parameter(type="string", at=("3.sampler_name",), choices=("euler", "fancy")),
        "prompt": Parameter(type="string", at=("6.text",), required=True),
    }
    assert [line.partition(" (")[0] for line in parameter_findings(wrong, graph, DEFINITIONS)] == [
        "parameter steps at 3.steps: expected ≤ 10000, got 20000",
        'parameter sampler at 3.sampler_name: "fancy" is not there',
    ]


def test_recorded_definitions_are_read() -> None:
    """As a real server tells them."""
    value = json.loads((RECORDED / "get_object_info_KSampler.json").read_text())["body"]
    sampler = read_definitions(value)["KSampler"]
    assert (sampler.inputs["steps"].minimum, sampler.inputs["steps"].maximum) == (1, 10_000)
    assert "euler" in (sampler.inputs["sampler_name"].choices or ())
    assert (sampler.inputs["model"].kind, sampler.outputs) == ("MODEL", ("LATENT",))
    assert "model" in sampler.required


def test_newer_forms_are_read() -> None:
    """COMBO with options; types that are sets; inputs that grow."""
    inputs = {"mode": ["COMBO", {"options": ["a", "b"]}], "more": ["COMFY_AUTOGROW_V3", {}], "any": ["IMAGE,MASK", {}]}
    definitions = read_definitions(
        {
            "New": {"input": {"required": inputs}, "output": []},
            "Mask": {"input": {"required": {}}, "output": ["MASK"]},
        }
    )
    graph = {
        "1": {"class_type": "New", "inputs": {"mode": "c", "any": ["2", 0]}},
        "2": {"class_type": "Mask", "inputs": {}},
    }
    assert list(findings(graph, definitions)) == ['node 1 (New), mode: "c" is not there (there are "a", "b")']


@pytest.mark.parametrize("value", [[], {"a": 3}, {"nodes": []}, {"1": {"class_type": "A", "inputs": {}}}])
def test_what_are_no_definitions_is_refused(value: Any) -> None:
    """A workflow, for example."""
    with pytest.raises(Refused, match="these are no node definitions"):
        read_definitions(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["min", "options", "a"]), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["required", "optional"]), st.dictionaries(st.sampled_from(["steps", "cfg"]), _JSON)
    )
)
def test_any_inputs_are_read(inputs: dict[str, Any]) -> None:
    """An extension's odd definition does not stop the check of the others."""
    definitions = read_definitions({"KSampler": {"input": inputs}})
    list(findings(workflow("a lighthouse", 11), {**DEFINITIONS, **definitions}))
