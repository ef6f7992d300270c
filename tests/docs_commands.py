"""The commands of the docs, found in every fenced block of a language and in sentences."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("charts/*/README.md")]

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_PLACEHOLDER = re.compile(r"<[a-z][\w -]*>")
_ASSIGNMENT = re.compile(r"^\w+=")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page: its words, with what it is given by a shell left in."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Page and text of each fenced block in one of these languages."""
    for page in sorted(PAGES):
        for found in _BLOCK.finditer(page.read_text()):
            if found["language"] in languages:
                yield str(page.relative_to(ROOT)), re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)


def commands(*languages: str) -> list[Command]:
    """The commands of those blocks, each part of a pipe for itself."""
    return [Command(page, words) for page, text in blocks(*languages) for words in simple_commands(text)]


def simple_commands(text: str) -> Iterator[tuple[str, ...]]:
    """The commands of a shell's text: lines, pipes, lists and substitutions taken apart; redirections left out."""
    text = _PLACEHOLDER.sub("PLACEHOLDER", text)
    text = "\n".join(line for line in text.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#"))
    while inside := _SUBSTITUTION.search(text):
        yield from simple_commands(inside[1])
        text = text.replace(inside[0], "SUBSTITUTED", 1)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    redirected = False
    for word in [*lexer, "\n"]:
        if set(word) <= set("<>") and word:
            redirected = True
        elif set(word) <= set(";&|\n"):
            if words := [one for place, one in enumerate(words) if any(map(_is_no_assignment, words[: place + 1]))]:
                yield tuple(words)
            words, redirected = [], False
        elif redirected:
            redirected = False
        else:
            words.append(word)


def _is_no_assignment(word: str) -> bool:
    return not _ASSIGNMENT.match(word)


def named_in_text() -> list[Command]:
    """The commands of ours that stand in a sentence, as `darkroom get <id>`."""
    inline = re.compile(r"(?<!`)`((?:darkroom|bottlerocket-snapshot|make) [a-z][^`]*)`")
    return [
        Command(str(page.relative_to(ROOT)), tuple(found.split()))
        for page in sorted(PAGES)
        for found in inline.findall(_BLOCK.sub("", page.read_text()))
    ]
