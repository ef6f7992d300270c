"""One cluster for the session: the one that `python -m tests.cluster` has started, or one of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from scripts.go_tools import ToolUnavailable

from darkroom_local.cluster.folder import cluster_folder
from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.topology import aws_client
from tests.images.unavailable import Unavailable

from .inbox import inbox
from .rig import Rig
from .started import Started, archives, described, started

NO_CLUSTER = "NO_CLUSTER"
"""The variable that says why `python -m tests.cluster` has started none."""


def unavailable(reason: Exception | str) -> NoReturn:
    """Skip, as a part is not to be had here; in CI fail, for there nobody reads what was skipped."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    raise AssertionError  # both leave by an exception


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rig() -> AsyncIterator[Rig]:
    """The cluster, its API, and an ear at the results topic."""
    async with AsyncExitStack() as stack:
        found = await _found(stack)
        endpoint = found.cluster.emulator.url
        heard = await stack.enter_async_context(inbox(found.topology, endpoint))
        # A client is dear to make on a busy machine: tests share these.
        s3, sqs = [await stack.enter_async_context(aws_client(service, endpoint)) for service in ("s3", "sqs")]
        namespace = os.environ.get("NAMESPACE", "runtimes")
        yield Rig(found.cluster, found.topology, found.api_url, heard, s3, sqs, namespace)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured: what a test prints itself is not shown if it passes."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, numbers in report.user_properties:
                terminalreporter.write_line(f"{name}: {numbers}")


async def _found(stack: AsyncExitStack) -> Started:
    if (file := os.environ.get("CLUSTER")) is not None:
        return described(Path(file))
    if (reason := os.environ.get(NO_CLUSTER)) is not None:
        unavailable(reason)
    folder = stack.enter_context(cluster_folder())
    try:
        # From this very thread: an engine ends with the thread that started it.
        return await stack.enter_async_context(started(folder, archives(folder)))
    except (Unavailable, ToolUnavailable, EmulatorUnavailable) as found:
        unavailable(found)
