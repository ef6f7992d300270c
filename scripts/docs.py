"""Build the documentation's site: gather the pages, and let Zensical make HTML of them, strictly.

    python -m scripts.docs            # into out/docs/site
    python -m scripts.docs --serve    # on http://localhost:8000, anew when a page changes

What a page links to outside docs/ becomes a page, too, so that the site stands alone: in a closed network, and for the
version that it was built from.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import normpath, relpath

ROOT = Path(__file__).resolve().parent.parent
GATHERED = ROOT / "out" / "docs"
SITE = GATHERED / "site"
# Pages of the repository that have a place of their own in the site; what else is linked to lies below `source/`.
PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "charts/platform/README.md": "reference/platform-chart.md",
    "charts/runtime/README.md": "reference/runtime-chart.md",
}
SECTIONS = {
    "how-to": "How-to",
    "reference": "Reference",
    "discussion": "Discussion",
    "decisions": "Decisions",
}
_LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s#]+)?(?P<anchor>#[^)\s]*)?(?=\))")
_FENCE = re.compile(r"^ *(```+|~~~+)")
_LANGUAGES = {".tf": "hcl", ".yaml": "yaml", ".yml": "yaml", ".py": "python", ".json": "json", ".sh": "bash"}
_SECONDS_BETWEEN_LOOKS = 1


def gather() -> dict[str, str | Path]:
    """Path in the site → a page's text, or the file that is copied.

    Raises:
        FileNotFoundError: a link leads nowhere; with page and target.
    """
    found: dict[str, str | Path] = {}
    waiting = [*sorted(_named(ROOT / "docs")), *(ROOT / name for name in PLACES if name != "README.md")]
    while waiting:
        path = waiting.pop()
        place = _place(path)
        if place in found or not path.exists():
            continue
        found[place], linked = _page(path, place)
        waiting += linked
    return found


def navigation(found: dict[str, str | Path]) -> list[dict[str, object]]:
    """The site's menu. A section's index page orders it: headings are groups, and so are folders that it leaves out."""
    menu: list[dict[str, object]] = [{"Darkroom": "index.md"}, {"Quickstart": "quickstart.md"}]
    for folder, title in SECTIONS.items():
        pages = sorted(place for place in found if place.startswith(f"{folder}/") and place.endswith(".md"))
        index = f"{folder}/index.md"
        groups: dict[str, list[str]] = {"": [index]}
        group, text = "", str(found[index])
        for line in text.splitlines():
            if line.startswith("## "):
                group = line.removeprefix("## ")
            for link in _LINK.finditer(line):
                target = normpath(f"{folder}/{link['target']}")
                if target in pages and not any(target in named for named in groups.values()):
                    groups.setdefault(group, []).append(target)
        named = {page for pages in groups.values() for page in pages}
        for page in (page for page in pages if page not in named):
            groups.setdefault(_folder(page), []).append(page)
        entries: list[object] = [*groups.pop(""), *({name: pages} for name, pages in groups.items())]
        menu.append({title: entries})
    project = [place for place in ("contributing.md", "security.md", "changelog.md") if place in found]
    return [*menu, {"Project": project}]


def _folder(page: str) -> str:
    """What a page belongs to that no index names: its folder, or the section itself."""
    _, *folders, _ = page.split("/")
    return " ".join(folders).capitalize()


def write(found: dict[str, str | Path]) -> None:
    """Lay the gathered pages out below out/docs/pages, with the configuration; what has not changed is left alone."""
    pages = GATHERED / "pages"
    for stale in [path for path in _files(pages) if path.relative_to(pages).as_posix() not in found]:
        stale.unlink()
    for place, content in found.items():
        _put(pages / place, content.read_bytes() if isinstance(content, Path) else content.encode())
    configuration = (ROOT / "zensical.toml").read_text()
    menu = f"[project]\nnav = {_toml(navigation(found))}\n"
    _put(GATHERED / "zensical.toml", configuration.replace("[project]\n", menu, 1).encode())


def _page(path: Path, place: str) -> tuple[str | Path, list[Path]]:
    """What lies at a place, and what else that asks for."""
    if path.is_dir():
        entries = [entry for entry in sorted(path.iterdir()) if not entry.name.startswith((".", "__"))]
        lines = (f"- [{one.name}{'/' * one.is_dir()}]({relpath(_place(one), Path(place).parent)})" for one in entries)
        return _unsearched(f"# {path.relative_to(ROOT)}/", "", *lines), entries
    if path.suffix == ".md":
        linked: list[Path] = []
        return "".join(_lines(path, place, linked.append)), linked
    if path.is_relative_to(ROOT / "docs"):
        return path, []
    fence = "`" * 4 + _LANGUAGES.get(path.suffix, "text")
    return _unsearched(f"# {path.relative_to(ROOT)}", "", fence, path.read_text().rstrip(), "`" * 4), []


def _lines(path: Path, place: str, ask: Callable[[Path], object]) -> Iterator[str]:
    """A page's lines; links lead to where things lie in the site."""

    def moved(link: re.Match[str]) -> str:
        target, anchor = link["target"] or "", link["anchor"] or ""
        if not target or ":" in target:
            return target + anchor
        there = Path(normpath(path.parent / target))
        if not there.exists():
            raise FileNotFoundError(f"{path.relative_to(ROOT)} links to {target}, which is not there")
        ask(there)
        return relpath(_place(there), Path(place).parent) + anchor

    fence = ""
    for line in path.read_text().splitlines(keepends=True):
        mark = found[1] if (found := _FENCE.match(line)) else ""
        inside, fence = fence, (mark if not fence else "" if mark == fence else fence)
        yield line if inside or mark else _LINK.sub(moved, line)


def _place(path: Path) -> str:
    """Where a file or folder of the repository lies in the site."""
    name = path.relative_to(ROOT).as_posix()
    if name in PLACES:
        return PLACES[name]
    if path.is_relative_to(ROOT / "docs"):
        inside = path.relative_to(ROOT / "docs").as_posix()
        return normpath(f"{inside}/index.md") if path.is_dir() else inside
    return f"source/{name}/index.md" if path.is_dir() else f"source/{name}" + ".md" * (path.suffix != ".md")


def _named(folder: Path) -> Iterator[Path]:
    """The files of a folder but hidden ones."""
    return (path for path in _files(folder) if not path.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _unsearched(*lines: str) -> str:
    return "\n".join(("---", "search: {exclude: true}", "---", "", *lines, ""))


def _put(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _toml(value: object) -> str:
    """Lists, tables and text as TOML writes them in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {_toml(one)}' for name, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def build() -> int:
    """Build the site; the status is 1 if a link or an anchor leads nowhere, which Zensical shows."""
    write(gather())
    shutil.rmtree(SITE, ignore_errors=True)
    done = subprocess.run(_zensical("build", "--clean", "--strict"), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        shown, _, _ = (done.stdout + done.stderr).partition("Traceback")
        print(shown.rstrip(), file=sys.stderr)  # noqa: T201
        return 1
    print(f"{len(list(SITE.rglob('*.html')))} pages: {SITE.relative_to(ROOT)}/index.html")  # noqa: T201
    return 0


def serve() -> int:
    """Show the site until Ctrl-C; Zensical builds it anew when a gathered page changes."""
    write(gather())
    with subprocess.Popen(_zensical("serve")) as server:  # noqa: S603
        try:
            while server.poll() is None:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                write(gather())
        except KeyboardInterrupt:
            server.terminate()
    return 0


def _zensical(*command: str) -> list[str | Path]:
    return [ROOT / ".venv" / "bin" / "zensical", *command, "--config-file", GATHERED / "zensical.toml"]


if __name__ == "__main__":
    sys.exit(serve() if "--serve" in sys.argv[1:] else build())
