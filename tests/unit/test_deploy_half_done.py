"""What a deployment does about what another left half done, and about what holds something when it goes."""

import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from darkroom_deploy import destroy, releases
from darkroom_deploy.commands import Command
from darkroom_deploy.failures import Declined, DeployError
from darkroom_deploy.installation import Installation
from darkroom_deploy.outputs import placeholders
from darkroom_deploy.run import Done, Runner
from darkroom_deploy.screen import Screen
from darkroom_deploy.site import Site

_STATE = {
    "values": {
        "root_module": {
            "resources": [
                {"mode": "managed", "type": "aws_s3_bucket", "address": "b.out", "values": {"bucket": "out"}},
                {"mode": "managed", "type": "aws_s3_bucket_policy", "address": "p.out", "values": {"bucket": "out"}},
                {"mode": "managed", "type": "aws_ecr_repository", "address": "r.agent", "values": {"name": "d/agent"}},
            ]
        }
    }
}


class Scripted(Runner):
    """Answers commands by a function in place of programs, and remembers them."""

    def __init__(self, answer: Callable[[str], Done | None]) -> None:
        super().__init__()
        self.answer = answer
        self.ran: list[str] = []

    def run(self, command: Command, *, quiet: bool = True) -> Done:
        """Answer; what is not known succeeds and says nothing."""
        words = " ".join(word for word in command.words if not word.startswith("-chdir"))
        self.ran.append(words)
        return self.answer(words) or Done(0, "", "")

    def order(self, *wanted: str) -> list[str]:
        """Those of these words that commands began with, as they ran."""
        return [one for words in self.ran for one in wanted if words.startswith(one)]


def site(folder: Path, runner: Runner, screen: Screen | None = None, **known: Any) -> Site:
    there = Site(Installation(folder), runner, screen or Screen(yes=True, console=Console(file=io.StringIO())))
    there._known.update({"outputs": placeholders(), **known})
    return there


def status(state: str, minutes: int, revision: int) -> str:
    """What Helm says of a release that was touched so many minutes ago."""
    touched = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    info = {"status": state, "last_deployed": touched.isoformat()}
    return json.dumps({"info": info, "version": revision, "manifest": "", "hooks": []})


@pytest.mark.parametrize(
    ("state", "revision", "expected"),
    [
        ("pending-install", 1, ["helm uninstall", "helm upgrade"]),
        ("pending-upgrade", 4, ["helm rollback", "helm upgrade"]),
        ("failed", 2, ["helm upgrade"]),
    ],
)
def test_a_release_that_was_broken_off_is_mended(
    tmp_path: Path, state: str, revision: int, expected: list[str]
) -> None:
    """Helm itself refuses to touch one that is pending; after its longest time nobody is at work on it."""
    said = status(state, 60, revision)
    runner = Scripted(lambda words: Done(0, said, "") if words.startswith("helm status") else None)
    assert releases.platform_act(site(tmp_path, runner)) == "installed platform"
    assert runner.order("helm uninstall", "helm rollback", "helm upgrade") == expected


def test_another_helm_is_left_to_its_work(tmp_path: Path) -> None:
    """Nothing is touched, and it is said when it may be."""
    said = status("pending-upgrade", 1, 2)
    runner = Scripted(lambda words: Done(0, said, "") if words.startswith("helm status") else None)
    with pytest.raises(DeployError, match="15 minutes after"):
        releases.platform_act(site(tmp_path, runner))
    assert runner.order("helm uninstall", "helm rollback", "helm upgrade") == []


@dataclass
class Account:
    """An account whose buckets and repositories are full, and whose cluster is gone."""

    emptied: list[str] = field(default_factory=list)

    def objects(self, _: str, __: int) -> int:
        return 1

    def images(self, _: str) -> list[str]:
        return ["sha256:a"]

    def cluster_status(self, _: str) -> None:
        return None

    def empty_bucket(self, name: str) -> None:
        self.emptied.append(name)

    def empty_repository(self, name: str) -> None:
        self.emptied.append(name)


def taken_down(folder: Path, account: Account, answers: str, **flags: bool) -> Scripted:
    """Destroy with these answers: what ran."""

    def answer(words: str) -> Done | None:
        if words.startswith("terraform show -json") and "tfplan" not in words:
            return Done(0, json.dumps(_STATE), "")
        if words.startswith("terraform plan"):
            return Done(0, "", "")
        return Done(0, json.dumps({}), "") if words.startswith("terraform show") else None

    runner = Scripted(answer)
    screen = Screen(yes=flags.get("yes", False), console=Console(file=io.StringIO()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(answers))
        there = site(folder, runner, screen, aws=account)
        destroy.destroy(there, delete_content=flags.get("delete_content", False))
    return runner


def test_each_that_holds_something_is_asked_for(tmp_path: Path) -> None:
    """The bucket is kept, with its policy, and forgotten before the plan; the repository is emptied."""
    runner = taken_down(tmp_path, account := Account(), "n\ny\ny\n")
    assert account.emptied == ["d/agent"]
    (forgotten,) = [words for words in runner.ran if words.startswith("terraform state rm")]
    assert forgotten.split()[3:] == ["b.out", "p.out"]
    assert runner.order("terraform state rm", "terraform plan") == ["terraform state rm", "terraform plan"]


def test_nothing_is_touched_before_the_last_answer(tmp_path: Path) -> None:
    """No to the whole is no to what was said of the parts."""
    with pytest.raises(Declined):
        taken_down(tmp_path, account := Account(), "y\ny\nn\n")
    assert account.emptied == []


@pytest.mark.parametrize(
    ("flags", "emptied"), [({"yes": True}, []), ({"yes": True, "delete_content": True}, ["out", "d/agent"])]
)
def test_nobody_is_asked_in_ci(tmp_path: Path, flags: dict[str, bool], emptied: list[str]) -> None:
    """What holds something is kept, unless the flag says that it goes."""
    taken_down(tmp_path, account := Account(), "", **flags)
    assert account.emptied == emptied
