"""The mark that asks for a restart of the runtime: a file that its exec liveness probe looks for."""

from pathlib import Path


class RestartMark:
    """The mark of one runtime; without a file (no pod, no supervisor) it asks nobody."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None

    @property
    def usable(self) -> bool:
        """Whether anybody is asked."""
        return self._path is not None

    def put(self, reason: str) -> None:
        """Ask for a restart; the file tells people why."""
        if self._path is not None:
            self._path.write_text(reason + "\n")

    def is_there(self) -> bool:
        """Whether the mark still stands."""
        return self._path is not None and self._path.exists()

    def clear(self) -> None:
        """Take it back: the restart has begun."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
