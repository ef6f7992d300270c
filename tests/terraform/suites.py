"""`terraform test` of the folders that tests ask for, begun together."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from scripts.terraform import TerraformUnavailable

from .modules import MODULES, name, outcome, unavailable
from .provider import running_provider

type Suites = dict[Path, Future[tuple[int, str]]]


@pytest.fixture(scope="session")
def suites(request: pytest.FixtureRequest) -> Iterator[Suites]:
    """`terraform test` of every folder that a chosen test asks for, some at a time, with one provider for all."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function)]
    wanted = {str(item.callspec.params["folder"]) for item in chosen if "suites" in item.fixturenames}
    with ExitStack() as stack:
        try:
            provider = stack.enter_context(running_provider(MODULES[0]))
        except TerraformUnavailable as reason:
            unavailable(reason)
        pool = stack.enter_context(ThreadPoolExecutor(os.process_cpu_count()))
        yield {Path(folder): pool.submit(outcome, Path(folder), provider) for folder in sorted(wanted)}


def passed(suites: Suites, folder: Path) -> None:
    """Hold a folder to its own tests."""
    status, said = suites[folder].result()
    assert status == 0, said
    assert re.search(r"[1-9]\d* passed, 0 failed", said), f"{name(folder)} has no tests"
