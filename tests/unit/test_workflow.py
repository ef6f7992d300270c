"""Named workflows: parameters reach their places, and only what may be there."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_contract.decode import ContractError
from darkroom_contract.workflow import Workflow, decode_workflow, fill, schema_of

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "workflows").glob("*.json"))


def _workflow(**parameters: Any) -> dict[str, Any]:
    body = {"prompt": "", "steps": 20, "init_images": [], "script": {"args": [{}]}}
    return {"name": "w", "runtime": "webui", "task": "text-to-image", "input": body, "parameters": parameters}


def _filled(params: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return fill(decode_workflow(_workflow(**parameters)), params)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_can_be_filled(file: Path) -> None:
    """Each ships with a valid schema, and required parameters are enough."""
    workflow = decode_workflow(json.loads(file.read_text()))
    assert workflow.name == file.stem
    schema = schema_of(workflow)
    jsonschema.Draft202012Validator.check_schema(schema)
    params = {
        name: "s3://b/k.png" if workflow.parameters[name].type == "image" else "a lake" for name in schema["required"]
    }
    jsonschema.validate(params, schema)
    assert fill(workflow, params) != workflow.input


def test_values_reach_their_places() -> None:
    """Dotted paths, ends of lists, several places for one value; the workflow itself stays as it was."""
    raw = _workflow(
        prompt={"type": "string", "at": ["prompt", "script.args.0.text"]},
        image={"type": "image", "at": ["init_images.0"]},
    )
    workflow = decode_workflow(raw)
    filled = fill(workflow, {"prompt": "a lake", "image": "s3://b/k"})
    assert (filled["prompt"], filled["script"]) == ("a lake", {"args": [{"text": "a lake"}]})
    assert filled["init_images"] == ["s3://b/k"]
    assert workflow.input["init_images"] == []
    assert fill(workflow, {})["prompt"] == ""


def test_a_comfyui_place_is_a_nodes_input() -> None:
    """`6.text` is the input `text` of node 6, in a bare graph and in a whole request."""
    graph = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}}}
    for body in (graph, {"prompt": graph}):
        raw = {"name": "w", "runtime": "c", "task": "pipeline", "input": body}
        workflow = decode_workflow({**raw, "parameters": {"prompt": {"type": "string", "at": ["6.text"]}}})
        filled = fill(workflow, {"prompt": "a lake"})
        assert filled.get("prompt", filled)["6"]["inputs"] == {"text": "a lake"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stesp": 3}, "$.params.stesp: expected no such parameter (known: steps, kind, flag, image, words), got 3"),
        ({"steps": 0}, "$.params.steps: expected integer 1 … 60, got 0"),
        ({"steps": True}, "$.params.steps: expected integer 1 … 60, got true"),
        ({"steps": 1.5}, "$.params.steps: expected integer 1 … 60, got 1.5"),
        ({"steps": "20"}, '$.params.steps: expected integer 1 … 60, got "20"'),
        ({"kind": "c"}, '$.params.kind: expected one of "a", "b", got "c"'),
        ({"flag": 1}, "$.params.flag: expected true or false, got 1"),
        ({"image": "file:///etc/passwd"}, "$.params.image: expected an image's address"),
        ({"words": "abcdef"}, "$.params.words: expected string of ≤ 5 characters, got 6 characters"),
        ({"words": None}, "$.params.words: expected string of ≤ 5 characters, got nothing"),
        ({}, "$.params.words: expected string of ≤ 5 characters, got nothing"),
    ],
)
def test_a_parameter_that_may_not_be(params: dict[str, Any], message: str) -> None:
    """The message names the parameter and what it may be."""
    with pytest.raises(ContractError) as caught:
        _filled(
            {"words": "abc", **params} if params else {},
            steps={"type": "integer", "at": ["steps"], "minimum": 1, "maximum": 60},
            kind={"type": "string", "at": ["kind"], "choices": ["a", "b"]},
            flag={"type": "boolean", "at": ["flag"]},
            image={"type": "image", "at": ["init_images.0"]},
            words={"type": "string", "at": ["prompt"], "max_length": 5, "required": True},
        )
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"type": "text", "at": ["prompt"]}, "$.parameters.p.type: expected one of"),
        ({"type": "string", "at": []}, "$.parameters.p.at: expected array"),
        ({"type": "string", "at": ["script.args.9.x"]}, "$.parameters.p.at[0]: expected a place in `input`"),
        ({"type": "string", "at": ["prompt.deep"]}, "$.parameters.p.at[0]: expected a place in `input`"),
        ({"type": "integer", "at": ["steps"], "default": "x"}, "$.parameters.p.default: expected integer"),
        ({"type": "integer", "at": ["steps"], "choices": ["x"]}, "$.parameters.p.choices[0]: expected one of"),
        ({"type": "string", "at": ["prompt"], "seed": True}, '$.parameters.p.type: expected "integer" for a seed'),
        (
            {"type": "number", "at": ["steps"], "minimum": 3, "maximum": 2},
            "$.parameters.p.minimum: expected a number ≤",
        ),
        ({"type": "string", "at": ["prompt"], "bounds": 3}, "$.parameters.p.bounds: expected no such field"),
    ],
)
def test_a_workflow_that_could_not_be_filled(parameter: dict[str, Any], message: str) -> None:
    """It is refused when it is put up, not when it is called."""
    with pytest.raises(ContractError) as caught:
        decode_workflow(_workflow(p=parameter))
    assert str(caught.value).startswith(message)


@given(
    st.dictionaries(
        st.sampled_from(["steps", "words", "other"]), st.none() | st.booleans() | st.integers() | st.text("ab é")
    )
)
def test_fill_and_the_schema_agree(params: dict[str, Any]) -> None:
    """Whatever a caller sends: what the schema takes can be filled, and what it refuses cannot (null is left out)."""
    workflow: Workflow = decode_workflow(
        _workflow(
            steps={"type": "integer", "at": ["steps"], "minimum": 1, "maximum": 60},
            words={"type": "string", "at": ["prompt"], "max_length": 5, "required": True},
        )
    )
    said = {name: value for name, value in params.items() if value is not None}
    valid = jsonschema.Draft202012Validator(schema_of(workflow)).is_valid(said)
    try:
        fill(workflow, said)
    except ContractError:
        assert not valid
    else:
        assert valid
