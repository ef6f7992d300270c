"""What a long operation tells of itself while it goes on."""

from typing import Protocol


class Watch(Protocol):
    """Who is told."""

    def step(self, what: str) -> None:
        """The next step began."""

    def progress(self, fraction: float) -> None:
        """So much of the step is done, 0 to 1."""

    def tell(self, text: str) -> None:
        """Something that is worth a line."""
