"""Every command of the docs exists, with the flags that it is shown with."""

import pytest

from tests.docs_commands import Command, blocks, commands, named_in_text, simple_commands
from tests.docs_programs import fault, fault_in_text


@pytest.mark.parametrize("command", commands("bash"), ids=str)
def test_commands_exist(command: Command) -> None:
    """Program, subcommand, flags; what nobody proves is a failure, too."""
    assert fault(command) is None


def test_commands_in_sentences_exist() -> None:
    """Those of ours, with the flags that they are named with."""
    assert named_in_text()
    faults = [f"{command}: {wrong}" for command in named_in_text() if (wrong := fault_in_text(command))]
    assert not faults, "\n".join(faults)
    assert fault_in_text(Command("a page", ("darkroom", "get", "--nothing"))) is not None
    assert fault_in_text(Command("a page", ("make", "nothing"))) is not None


def test_commands_hide_in_no_other_block() -> None:
    """A command that stands in a block of text would be proven by nobody."""
    programs = {command.words[0] for command in commands("bash", "console")} - {"cat", "find"}
    hidden = [
        f"{page}: {line}"
        for page, text in blocks("text", "sh", "shell")
        for line in text.splitlines()
        if line.split(" ")[0] in programs and not line.startswith("darkroom: ")
    ]
    assert hidden == []


def test_a_shells_text_is_taken_apart() -> None:
    """Pipes, lists, continued lines, substitutions, assignments, redirections, comments, quotes."""
    text = """\
# a comment
A=1 B=2 one "two three" \\
  --four > out.txt
five | six '{"a": "b | c"}' && seven < in
id=$(eight --nine)
ten "$(eleven)"
"""
    assert list(simple_commands(text)) == [
        ("eight", "--nine"),
        ("eleven",),
        ("one", "two three", "--four"),
        ("five",),
        ("six", '{"a": "b | c"}'),
        ("seven",),
        ("ten", "SUBSTITUTED"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "darkroom submitt --runtime x",
        "darkroom submit --runtimes x",
        "darkroom get",
        "make no-such-target",
        "make demo NOSUCH=1",
        "python -m scripts.nothing",
        "python -m scripts.images --nothing",
        "aws sns publish --topic x",
        "aws sns publishes",
        "helm upgrade x y --instal",
        "terraform outputs",
        "pip install darkroom[nothing]",
        "unheard-of --flag",
    ],
)
def test_what_does_not_exist_is_found(words: str) -> None:
    """Each kind of check can fail."""
    assert fault(Command("a page", tuple(words.split()))) is not None
