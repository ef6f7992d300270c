"""What a person sees while something goes on: steps with a bar on a terminal, lines elsewhere. All of it on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from .clock import Clock
from .failures import SnapshotError
from .show import plain
from .undo import Undo

errors = Console(stderr=True)


@dataclass
class Screen:
    """Tells of steps; see `Watch`."""

    bars: Progress = field(
        default_factory=lambda: Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(24),
            TimeElapsedColumn(),
            console=errors,
        )
    )
    task: TaskID | None = None

    def step(self, what: str) -> None:
        """The next step began; the one before is done."""
        if not errors.is_terminal:
            self.tell(what)
            return
        self._finish()
        self.task = self.bars.add_task(escape(plain(what)), total=None)

    def progress(self, fraction: float) -> None:
        """So much of the step is done."""
        if self.task is not None:
            self.bars.update(self.task, total=1.0, completed=fraction)

    def tell(self, text: str) -> None:
        """A line, above the bars."""
        errors.print(Text(plain(text)), soft_wrap=True)

    def _finish(self) -> None:
        if self.task is not None:
            self.bars.update(self.task, total=1.0, completed=1.0)

    def __enter__(self) -> Self:
        if errors.is_terminal:
            self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._finish()
        self.bars.stop()


@contextmanager
def making(clock: Clock) -> Iterator[tuple[Screen, Undo]]:
    """Show what goes on, and in the end what could not be removed.

    Raises:
        typer.Exit: something is left (1), or it was stopped (130).
    """
    screen = Screen()
    undo = Undo(clock, screen.tell)
    try:
        with screen:
            yield screen, undo
    except KeyboardInterrupt:
        errors.print("stopped" if undo.left else "stopped; nothing was left behind")
        raise typer.Exit(1 if undo.left else 130) from None
    finally:
        tell_left(undo.left)
    if undo.left:
        raise typer.Exit(1)


def tell_left(left: list[str]) -> None:
    """Say what is still there, and costs money."""
    for one in left:
        errors.print(Text.assemble(("left behind: ", "red"), plain(one)), soft_wrap=True)
    if left:
        errors.print("`bottlerocket-snapshot cleanup --all` removes it", highlight=False)


def tell_failure(error: SnapshotError) -> None:
    """Say in one line what went wrong."""
    errors.print(Text.assemble(("bottlerocket-snapshot: ", "red"), plain(str(error))), soft_wrap=True)
