"""Looks at every line that the tests make anything log: no secret, pre-signed query or base64 may be in one."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_FORBIDDEN = {
    "a pre-signed query": r"(?i)(X-Amz-(Signature|Credential|Security-Token)|AWSAccessKeyId)=(?!\*\*\*)",
    "a name and password": r"(?i)https?://(?!\*\*\*@)[^/\s@\"]+:[^/\s@\"]*@",
    "an authorization": r"(?i)\b(bearer|basic) (?!\*\*\*)[\w.~+/=-]{12,}",
    "a signing secret": r"whsec_(?!\*\*\*)",
    "an access key": r"\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "base64": r"[A-Za-z0-9+/_-]{200,}",
}

found: list[str] = []
"""What was found since it was last asked for; whoever asks clears it."""


def look(line: str) -> None:
    """Look at a line of a log."""
    found.extend(
        f"{what} in a log: {line.strip()[:500]}" for what, pattern in _FORBIDDEN.items() if re.search(pattern, line)
    )


def look_at_files(folder: Path) -> int:
    """Look at all logs below a folder; how many lines they have."""
    count = 0
    for file in _logs(folder):
        for line in file.read_text(errors="replace").splitlines():
            look(f"{file.name}: {line}")
            count += 1
    return count


def processor(_logger: Any, _method: str, event: Any) -> Any:
    """Look at what this process logs: a structlog processor, after the product's own."""
    look(str(event))
    return event


def _logs(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*.log") if path.is_file())
