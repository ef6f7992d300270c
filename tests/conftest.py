"""Fixtures that every level of tests shares."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack

import botocore.session
import pytest
import structlog
from botocore.loaders import create_loader

from darkroom_agent.logs import PROCESSORS
from darkroom_local.emulator import Emulator, EmulatorUnavailable, emulator_process
from tests import leaks


def pytest_configure() -> None:
    """Log as the product does, and look at each line."""
    structlog.configure(processors=[*PROCESSORS, leaks.processor, structlog.dev.ConsoleRenderer()])


def pytest_collection_finish() -> None:
    """Take what was imported out of the garbage collector's sight: it would walk a million objects time and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _service_models_are_read_once() -> None:
    """Each session of botocore, and each command of the command line makes one, reads megabytes of JSON anew."""
    loader = create_loader()
    botocore.session.create_loader = lambda search_path_string=None: loader


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """No test makes anything log what nobody may read."""
    leaks.found.clear()
    yield
    told = leaks.found.copy()
    leaks.found.clear()
    assert not told, told[0]


@pytest.fixture(autouse=True, scope="session")
def _no_leaks_in_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nor do the processes that tests start, whose logs are files."""
    yield
    leaks.look_at_files(tmp_path_factory.getbasetemp())
    assert not leaks.found, leaks.found[0]


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One emulated AWS (SQS, SNS, S3, SSM) for the session, started when first asked for.

    Tests share it: give queues, topics and buckets names of your own. Where it cannot be had, tests skip; with CI=true
    they fail, for there nobody reads what was skipped.
    """
    with ExitStack() as stack:
        try:
            aws = stack.enter_context(emulator_process())
        except EmulatorUnavailable as reason:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
        yield aws
