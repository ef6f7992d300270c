"""The receiver shows what was signed with its secret, refuses the rest, and fails on demand."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest

from darkroom_api.standard_webhooks import read_secrets, signed_headers
from darkroom_contract.document import Artifact, Error, JobDocument
from darkroom_contract.job import State
from darkroom_contract.webhook import event_id, event_of
from darkroom_local.receiver import line_of, problem_of, receiver
from darkroom_local.topology import new_secret

SECRET = new_secret()


def delivery(document: JobDocument, secret: str = SECRET, age: int = 0) -> tuple[dict[str, str], bytes]:
    """Headers and body of a webhook."""
    body = msgspec.json.encode(event_of(document, "s3://b/d", lambda url: f"https://{url[5:]}?X-Amz-Signature=x"))
    return signed_headers(event_id(document), int(time.time()) - age, body, read_secrets(secret)), body


def job(state: State = State.COMPLETED) -> JobDocument:
    """A job that ended."""
    one = Artifact(url="s3://b/sd/a/0-x.png", content_type="image/png", bytes=3, sha256="0" * 64)
    failed = Error(code="runtime_failed", message="[red]no", retryable=True) if state is State.FAILED else None
    return JobDocument(
        id="a",
        runtime="sd",
        state=state,
        artifacts=() if failed else (one,),
        error=failed,
        finished_at=datetime.now(UTC),
    )


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
async def url(told: list[str]) -> AsyncIterator[str]:
    async with receiver(SECRET, lambda one: told.append(line_of(one))) as url:
        yield url


async def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """The status of an answer."""
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, data=body) as answer:
        return answer.status


async def test_what_is_signed_is_shown(url: str, told: list[str]) -> None:
    """One line: what, whose, and how much; a repetition is marked."""
    for _ in range(2):
        assert await post(url, *delivery(job())) == 204
    assert told[0] == "[green]✓ webhook job.completed[/] a 1 artifact"
    assert told[1] == told[0] + " [dim](again)[/]"


async def test_failures_are_shown_with_their_reason(url: str, told: list[str]) -> None:
    """And what a message says is no markup."""
    assert await post(url, *delivery(job(State.FAILED))) == 204
    assert told == [r"[red]✓ webhook job.failed[/] a \[red]no"]


@pytest.mark.parametrize(
    ("secret", "age", "said"),
    [(new_secret(), 0, "signature is wrong"), (SECRET, 400, "another time"), (SECRET, -400, "another time")],
    ids=["another secret", "too old", "too new"],
)
async def test_what_is_not_is_refused(url: str, told: list[str], secret: str, age: int, said: str) -> None:
    """401, and the reason is shown."""
    assert await post(url, *delivery(job(), secret, age)) == 401
    assert said in told[0]


async def test_it_fails_on_demand(url: str, told: list[str]) -> None:
    """To see what follows."""
    assert await post(f"{url}status/503", *delivery(job())) == 503
    assert told[0].endswith("[dim]answered 503[/]")


def test_headers_that_are_missing_are_named() -> None:
    """A curl by hand gets a reason."""
    assert problem_of(SECRET, {}, b"", time.time()) == "it has no webhook-id or webhook-timestamp"
    headers = {"webhook-id": "a", "webhook-timestamp": str(int(time.time()))}
    assert problem_of(SECRET, headers, b"", time.time()) == "its signature is wrong"
