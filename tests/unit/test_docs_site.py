"""The site's pages are gathered from the whole repository, and its menu follows the index pages."""

from pathlib import Path

import pytest
from scripts import docs


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an index, a page and a source file."""
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    for section in docs.SECTIONS:
        _write(tmp_path / "docs" / section / "index.md", f"# {section}\n")
    _write(tmp_path / "docs/how-to/index.md", "# How-to\n\n## First\n\n- [b](b.md)\n\n## Then\n\n- [a](a.md)\n")
    _write(
        tmp_path / "docs/how-to/a.md",
        "# A\n\n[the code](../../src/one.py#L1), [b](b.md#x), [out](https://example.com)\n",
    )
    _write(tmp_path / "docs/how-to/b.md", "# B\n\n```text\n[no link](nowhere.md)\n```\n")
    _write(tmp_path / "docs/how-to/c.md", "# C, which no index names\n")
    _write(tmp_path / "docs/how-to/alarms/d.md", "# D, in a folder\n")
    _write(tmp_path / "src/one.py", "print(1)\n")
    return tmp_path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.usefixtures("root")
def test_what_lies_outside_of_docs_becomes_a_page() -> None:
    """Links lead to it; those inside, those out and those in blocks stay."""
    found = docs.gather()
    assert found["how-to/a.md"] == (
        "# A\n\n[the code](../source/src/one.py.md#L1), [b](b.md#x), [out](https://example.com)\n"
    )
    assert "print(1)" in str(found["source/src/one.py.md"])
    assert "[no link](nowhere.md)" in str(found["how-to/b.md"])


def test_a_folder_becomes_a_list_of_its_files(root: Path) -> None:
    """And each of them a page."""
    _write(root / "docs/how-to/a.md", "[all](../../src)\n")
    found = docs.gather()
    assert found["how-to/a.md"] == "[all](../source/src/index.md)\n"
    assert "[one.py](one.py.md)" in str(found["source/src/index.md"])
    assert "source/src/one.py.md" in found


def test_a_link_that_leads_nowhere_is_refused(root: Path) -> None:
    """With the page and the target."""
    _write(root / "docs/how-to/a.md", "[gone](gone.md)\n")
    with pytest.raises(FileNotFoundError, match=r"docs/how-to/a\.md links to gone\.md"):
        docs.gather()


@pytest.mark.usefixtures("root")
def test_the_menu_has_every_page() -> None:
    """In the order and the groups of the index; what it does not name is not lost, and a folder is a group."""
    (how_to,) = [entry["How-to"] for entry in docs.navigation(docs.gather()) if "How-to" in entry]
    assert how_to == [
        *("how-to/index.md", "how-to/c.md"),
        *({"First": ["how-to/b.md"]}, {"Then": ["how-to/a.md"]}, {"Alarms": ["how-to/alarms/d.md"]}),
    ]


def test_every_error_code_has_its_remedy() -> None:
    """`When things go wrong` leaves none out, and names none that is not."""
    codes = _codes("docs/reference/error-codes.md")
    assert codes
    assert _codes("docs/how-to/when-things-go-wrong.md") == codes


def _codes(page: str) -> set[str]:
    lines = (Path(__file__).parents[2] / page).read_text().splitlines()
    return {
        line.split("`")[1]
        for line in lines
        if line.startswith("| `") and line.split("`")[1].islower() and "_" in line.split("`")[1]
    }
