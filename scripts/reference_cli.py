"""The pages of the command lines' reference, from the commands themselves."""

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from bottlerocket_snapshot.main import app as snapshot_app
from darkroom_cli.main import app
from darkroom_deploy.main import app as deploy_app

_KINDS = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
_SHARED = ("--json", "--endpoint", "--api-key", "--help")


def command_line(generated: str) -> str:
    """Every command with its arguments and options; `generated` is the line that says how the page was made."""
    root: Any = typer.main.get_command(app)
    lines = ["# The command line", "", generated, "", *_prose(root.help), ""]
    lines += [
        "Commands that speak with the API have `--endpoint` and `--api-key`; all have `--json` (a value a line), and",
        "`--help`.",
        "`darkroom --install-completion` completes in bash, zsh, fish and PowerShell.",
        "",
    ]
    for name, command in _commands(root, "darkroom"):
        lines += _page(name, command)
    return "\n".join(lines).rstrip() + "\n"


def snapshot_commands(generated: str) -> str:
    """Every command of bottlerocket-snapshot."""
    root: Any = typer.main.get_command(snapshot_app)
    lines = ["# bottlerocket-snapshot", "", generated, "", *_prose(root.help), ""]
    lines += [
        "[How to use it](../how-to/image-cache.md). Commands that show things have `--json` (a value a line).",
        "",
    ]
    for name, command in _commands(root, "bottlerocket-snapshot"):
        lines += _page(name, command)
    return "\n".join(lines).rstrip() + "\n"


def deploy_commands(generated: str) -> str:
    """Every command of a deployment."""
    root: Any = typer.main.get_command(deploy_app)
    lines = [
        "# python -m darkroom_deploy",
        "",
        generated,
        "",
        *_prose(root.help),
        "",
        "[How to](../how-to/deploy.md)",
        "",
    ]
    for name, command in _commands(root, "darkroom_deploy"):
        lines += _page(name, command)
    return "\n".join(lines).rstrip() + "\n"


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _page(name: str, command: Any) -> list[str]:
    lines = [f"## {name}", "", *_prose(command.help), ""]
    rows = [row for one in command.params if (row := _row(one)) is not None]
    if rows:
        lines += ["| option | default | meaning |", "|---|---|---|", *rows, ""]
    return lines


def _prose(text: str) -> list[str]:
    """Markdown as it stands in a docstring; indented blocks are commands."""
    lines: list[str] = []
    inside = False
    for line in inspect.cleandoc(text).splitlines():
        block = line.startswith("    ") or (inside and not line)
        if block != inside:
            lines.append("```bash" if block else "```")
            if not block:
                lines.append("")
        inside = block
        lines.append(line.removeprefix("    ") if block else line)
    return [*lines, "```"] if inside else lines


def _row(param: Any) -> str | None:
    """A line of the table: how it is written, its default, what it is for."""
    if param.param_type_name == "argument":
        return f"| `{param.metavar or param.name.upper()}` | {_needed(param)} | {_help(param)} |"
    if param.opts[0] in _SHARED or param.hidden:
        return None
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    value = "" if param.is_flag else f" `{_value(param)}`"
    return f"| {names}{value} | {_needed(param)} | {_help(param)} |"


def _value(param: Any) -> str:
    """What an option takes: its choices, or what kind of thing."""
    kind = param.type_descriptor.annotation
    if param.metavar:
        return str(param.metavar)
    if get_origin(kind) is Literal:
        return "\\|".join(get_args(kind))
    kind = get_args(kind)[0] if get_args(kind) else kind
    if issubclass(kind, Enum):
        return "\\|".join(str(one.value) for one in kind)
    return _KINDS[kind]


def _needed(param: Any) -> str:
    if param.required:
        return "**required**"
    default = getattr(param.default, "value", param.default)
    return "" if default in (None, False, [], ()) or callable(default) else f"`{default}`"


def _help(param: Any) -> str:
    return str(getattr(param, "help", None) or "").replace("|", "\\|")
