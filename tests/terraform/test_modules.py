"""Every module's own tests, run by `terraform test` with a provider that asks nobody."""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from scripts.terraform import TerraformUnavailable

from .modules import FOLDERS, initialised, name, unavailable

# The provider waits more than it works: more of them than there are cores make the whole shorter.
_AT_ONCE = 4

type Suites = dict[Path, Future[tuple[int, str]]]


@pytest.fixture(scope="session")
def suites(request: pytest.FixtureRequest) -> Iterator[Suites]:
    """`terraform validate` and `terraform test` of every folder that a chosen test asks for, some at a time."""
    chosen = [item for item in request.session.items if isinstance(item, pytest.Function)]
    wanted = {str(item.callspec.params["folder"]) for item in chosen if "suites" in item.fixturenames}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        commands = (("validate", "-no-color"), ("test", "-no-color"))
        yield {Path(folder): pool.submit(initialised, Path(folder), *commands) for folder in sorted(wanted)}


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_it_is_valid_and_does_what_its_tests_say(suites: Suites, folder: Path) -> None:
    """Each variable does what it says, each mistake is refused at plan, names fit, China's ARNs are China's."""
    try:
        status, said = suites[folder].result()
    except TerraformUnavailable as reason:
        unavailable(reason)
    assert status == 0, said
    assert re.search(r"[1-9]\d* passed, 0 failed", said), f"{name(folder)} has no tests"
