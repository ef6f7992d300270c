"""`darkroom workflow` against the real API on a stand-in: put up, listed, shown, run, removed."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from darkroom_cli import main, terminal
from darkroom_cli.client import Client
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_cli.workflow_store import WorkflowStore
from darkroom_contract.workflow import decode_workflow
from darkroom_local.jobs import workflow
from darkroom_simulator.comfyui_nodes import NODES, object_info
from tests.unit.api_world import ApiWorld, api_world
from tests.unit.cli_world import api_transport

type Run = Callable[..., Any]
EXAMPLES = Path(__file__).parents[2] / "examples" / "workflows"


@pytest.fixture
def api() -> Iterator[ApiWorld]:
    with api_world() as world:
        yield world


@pytest.fixture
def run(api: ApiWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `darkroom workflow …`; its stdout. A failure of ours is raised as it would end the process."""
    monkeypatch.setattr(terminal, "Client", partial(Client, transport=api_transport(api, [])))
    monkeypatch.setenv("DARKROOM_ENDPOINT", "http://api")
    monkeypatch.setenv("DARKROOM_MODELS_BUCKET", "models")
    monkeypatch.setenv("DARKROOM_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str, status: int = 0, answers: str | None = None) -> str:
        result = CliRunner().invoke(main.app, ["workflow", *arguments], input=answers)
        if isinstance(result.exception, DarkroomError):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    return command


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """A ComfyUI workflow in API format, in a file."""
    (tmp_path / "My Graph.json").write_text(json.dumps(workflow("a lighthouse", 11)))
    return str(tmp_path / "My Graph.json")


def stored(api: ApiWorld, name: str) -> dict[str, Any]:
    """A workflow as it lies in the bucket."""
    value: dict[str, Any] = json.loads(
        api.clients.s3.get_object(Bucket="models", Key=f"workflows/{name}.json")["Body"].read()
    )
    return value


def test_what_is_put_up_can_be_run(run: Run, api: ApiWorld) -> None:
    """From the file to the job that is published, through list and show."""
    run("add", str(EXAMPLES / "portrait.json"), "--runtime", "webui")
    assert [json.loads(line)["name"] for line in run("list", "--json").splitlines()] == ["portrait"]
    assert "One face in soft light" in run("list")
    shown = run("show", "portrait")
    assert "0 … 4294967295" in shown
    assert "Whom to show" in shown
    assert json.loads(run("show", "portrait", "--json"))["schema"]["required"] == ["prompt"]
    told = json.loads(run("run", "portrait", "prompt=42", "--param", "steps=30", "--id", "mine", "--json"))
    assert told["id"] == "mine"
    (job,) = api.heard()
    assert (job.id, job.runtime, job.input["prompt"], job.input["steps"]) == ("mine", "webui", "42", 30)


def test_an_image_of_yours_is_uploaded(run: Run, api: ApiWorld, tmp_path: Path) -> None:
    """Where the parameter is one; addresses go as they are."""
    run("add", str(EXAMPLES / "restyle.json"), "--runtime", "webui")
    (tmp_path / "me.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    run("run", "restyle", "prompt=in oil", f"image={tmp_path / 'me.png'}")
    run("run", "restyle", "prompt=in oil", "image=https://pictures.example/me.png")
    first, second = sorted(job.input["init_images"][0] for job in api.heard())
    assert first == "https://pictures.example/me.png"
    assert second.startswith("s3://outputs/inputs/")


def test_a_graph_is_put_up_with_parameters_derived(run: Run, api: ApiWorld, graph: str, tmp_path: Path) -> None:
    """Its name is the file's; the file for version control has the same bytes."""
    out = tmp_path / "named.json"
    run("add", graph, "--runtime", "comfy", "--yes", "--title", "Mine", "--out", str(out))
    named = decode_workflow(stored(api, "my-graph"))
    assert (named.title, named.runtime, named.parameters["prompt"].at) == ("Mine", "comfy", ("6.text",))
    assert json.loads(out.read_text()) == stored(api, "my-graph")
    run("run", "my-graph", "prompt=a lake", "seed=7")
    (job,) = api.heard()
    assert (job.input["6"]["inputs"]["text"], job.input["3"]["inputs"]["seed"]) == ("a lake", 7)


def test_the_parameters_are_asked_for(run: Run, api: ApiWorld, graph: str) -> None:
    """Enter takes one, a name renames it, - leaves it out; a bad or a taken name is asked for again."""
    answers = ["comfy", "words", "-", "Wide!", "words", "wide", "-", "-", "", "-", ""]
    # runtime, prompt, negative, width (twice wrong), height, images, steps, guidance, seed
    run("add", graph, answers="\n".join([*answers, ""]))
    named = decode_workflow(stored(api, "my-graph"))
    assert {name: one.at for name, one in named.parameters.items()} == {
        "words": ("6.text",),
        "wide": ("5.width",),
        "steps": ("3.steps",),
        "seed": ("3.seed",),
    }


def test_a_dry_run_prints_and_puts_nothing_up(run: Run, api: ApiWorld, graph: str) -> None:
    """What it prints can be added."""
    printed = run("add", graph, "--runtime", "comfy", "--dry-run")
    assert decode_workflow(json.loads(printed)).name == "my-graph"
    assert run("list", "--json") == ""


def test_another_is_replaced_only_if_wanted(run: Run, api: ApiWorld) -> None:
    """The same again asks nothing."""
    example = str(EXAMPLES / "portrait.json")
    run("add", example, "--runtime", "webui")
    run("add", example, "--runtime", "webui")
    run("add", example, "--runtime", "webui", "--title", "Other", answers="n\n", status=1)
    assert stored(api, "portrait")["title"] == "Portrait"
    run("add", example, "--runtime", "webui", "--title", "Other", answers="y\n")
    assert stored(api, "portrait")["title"] == "Other"


def test_what_someone_else_wrote_meanwhile_stays(api: ApiWorld) -> None:
    """The write holds only for what was read."""
    store = WorkflowStore(api.clients.s3, "models")
    store.write("w", b"1", None)
    read = store.read("w")
    store.write("w", b"2", read)
    for over in (read, None):
        with pytest.raises(Refused, match="w was changed by someone else meanwhile"):
            store.write("w", b"3", over)
    found = store.read("w")
    assert found is not None
    assert found.data == b"2"
    store.remove("w")
    with pytest.raises(Refused, match="w was changed by someone else meanwhile"):
        store.write("w", b"3", found)


def test_a_runtimes_definitions_are_kept_to(run: Run, api: ApiWorld, graph: str, tmp_path: Path) -> None:
    """Every mistake is told, each with its node; nothing is put up."""
    info = tmp_path / "info.json"
    info.write_text(
        json.dumps({name: object_info(name, ["sharp.safetensors"]) for name in NODES if name != "ImageInvert"})
    )
    with pytest.raises(Refused) as caught:
        run("add", graph, "--runtime", "comfy", "--yes", "--object-info", str(info))
    assert "node 10 (ImageInvert): the runtime has no such node" in str(caught.value)
    assert '"dreamy.safetensors" is not there (there are "sharp.safetensors")' in str(caught.value)
    assert run("list", "--json") == ""


def test_definitions_come_from_a_comfyui_that_runs(run: Run, graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their address may be the server's; one that is none is said."""
    info = {name: object_info(name, ["dreamy.safetensors"]) for name in NODES}
    answers = {
        "http://comfy.example:8188/object_info": httpx.Response(200, json=info),
        "http://other.example/object_info": httpx.Response(200, text="<html>"),
        "http://gone.example/object_info": httpx.Response(502),
    }

    def get(url: str, **_: Any) -> httpx.Response:
        answers[url].request = httpx.Request("GET", url)
        return answers[url]

    monkeypatch.setattr(httpx, "get", get)
    add = ("add", graph, "--runtime", "comfy", "--dry-run", "--object-info")
    found = json.loads(run(*add, "http://comfy.example:8188/"))
    assert found["parameters"]["checkpoint"]["choices"] == ["dreamy.safetensors"]
    with pytest.raises(Refused, match="is it a ComfyUI"):
        run(*add, "http://other.example/object_info")
    with pytest.raises(NotReachable, match="502"):
        run(*add, "http://gone.example")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"nodes": [], "links": []}, "Workflow > Export"),
        ({"1": {"class_type": "A", "inputs": {"x": ["9", 0]}}}, "a link to a node of this workflow"),
        ({"steps": 5000}, r"\$.input.steps"),
        ([], "a workflow is a JSON object"),
        ({"task": "dance", "input": {"prompt": ""}}, "task: expected one of text-to-image"),
        (
            {
                "name": "w",
                "task": "pipeline",
                "input": {"1": {"class_type": "A", "inputs": {"text": ""}}},
                "parameters": {"prompt": {"type": "string", "at": ["1.txt"]}},
            },
            r"node 1 has no input txt \(known: text\)",
        ),
    ],
)
def test_a_wrong_file_is_refused(run: Run, tmp_path: Path, content: Any, reason: str) -> None:
    """Before anything is put up, with the place."""
    (tmp_path / "w.json").write_text(json.dumps(content))
    with pytest.raises(Refused, match=reason):
        run("add", str(tmp_path / "w.json"), "--runtime", "webui", "--yes")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("prompt",), "prompt: write it as name=value; the parameters are prompt"),
        (("stesp=3",), "stesp=3: write it as name=value"),
        (("prompt=a", "steps=many"), r"\$.params.steps: expected integer 1 … 60, got \"many\""),
        ((), r"\$.params.prompt: expected string of ≤ 2000 characters, got nothing"),
    ],
)
def test_wrong_parameters_are_told(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    """By their names."""
    run("add", str(EXAMPLES / "portrait.json"), "--runtime", "webui")
    with pytest.raises(Refused, match=reason):
        run("run", "portrait", *arguments)


def test_without_a_runtime_nothing_can_be_put_up(run: Run, graph: str) -> None:
    """Who says --yes cannot be asked."""
    with pytest.raises(Refused, match="Give --runtime"):
        run("add", graph, "--yes")


def test_a_workflow_is_removed(run: Run, api: ApiWorld) -> None:
    """After asking; one that is not there is said."""
    run("add", str(EXAMPLES / "portrait.json"), "--runtime", "webui")
    run("remove", "portrait", answers="n\n", status=1)
    assert stored(api, "portrait")["name"] == "portrait"
    run("remove", "portrait", "--yes")
    for act in (("remove", "portrait", "--yes"), ("show", "nobody"), ("run", "nobody")):
        with pytest.raises(NotFound):
            run(*act)


def test_parameters_are_derived_anew_if_wanted(run: Run, api: ApiWorld) -> None:
    """Of a named workflow, too; what else it says stays."""
    run("add", str(EXAMPLES / "landscape.json"), "--runtime", "comfy", "--derive", "--yes", "--name", "wide")
    named = decode_workflow(stored(api, "wide"))
    assert (named.title, named.runtime, named.parameters["width"].at) == ("Landscape", "comfy", ("5.width",))


def test_a_workflow_of_an_openai_runtime(run: Run, api: ApiWorld, tmp_path: Path) -> None:
    """Put up of a bare request, checked as one of that API, and run with a picture of yours."""
    file = tmp_path / "edit.json"
    file.write_text(json.dumps({"prompt": "in fog", "image": ["s3://outputs/a.png"], "n": 1}))
    run("add", str(file), "--runtime", "flux", "--yes")
    assert stored(api, "edit")["task"] == "image-to-image"
    (tmp_path / "me.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    run("run", "edit", "prompt=in oil", f"image={tmp_path / 'me.png'}")
    (job,) = api.heard()
    assert job.input["image"][0].startswith("s3://outputs/inputs/")
    file.write_text(json.dumps({"prompt": "x", "image": "s3://outputs/a.png", "size": "huge"}))
    with pytest.raises(Refused, match=r"\$\.input\.size"):
        run("add", str(file), "--runtime", "flux", "--yes")
