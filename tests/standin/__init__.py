"""A fast in-memory stand-in for SQS, SNS and S3, where an emulator is too slow: fault campaigns and benchmarks.

It behaves as AWS does where the agent can tell, and a contract that an emulator is held to as well says so
(`tests/contract/test_aws_*.py`). Beyond that it fails on demand (`faults.py`) and tells all it holds (`state.py`).

    async with standin(latency=0.04) as aws:
        aws.faults.add(Fault(kind="lost_answer", operation="PutObject", probability=0.1))
        client = session.create_client("sqs", endpoint_url=aws.url, …)
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from .faults import Fault, Faults
from .server import CallCount, Standin, listen
from .state import state_of

__all__ = ["Fault", "Faults", "RunningStandin", "standin"]


@dataclass(frozen=True, slots=True)
class RunningStandin:
    """A stand-in that listens at `url`."""

    url: str
    inner: Standin

    @property
    def faults(self) -> Faults:
        """Those at work; add to them at any time."""
        return self.inner.faults

    @property
    def calls(self) -> dict[str, CallCount]:
        """Calls by operation and queue, topic or bucket: `ReceiveMessage jobs`."""
        return self.inner.calls

    def state(self) -> dict[str, Any]:
        """Every queue, topic and object, as GET /_state tells it."""
        return state_of(self.inner.sqs, self.inner.sns, self.inner.s3)


@asynccontextmanager
async def standin(latency: float = 0.0, eventual: float = 0.0, seed: int = 0) -> AsyncIterator[RunningStandin]:
    """Run one in this process, on a free port of loopback.

    `latency` (seconds) is added to every call; counts of messages are told up to `eventual` seconds late; faults strike
    as `seed` decides.
    """
    inner = Standin(latency, eventual, Faults(seed))
    runner, url = await listen(inner)
    try:
        yield RunningStandin(url, inner)
    finally:
        await runner.cleanup()
        inner.sqs.close()
