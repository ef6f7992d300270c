"""Which AWS operations agent and Lambdas call: noted while tests run, and written down in operations.json.

tests/integration and tests/acceptance say whether what is written is what is called, tests/installation whether
policies allow just that.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WRITTEN = HERE / "operations.json"


@pytest.fixture(scope="session", autouse=True)
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file in which every process that plays a role notes its calls, from the first test on."""
    file = tmp_path_factory.mktemp("operations") / "operations.txt"
    file.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKROOM_OPERATIONS", str(file))
        patch.setenv("PYTHONPATH", str(HERE / "recorder"), prepend=os.pathsep)
        yield file


def noted(file: Path) -> set[tuple[str, str, str]]:
    """Role, action and resource of each call."""
    return {(role, action, what) for role, action, what in (line.split("\t") for line in file.read_text().splitlines())}


def written() -> set[tuple[str, str, str]]:
    """The same, as it should be."""
    roles: dict[str, dict[str, list[str]]] = json.loads(WRITTEN.read_text())
    return {
        (role, action, what) for role, actions in roles.items() for action, whats in actions.items() for what in whats
    }


def unwritten(file: Path) -> set[tuple[str, str, str]]:
    """What was called and is not written down."""
    return noted(file) - written()


def uncalled(file: Path, roles: set[str]) -> set[tuple[str, str]]:
    """Actions that are written down for these roles and were not called.

    On which of its resources a role acts depends on time, too: a sweep or a cancel may not come about in a run.
    """
    return {call[:2] for call in written() if call[0] in roles} - {call[:2] for call in noted(file)}


def last(items: list[pytest.Item]) -> None:
    """Move the tests of operations behind all others."""
    items.sort(key=lambda item: item.path.stem == "test_operations")


def whole(session: pytest.Session, folder: Path) -> bool:
    """Whether every test of the folder has run, and well: only then is what was not called not needed."""
    chosen = {item.path for item in session.items}
    narrowed = session.config.option.keyword or any("::" in word for word in session.config.args)
    return {*folder.glob("test_*.py")} <= chosen and not narrowed and session.testsfailed == 0
