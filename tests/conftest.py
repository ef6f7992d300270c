"""Fixtures that every level of tests shares."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from darkroom_local.emulator import Emulator, EmulatorUnavailable, emulator_process


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
