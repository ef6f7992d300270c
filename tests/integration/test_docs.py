"""The documentation: its commands run, its links lead somewhere, its tests exist."""

import asyncio
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs_commands import PAGES, ROOT, blocks

# Commands that a page shows and that run elsewhere, with where.
ELSEWHERE = {
    "make setup": "it made what runs this test",
    "make test": "it is what runs this test",
    "make demo": "tests/acceptance",
    "make local": "tests/acceptance; it runs until Ctrl-C",
    "make lint": "it is a part of make test",
    "make simulate": ".ci/run, as a check",
    "make bench": ".ci/run, in its short form",
    "make faults": ".ci/run",
    "make deploy": "tests/deploy, which run what it runs; its dry run is here",
    "make cluster": "tests/cluster/test_command.py",
    "make cluster-down": "test_cluster_command",
    "make test-cluster": ".ci/run",
    ".venv/bin/pytest tests/cluster/test_uninstall.py": "make test-cluster",
}


def commands() -> set[str]:
    """Every command of a `console` block."""
    return {line.strip() for _, text in blocks("console") for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize("command", sorted(commands() - ELSEWHERE.keys()))
async def test_commands_of_the_docs_run(command: str) -> None:
    """As they stand there."""
    process = await asyncio.create_subprocess_shell(
        command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Relative ones to files of the repository; of others only the form is looked at, for CI may have no way out."""
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        if "://" in target:
            address = urlsplit(target)
            assert address.scheme == "https", f"{page.name} links to {target}"
            assert re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", address.netloc), f"{page.name} links to {target}"
            continue
        there = page.parent / target if target else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _anchors(there), f"{page.name} links to {target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    """What a page's headings are called in addresses, as GitHub does it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ["docs/discussion/what-happens-when.md", "SECURITY.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    """Faults and threats are proven by tests of Python, or by Terraform's."""
    named = re.findall(r"`((?:test_)?[a-z0-9]+(?:_[a-z0-9]+){2,})`", (ROOT / page).read_text())
    python = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    terraform = "\n".join(path.read_text() for path in (ROOT / "terraform").rglob("*.tftest.hcl"))
    assert named
    assert [name for name in named if f"def {name}(" not in python and f'run "{name}"' not in terraform] == []


def test_nothing_but_the_product_is_in_the_repository() -> None:
    """No path of a machine, no registry's host."""
    hosts = ["py" + "pi.org", "pythonhos" + "ted.org", "proxy.go" + "lang.org", "registry.np" + "mjs.org"]
    paths = ["/ro" + "ot/", "/wo" + "rk/"]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".json", ".yaml", ".in"} or not path.suffix:
            text = path.read_text(errors="replace") if path.is_file() else ""
            assert [word for word in hosts + paths if word in text] == [], name
