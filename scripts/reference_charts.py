"""The tables of values in the charts' READMEs, from the `# --` comments in their values.yaml."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parent.parent / "charts"
BEGIN = "<!-- Values: made by `make reference` from values.yaml; change that instead. -->"
END = "<!-- End of the values. -->"

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[\w./-]+):(?= |$)")
_COMMENT = re.compile(r"^ *# ?(?P<text>.*)$")
_LONGEST = 80  # characters of a default; what is longer is looked up in values.yaml


def readmes() -> dict[Path, str]:
    """Path of each chart's README → what it should be, as far as it is made.

    Raises:
        ValueError: a README has no place for the values.
    """
    made = {}
    for values in sorted(CHARTS.glob("*/values.yaml")):
        readme = values.with_name("README.md")
        if not readme.exists():
            continue
        before, begin, rest = readme.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise ValueError(f"{readme} has no place for the values: write `{BEGIN}` and `{END}` into it")
        made[readme] = f"{before}{BEGIN}\n\n{table(values.read_text())}\n{END}{after}"
    return made


def table(text: str) -> str:
    """The values of a values.yaml that have a `# --` comment, as a Markdown table."""
    values = yaml.safe_load(text)
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, meaning in described(text):
        shown = json.dumps(_at(values, path), ensure_ascii=False)
        default = f"`{shown}`" if len(shown) <= _LONGEST else "see values.yaml"
        lines.append(f"| `{'.'.join(path)}` | {default.replace('|', '&#124;')} | {meaning.replace('|', '&#124;')} |")
    return "\n".join(lines) + "\n"


def described(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of each value that has one: the comment above it that begins with `--`."""
    path: list[tuple[int, str]] = []
    about: list[str] | None = None
    for line in text.splitlines():
        if comment := _COMMENT.match(line):
            said = comment["text"]
            if said.startswith("-- "):
                about = [said.removeprefix("-- ")]
            elif about is not None:
                about.append(said)
            continue
        if key := _KEY.match(line):
            indent = len(key["indent"])
            path = [step for step in path if step[0] < indent] + [(indent, key["key"])]
            if about is not None:
                yield tuple(name for _, name in path), " ".join(about)
        about = None


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name] if isinstance(values, Mapping) else None
    return values
