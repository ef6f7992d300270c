"""Named workflows and the predecessor's formats at the API."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from darkroom_api.jobs import answer
from darkroom_contract.job import Task
from tests.unit.api_world import ApiWorld, api_world

PORTRAIT: dict[str, Any] = {
    "name": "portrait",
    "title": "Portrait",
    "runtime": "webui",
    "task": "text-to-image",
    "input": {"prompt": "", "steps": 20, "seed": -1},
    "parameters": {
        "prompt": {"type": "string", "at": ["prompt"], "required": True},
        "seed": {"type": "integer", "at": ["seed"], "seed": True},
    },
}


@pytest.fixture(scope="module")
def api() -> Iterator[ApiWorld]:
    with api_world() as world:
        for name, text in (("portrait", json.dumps(PORTRAIT)), ("broken", "{")):
            world.clients.s3.put_object(Bucket="models", Key=f"workflows/{name}.json", Body=text.encode())
        yield world


def test_workflows_are_listed_and_told(api: ApiWorld) -> None:
    """One that is broken is left out; each comes with the schema of its parameters."""
    short = {"name": "portrait", "title": "Portrait", "description": "", "runtime": "webui", "task": "text-to-image"}
    assert api.call("GET", "/v1/workflows").body == {"workflows": [short]}
    whole = api.call("GET", "/v1/workflows/portrait").body
    jsonschema.Draft202012Validator.check_schema(whole["schema"])
    assert whole["parameters"]["prompt"] == PORTRAIT["parameters"]["prompt"]
    for name in ("broken", "never", "..%2Fx", "a" * 200):
        assert api.call("GET", f"/v1/workflows/{name}").status == 404


def test_names_that_do_not_exist_are_not_kept(api: ApiWorld) -> None:
    """Or whoever asks for made-up names would fill the function's memory."""
    for n in range(20):
        assert api.call("GET", f"/v1/workflows/made-up-{n}").status == 404
    assert not [name for name in api.door.workflows._known if name.startswith("made-up")]


def test_a_call_of_a_workflow_becomes_its_job(api: ApiWorld) -> None:
    """Runtime, task and request are the workflow's; the seed is the job's own, the same when it is sent again."""
    body = {"id": "face-1", "workflow": "portrait", "params": {"prompt": "an old sailor"}, "priority": "bulk"}
    assert api.call("POST", "/v1/jobs", body).status == 202
    assert api.call("POST", "/v1/jobs", body).status == 202
    (job,) = api.heard()
    assert (job.runtime, job.task, job.input["prompt"]) == ("webui", Task.TEXT_TO_IMAGE, "an old sailor")
    assert job.input["seed"] >= 0
    api.call("POST", "/v1/jobs", {**body, "id": "face-2"})
    assert api.heard()[0].input["seed"] != job.input["seed"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"workflow": "never"}, "#/workflow"),
        ({"workflow": 3}, "#/workflow"),
        ({"params": []}, "#/params"),
        ({"params": {}}, "#/params/prompt"),
        ({"params": {"prompt": 3}}, "#/params/prompt"),
        ({"params": {"prompt": "a", "x": 3}}, "#/params/x"),
        ({"runtime": "webui"}, "#/runtime"),
        ({"input": {}}, "#/input"),
    ],
)
def test_a_wrong_call_of_a_workflow(api: ApiWorld, change: dict[str, Any], pointer: str) -> None:
    """422, with a pointer to the parameter."""
    said = api.call("POST", "/v1/jobs", {"workflow": "portrait", "params": {"prompt": "a"}, **change})
    assert (said.status, said.body["errors"][0]["pointer"]) == (422, pointer)
    assert api.heard() == []


@pytest.mark.parametrize(("task", "runtime"), [("text-to-image", "webui"), ("pipeline", "comfy")])
def test_v1alpha2_as_the_predecessor_answers(api: ApiWorld, task: str, runtime: str) -> None:
    """Its body, its answer, id as it came; a pipeline is taken, too (the predecessor answers 400)."""
    content = {"prompt": "a dog"} if task != "pipeline" else {"9": {"class_type": "SaveImage", "inputs": {}}}
    number = 1 if task == "pipeline" else 2
    metadata = {"id": number, "runtime": runtime, "tasktype": task, "prefix": "output", "context": {"a": 1}}
    said = api.call(
        "POST", "/v1alpha2", {"task": {"metadata": metadata, "content": content}}, headers={"Content-Type": ""}
    )
    assert said.status == 200
    location = f"s3://outputs/output/{number}"
    assert said.body == {"id": number, "runtime": runtime, "output_location": location}
    (job,) = api.heard()
    assert (job.id, job.task, job.prefix, job.context) == (str(number), task, "output", {"a": 1})


@pytest.mark.parametrize(("number", "bare"), [("35658", True), ("35659", False)])
def test_v1alpha1_as_the_predecessor_answers(api: ApiWorld, number: str, bare: bool) -> None:
    """Routed by its checkpoint, to the runtime that lists it; bare, or inside `task` as its earlier versions had it."""
    scripts = {
        "task": "text-to-image",
        "sd_model_checkpoint": "sharp.safetensors",
        "id_task": number,
        "save_dir": "out",
    }
    task = {"alwayson_scripts": scripts, "prompt": "a dog", "steps": 16}
    said = api.call("POST", "/v1alpha1", task if bare else {"task": task})
    assert said.status == 200
    assert said.body == {
        "id_task": number,
        "sd_model_checkpoint": "sharp.safetensors",
        "output_location": f"s3://outputs/out/{number}",
    }
    (job,) = api.heard()
    assert (job.runtime, job.input["override_settings"]) == ("webui", {"sd_model_checkpoint": "sharp.safetensors"})


def test_other_sites_pages_may_call_where_allowed(api: ApiWorld) -> None:
    """CORS as configured, on answers and on refusals; a foreign site gets nothing."""
    allowed = api.call("OPTIONS", "/v1/jobs", headers={"Origin": "https://studio.example"})
    assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (204, "https://studio.example")
    refused = api.call("GET", "/v1/jobs/x", headers={"Origin": "https://studio.example"})
    assert refused.headers["Access-Control-Allow-Origin"] == "https://studio.example"
    foreign = api.call("OPTIONS", "/v1/jobs", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_the_page_is_served(api: ApiWorld) -> None:
    """With a policy that lets pictures come from the bucket alone, an ETag that saves bytes, and its last slash."""
    page = answer(api.door, {"path": "/", "httpMethod": "GET", "requestContext": {"path": "/prod/"}})
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"img-src 'self' blob: data: {api.aws.url};" in page.headers["Content-Security-Policy"]
    assert page.event()["headers"]["Cache-Control"] == "no-cache"
    again = {"path": "/", "httpMethod": "GET", "headers": {"If-None-Match": page.headers["ETag"]}}
    assert answer(api.door, again).status == 304
    bare = answer(api.door, {"path": "/", "httpMethod": "GET", "requestContext": {"path": "/prod"}})
    assert (bare.status, bare.headers["Location"]) == (308, "/prod/")
    assert api.call("GET", "/assets/..%2Fjobs.py").status == 404


def test_the_contract_is_served(api: ApiWorld) -> None:
    """OpenAPI 3.1, from the one source."""
    assert api.call("GET", "/v1/openapi.json").body["openapi"] == "3.1.0"
