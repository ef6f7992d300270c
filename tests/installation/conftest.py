"""The applied flow: tests/installation/flow on an emulator, begun while other tests run."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from scripts.terraform import TerraformUnavailable

from darkroom_local.emulator import EmulatorUnavailable, emulator_process
from tests.terraform.modules import unavailable

from .applied import SERVICES, Applied, apply


@pytest.fixture(scope="session", autouse=True)
def applying(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[Applied] | None]:
    """The apply (a minute, nearly all of it waiting) goes on beside other tests, if any test here wants it."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    if not any("applied" in item.fixturenames for item in items):
        yield None
        return
    with ExitStack() as stack:
        try:
            aws = stack.enter_context(emulator_process(SERVICES, plain_queue_urls=True))
        except EmulatorUnavailable as reason:
            unavailable(reason)
        pool = stack.enter_context(ThreadPoolExecutor(1))
        state: Path = tmp_path_factory.mktemp("flow") / "terraform.tfstate"
        yield pool.submit(apply, aws, state)


@pytest.fixture(scope="session")
def applied(applying: Future[Applied]) -> Applied:
    """The applied flow."""
    try:
        return applying.result()
    except TerraformUnavailable as reason:
        unavailable(reason)
