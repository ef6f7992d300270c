"""`darkroom submit` against the real API: what it sends, uploads, prints, and its exit statuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom_cli.failures import NotFound, NotReachable, Refused
from darkroom_contract.job import Format, Priority
from tests.unit.cli_world import PICTURE, CliWorld, cli_world

GRAPH = {
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "x"}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
}
RESTYLE = {
    "name": "restyle",
    "runtime": "webui",
    "task": "image-to-image",
    "input": {"prompt": "", "init_images": []},
    "parameters": {
        "picture": {"type": "image", "at": ["init_images.0"], "required": True},
        "prompt": {"type": "string", "at": ["prompt"]},
        "steps": {"type": "integer", "at": ["steps"]},
        "strength": {"type": "number", "at": ["denoising_strength"]},
        "hires": {"type": "boolean", "at": ["enable_hr"]},
    },
}


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        Path("lake.png").write_bytes(PICTURE)
        world.api.clients.s3.put_object(Bucket="models", Key="workflows/restyle.json", Body=json.dumps(RESTYLE))
        yield world


def _stored(cli: CliWorld, url: str) -> bytes:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return cli.api.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_prompt_is_submitted(cli: CliWorld) -> None:
    """The id is printed; flags are the WebUI's fields, `--set` any other, numbers where they are numbers."""
    job_id = cli.run("submit", "--runtime", "webui", "--prompt", "42", "--steps", "30", "--set", "hr_scale=2").strip()
    (job,) = cli.api.heard()
    assert (job.id, job.task, job.input) == (job_id, "text-to-image", {"prompt": "42", "steps": 30, "hr_scale": 2})


def test_flags_are_written_as_an_openai_runtime_takes_them(cli: CliWorld) -> None:
    """Its type is asked for only where it matters; images go into `image`, uploaded."""
    cli.run("submit", "--runtime", "flux", "--prompt", "a", "--seed", "7")
    assert "GET /v1/runtimes" not in cli.calls
    size = ["--width", "768", "--height", "512"]
    cli.run("submit", "--runtime", "flux", "--prompt", "a", "--count", "2", "--steps", "8", "--cfg", "3.5", *size)
    cli.run("submit", "--runtime", "flux", "--prompt", "in fog", "--image", "lake.png", "--image", "lake.png")
    jobs = {job.input["prompt"] + job.task + str(len(job.input)): job for job in cli.api.heard()}
    assert jobs["atext-to-image2"].input == {"prompt": "a", "seed": 7}
    asked = {"n": 2, "num_inference_steps": 8, "guidance_scale": 3.5, "size": "768x512"}
    assert jobs["atext-to-image5"].input == {"prompt": "a", **asked}
    images = jobs["in fogimage-to-image2"].input["image"]
    assert [_stored(cli, url) for url in images] == [PICTURE] * 2


def test_flags_beside_a_file_are_written_as_its_runtime_takes_them(cli: CliWorld) -> None:
    """For each request of a stream by its own runtime; the types are asked for once."""
    lines = [
        json.dumps({"id": name, "runtime": name, "task": "image-to-image", "input": {"prompt": "a"}})
        for name in ("flux", "webui")
    ]
    flags = ["--count", "2", "--steps", "8", "--width", "768", "--height", "512", "--image", "lake.png"]
    cli.run("submit", "-", *flags, stdin="\n".join(lines))
    jobs = {job.id: job.input for job in cli.api.heard()}
    (image,) = jobs["flux"].pop("image")
    assert _stored(cli, image) == PICTURE
    assert jobs["flux"] == {"prompt": "a", "n": 2, "num_inference_steps": 8, "size": "768x512"}
    assert jobs["webui"].pop("init_images") == [image]
    assert jobs["webui"] == {"prompt": "a", "batch_size": 2, "steps": 8, "width": 768, "height": 512}
    assert cli.calls.count("GET /v1/runtimes") == 1
    with pytest.raises(Refused, match="request 1: --sampler"):
        cli.run("submit", "-", "--sampler", "Euler", stdin=lines[0])


def test_the_job_is_as_its_flags_say(cli: CliWorld) -> None:
    """Priority, format, times, prefix, webhook and an id of one's own."""
    flags = ["--priority", "bulk", "--format", "webp", "--timeout", "60", "--ttl", "90", "--prefix", "a/b"]
    cli.run("submit", "--runtime", "webui", "--prompt", "a", "--id", "own", "--webhook", "https://x.example/", *flags)
    (job,) = cli.api.heard()
    assert (job.id, job.priority, job.timeout_seconds, job.ttl_seconds) == ("own", Priority.BULK, 60, 90)
    assert job.output is not None
    assert job.webhook is not None
    assert (job.prefix, job.output.format, job.webhook.url) == ("a/b", Format.WEBP, "https://x.example/")


def test_a_workflow_file_is_submitted_with_settings(cli: CliWorld) -> None:
    """A bare graph needs a runtime; `--set` reaches a node's input, and a text stays a text."""
    Path("graph.json").write_text(json.dumps(GRAPH))
    cli.run("submit", "graph.json", "--runtime", "comfy", "--set", "6.text=7", "--set", "6.weight=7")
    (job,) = cli.api.heard()
    assert (job.task, job.input["6"]["inputs"]) == ("pipeline", {"text": "7", "weight": 7})


def test_many_are_submitted_from_a_stream(cli: CliWorld) -> None:
    """A request a line; all of them go, each id is printed in its turn, flags hold for all."""
    lines = [
        json.dumps({"id": f"n{n}", "runtime": "webui", "task": "text-to-image", "input": {"prompt": "a"}})
        for n in range(40)
    ]
    printed = cli.run("submit", "-", "--priority", "bulk", stdin="\n".join(lines))
    assert printed.split() == [f"n{n}" for n in range(40)]
    heard = cli.api.heard()
    assert {job.id for job in heard} == {f"n{n}" for n in range(40)}
    assert {job.priority for job in heard} == {Priority.BULK}


def test_one_bad_request_of_many_stops_no_other(cli: CliWorld) -> None:
    """It is told by its number, the others go, and the exit status is of what went wrong."""
    good = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a"}}
    lines = [{**good, "id": "a"}, {**good, "id": "b", "runtime": "nowhere"}, {**good, "id": "c"}]
    printed = cli.run("submit", "-", stdin="\n".join(map(json.dumps, lines)), status=2)
    assert printed.split() == ["a", "c"]
    assert "request 2 (b): $.runtime" in cli.said


def test_a_key_that_is_not_accepted_is_not_tried_a_thousand_times(cli: CliWorld) -> None:
    """What cannot get better stops the rest; the reason is said once."""
    line = json.dumps({"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a"}})
    cli.run("submit", "-", "--api-key", "wrong", stdin="\n".join([line] * 200), status=3)
    assert len(cli.calls) <= 16
    assert cli.said.count("was not accepted") == 2
    assert "and 199 more" in cli.said


def test_an_image_is_uploaded(cli: CliWorld) -> None:
    """A local file becomes an s3:// address in the request, and lies there."""
    cli.run("submit", "--runtime", "webui", "--prompt", "a lake", "--image", "lake.png")
    (job,) = cli.api.heard()
    assert job.task == "image-to-image"
    (url,) = job.input["init_images"]
    assert _stored(cli, url) == PICTURE


def test_files_in_a_request_are_uploaded_once(cli: CliWorld) -> None:
    """Wherever a request has images; addresses stay as they are, and the same file is sent once for all requests."""
    body = {
        "prompt": "lake.png",
        "init_images": ["./lake.png", "https://x.example/a.png"],
        "alwayson_scripts": {"controlnet": {"args": [{"image": {"image": "lake.png"}}]}},
    }
    request = {"runtime": "webui", "task": "image-to-image", "input": body}
    cli.run("submit", "-", stdin=f"{json.dumps(request)}\n{json.dumps(request)}\n")
    first, second = cli.api.heard()
    url, other = first.input["init_images"]
    assert (first.input["prompt"], other) == ("lake.png", "https://x.example/a.png")
    assert first.input["alwayson_scripts"]["controlnet"]["args"][0]["image"]["image"] == url
    assert second.input == first.input
    assert cli.calls.count("POST /v1/inputs") == 1


def test_a_workflows_loader_gets_the_image(cli: CliWorld) -> None:
    """`--image` goes where the graph loads one; a name that is no file here is the runtime's own."""
    Path("graph.json").write_text(json.dumps(GRAPH))
    cli.run("submit", "graph.json", "--runtime", "comfy")
    cli.run("submit", "graph.json", "--runtime", "comfy", "--image", "lake.png")
    images = {job.input["10"]["inputs"]["image"] for job in cli.api.heard()}
    assert "x.png" in images
    (url,) = images - {"x.png"}
    assert _stored(cli, url) == PICTURE


def test_a_named_workflow_gets_what_its_parameters_are(cli: CliWorld) -> None:
    """Texts become numbers and truths by the workflow's own word; images are uploaded; flags are parameters, too."""
    params = ["--param", "strength=1", "--param", "hires=yes", "--param", "prompt=7", "--param", "picture=lake.png"]
    cli.run("submit", "--workflow", "restyle", "--steps", "9", *params)
    cli.run("submit", "--workflow", "restyle", "--image", "lake.png")
    first, second = sorted(cli.api.heard(), key=lambda job: -len(job.input))
    (url,) = first.input.pop("init_images")
    assert _stored(cli, url) == _stored(cli, second.input["init_images"][0]) == PICTURE
    assert first.input == {"prompt": "7", "denoising_strength": 1.0, "enable_hr": True, "steps": 9}


def test_what_was_made_is_waited_for_and_saved(cli: CliWorld, tmp_path: Path) -> None:
    """`--save` waits; the same request again is the same job, so that this one is there already."""
    flags = ("--runtime", "webui", "--prompt", "a", "--id", "own", "--save", str(tmp_path / "out"))
    cli.run("submit", *flags[:-2])
    cli.end("own")
    shown = cli.run("submit", *flags)
    assert "completed" in shown
    assert "1 file in" in cli.said
    assert (tmp_path / "out" / "own" / "0-a.png").read_bytes() == PICTURE


def test_what_is_wrong_has_its_exit_status(cli: CliWorld) -> None:
    """2 for the request, 3 for the API or the key, 4 for what is not there. A file that is no image goes nowhere."""
    cli.run("submit", "--runtime", "webui", "--prompt", "a", "--steps", "5000", status=2)
    assert "$.input.steps" in cli.said
    with pytest.raises(NotFound):
        cli.run("submit", "--workflow", "nothing", "--prompt", "a")
    with pytest.raises(NotReachable, match="key"):
        cli.run("submit", "--workflow", "restyle", "--api-key", "wrong")
    Path("notes.png").write_text("text")
    with pytest.raises(Refused, match="is no image"):
        cli.run("submit", "--runtime", "webui", "--prompt", "a", "--image", "notes.png")
    assert cli.api.heard() == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--runtime", "webui"],
        ["lake.png", "--workflow", "restyle"],
        ["--param", "a=b", "--prompt", "a"],
        ["-", "--id", "own"],
        ["--image", "nowhere.png"],
        ["--priority", "high", "--prompt", "a"],
    ],
)
def test_a_command_line_that_makes_no_sense(cli: CliWorld, arguments: list[str]) -> None:
    """Says so, and sends nothing."""
    cli.run("submit", *arguments, stdin="{}\n{}\n", status=2)
    assert "Error" in cli.said
    assert cli.calls == []
