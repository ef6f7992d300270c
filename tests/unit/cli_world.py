"""The command line in front of the real API on a stand-in for AWS."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from darkroom_api.jobs import answer
from darkroom_cli import complete, config, main, terminal
from darkroom_cli.client import Client
from darkroom_contract.document import Artifact, Error
from darkroom_contract.job import State
from tests.unit.api_world import ApiWorld, api_world

PICTURE = b"\x89PNG\r\n\x1a\n a picture"


@dataclass
class CliWorld:
    """A terminal, and the API that its commands reach; `said` is what the last one wrote to stderr.

    `patch` is for fixtures around it: what pytest's own `monkeypatch` changes before, it would restore too late.
    """

    api: ApiWorld
    patch: pytest.MonkeyPatch
    calls: list[str] = field(default_factory=list)
    said: str = ""

    def run(self, *arguments: str, status: int = 0, stdin: str | None = None) -> str:
        """Run a command; its stdout. A failure of ours is raised, as it would end the process."""
        result = CliRunner().invoke(main.app, arguments, input=stdin)
        self.said = result.stderr
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    def end(self, job_id: str, state: State = State.COMPLETED, *, retryable: bool = False) -> None:
        """Let a job end, as its agent would."""
        document = self.api.document(job_id)
        assert document is not None
        key = f"webui/{job_id}/0-a.png"
        self.api.clients.s3.put_object(Bucket="outputs", Key=key, Body=PICTURE)
        digest = hashlib.sha256(PICTURE).hexdigest()
        artifact = Artifact(url=f"s3://outputs/{key}", content_type="image/png", bytes=len(PICTURE), sha256=digest)
        failed = state is State.FAILED
        error = Error(code="runtime_refused", message="no [such] sampler", retryable=retryable) if failed else None
        changed = {"state": state, "artifacts": () if failed else (artifact,), "error": error}
        self.api.put_document(msgspec.structs.replace(document, **changed))


def api_transport(api: ApiWorld, calls: list[str]) -> httpx.MockTransport:
    """The API in this process, `calls` being what it was asked; the bucket's addresses go to the stand-in."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host != "api":
            headers = {"Content-Type": request.headers.get("Content-Type", "")}
            stored = httpx.request(request.method, request.url, headers=headers, content=request.content)
            return httpx.Response(stored.status_code, content=stored.content)
        calls.append(f"{request.method} {request.url.path}")
        key = request.headers.get("x-api-key")
        if key == "wrong" and request.url.path != "/v1/openapi.json":
            return httpx.Response(403, json={"message": "Forbidden"})
        event = {
            "path": urlsplit(str(request.url)).path,
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "queryStringParameters": dict(request.url.params) or None,
            "requestContext": {"identity": {"apiKeyId": key}},
            "body": request.content.decode(),
        }
        with redirect_stdout(io.StringIO()):  # the API's log, which nobody configured here
            given = answer(api.door, event)
        return httpx.Response(given.status, headers=dict(given.headers), text=given.body)

    return httpx.MockTransport(handle)


@contextmanager
def cli_world(folder: Path) -> Iterator[CliWorld]:
    """All of it, with an empty folder to be in."""
    with api_world() as api, pytest.MonkeyPatch.context() as patch:
        world = CliWorld(api, patch)
        client = partial(Client, transport=api_transport(api, world.calls))
        patch.setattr(terminal, "Client", client)
        patch.setattr(complete, "Client", client)
        for name in config.NAMES:
            patch.delenv(f"DARKROOM_{name.upper()}", raising=False)
        patch.setenv("DARKROOM_ENDPOINT", "http://api")
        patch.setenv("DARKROOM_CONFIG", str(folder / "none.toml"))
        patch.setenv("COLUMNS", "160")
        patch.chdir(folder)
        yield world
