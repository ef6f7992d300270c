"""The shell's Tab: names from the API, quickly, and never an error in the middle of somebody's line."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from darkroom_cli import complete, main
from darkroom_cli.client import Client
from darkroom_contract.job import Task
from darkroom_contract.workflow import Parameter, Workflow
from tests.unit.api_world import RUNTIMES
from tests.unit.cli_world import CliWorld, cli_world


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CliWorld]:
    with cli_world(tmp_path) as world:
        yield world


def _completed(line: str) -> dict[str, str]:
    """What zsh would be offered at the end of a line, each with the word about it."""
    environ = {"_DARKROOM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    result = CliRunner().invoke(main.app, [], env=environ, prog_name="darkroom")
    assert result.stderr == ""
    offered = [one.split('":"') for one in result.stdout.removeprefix("_arguments '*: :((").split("\n") if '":"' in one]
    return {name.strip('"').replace("\\\\", ""): about.rstrip("'\")") for name, about in offered}


@pytest.mark.parametrize(
    "line",
    [
        "darkroom redrive ",
        "darkroom submit --runtime ",
        "darkroom list --runtime ",
        "darkroom workflow add a.json --runtime ",
    ],
)
def test_runtimes(cli: CliWorld, line: str) -> None:
    """With their types; only those that begin so."""
    assert _completed(line) == {name: one.type for name, one in RUNTIMES.items()}
    assert _completed(f"{line}w") == {"webui": "sdwebui"}


@pytest.mark.parametrize(
    "line",
    ["darkroom submit --workflow ", "darkroom workflow run ", "darkroom workflow show ", "darkroom workflow remove "],
)
def test_workflows(cli: CliWorld, line: str) -> None:
    """With their titles, which are shown and not obeyed."""
    parameters = {"prompt": Parameter(type="string", at=("prompt",))}
    workflow = Workflow(
        name="portrait",
        title="Portrait\x1b[2J",
        runtime="webui",
        task=Task.TEXT_TO_IMAGE,
        input={"prompt": ""},
        parameters=parameters,
    )
    cli.api.clients.s3.put_object(Bucket="models", Key="workflows/portrait.json", Body=msgspec.json.encode(workflow))
    offered = _completed(line)
    assert list(offered) == ["portrait"]
    assert "\x1b" not in offered["portrait"]


@pytest.mark.parametrize("command", ["watch", "save", "get", "cancel", "redrive webui --id"])
def test_recent_jobs(cli: CliWorld, command: str) -> None:
    """With what became of them."""
    job_id = cli.api.submit().body["id"]
    assert _completed(f"darkroom {command} ") == {job_id: "queued, webui"}


def test_an_address_on_the_line_counts(cli: CliWorld) -> None:
    """As it will when the line is run."""
    cli.patch.delenv("DARKROOM_ENDPOINT")
    assert _completed("darkroom watch ") == {}
    job_id = cli.api.submit().body["id"]
    assert list(_completed("darkroom watch --endpoint http://api ")) == [job_id]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "not an address", ""])
def test_where_nothing_answers_nothing_is_offered(cli: CliWorld, endpoint: str) -> None:
    """And nothing is said."""
    cli.patch.setattr(complete, "Client", Client)
    cli.patch.setenv("DARKROOM_ENDPOINT", endpoint)
    assert _completed("darkroom watch ") == {}


def test_a_slow_api_is_not_waited_for(cli: CliWorld) -> None:
    """A second at most: somebody looks at the line."""

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    cli.patch.setattr(complete, "_SECONDS", 0.05)
    transport = httpx.MockTransport(never)
    cli.patch.setattr(complete, "Client", lambda endpoint, key: Client(endpoint, key, transport))
    begin = time.monotonic()
    assert _completed("darkroom watch ") == {}
    assert time.monotonic() - begin < 5
