"""What a person sees: steps with their times, a spinner while one goes on, questions. All of it on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .changes import Changes
from .failures import Declined, Stopped
from .prerequisites import Finding, Level

_MARKS = {Level.GOOD: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.MISSING: ("✗", "red")}


@dataclass(slots=True)
class Screen:
    """Tells of steps, and asks; `yes` answers every question of a deployment."""

    yes: bool = False
    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    _live: Progress | None = None
    _told: str = ""
    _width: int = 15

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """A step goes on; what is put into the list is its result. A failure keeps its line, too."""
        begun, result = time.monotonic(), [""]
        with self._spinning(name):
            try:
                yield result
            except KeyboardInterrupt:
                raise Stopped("stopped; the same command goes on") from None
            except BaseException:
                self._line("✗", "red", name, "", time.monotonic() - begun)
                raise
        self._line("✓", "green", name, result[-1], time.monotonic() - begun)

    def detail(self, text: str) -> None:
        """What goes on just now: on a terminal beside the spinner, elsewhere a line if it is another."""
        if self._live is not None:
            shown = text if len(text) <= self._room() else text[: self._room() - 1] + "…"
            self._live.update(self._live.task_ids[0], detail=shown)
        elif text != self._told:
            self._told = text
            self.tell(f"    {text}")

    def tell(self, text: str | Text) -> None:
        """A line, or several."""
        self.console.print(text if isinstance(text, Text) else Text(text), soft_wrap=True)

    def ask(self, question: str) -> None:
        """Go on if the answer is yes.

        Raises:
            Declined: it is not, or there is nobody to ask.
        """
        if self.yes:
            return
        if not self.asked(question):
            raise Declined("nothing was changed; the same command asks again")

    def asked(self, question: str) -> bool:
        """The answer to a question that `--yes` does not answer.

        Raises:
            Declined: there is nobody to ask.
        """
        with self._paused():
            try:
                return self.console.input(Text(f"{question} [y/N] ")).strip().lower() in {"y", "yes"}
            except EOFError:
                raise Declined(f"{question} Nobody is there to answer: give --yes, or run it on a terminal") from None

    def findings(self, found: list[Finding]) -> None:
        """Every prerequisite, and what to do about those that are missing."""
        for one in found:
            mark, style = _MARKS[one.level]
            # Not wrapped: commands in it are to be copied.
            self.tell(Text.assemble((mark, style), f" {one.what:{self._width + 2}} ", one.told))
            if one.advice and one.level is not Level.GOOD:
                self.tell(Text(f"  {'':{self._width + 2}} {one.advice}", style))

    def changes(self, changes: Changes) -> None:
        """What Terraform would do, by module, and by name what would be lost."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bright_black")
        actions = ("add", "change", "replace", "destroy")
        table.add_column("module")
        for action in actions:
            table.add_column(action, justify="right")
        for module, counts in sorted(changes.counts().items()):
            table.add_row(module, *(str(counts[action] or "") for action in actions))
        with self._paused():
            self.console.print(table)
            lost = changes.lost if any(one.action in {"add", "change"} for one in changes.changes) else ()
            for one in lost:
                self.tell(Text(f"  {one.action} {one.address}", "red"))

    @contextmanager
    def _spinning(self, name: str) -> Iterator[None]:
        if not self.console.is_terminal:
            self.tell(f"… {name}")
            yield
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        self._live = Progress(*columns, console=self.console, transient=True)
        self._live.add_task(f"{name:{self._width}}", total=None, detail="")
        try:
            with self._live:
                yield
        finally:
            self._live = None

    @contextmanager
    def _paused(self) -> Iterator[None]:
        if self._live is None:
            yield
            return
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def _room(self) -> int:
        return max(20, self.console.width - self._width - 14)

    def _line(self, mark: str, style: str, name: str, told: str, seconds: float) -> None:
        self.tell(
            Text.assemble((mark, style), f" {name:{self._width}} ", (f"{_clock(seconds):>8} ", "bright_black"), told)
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
