"""Fetches an artifact, streamed into a `.part` file that a later try goes on with; it gets its name with its digest."""

import asyncio
import hashlib
from pathlib import Path

import httpx

from darkroom_contract.api import ArtifactView

from .failures import DarkroomError, NotReachable

_TRIES = 4
_PAUSE_SECONDS = 0.25


async def download(bucket: httpx.AsyncClient, artifact: ArtifactView, folder: Path) -> Path:
    """Put an artifact into a folder under its own name; one that is there already is not fetched again.

    Raises:
        DarkroomError: its bytes are not those that the job document tells of, or the disk does not take them.
        NotReachable: the bucket does not answer, or its address has expired.
    """
    path = folder / plain_name(artifact.url.rpartition("/")[2])
    part = path.with_name(f"{path.name}.part")
    try:
        if await asyncio.to_thread(_sha256, path) == artifact.sha256:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        await _fetch(bucket, artifact, part)
        if await asyncio.to_thread(_sha256, part) != artifact.sha256:
            part.unlink()
            raise DarkroomError(f"{artifact.url} came with another SHA-256 than its job document says; nothing is kept")
        part.replace(path)
    except OSError as error:
        raise DarkroomError(f"{path}: {error.strerror or error}") from error
    return path


def plain_name(name: str) -> str:
    """A name that may become a file's or a folder's here, for it is the server's word.

    Raises:
        DarkroomError: it may not.
    """
    if name in ("", ".", "..") or not name.isprintable() or "/" in name or "\\" in name:
        raise DarkroomError(f"the API gave the name {name!r}, which no file here can have")
    return name


async def _fetch(bucket: httpx.AsyncClient, artifact: ArtifactView, part: Path) -> None:
    for attempt in range(1, _TRIES + 1):
        there = part.stat().st_size if part.exists() else 0
        if there == artifact.bytes:
            return
        if there > artifact.bytes:
            part.unlink()
            there = 0
        try:
            if await _append(bucket, artifact, part, there):
                return
        except httpx.HTTPError as error:
            if attempt == _TRIES:
                raise NotReachable(
                    f"{artifact.url}: {str(error) or type(error).__name__}; try again to go on"
                ) from error
        await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
    raise NotReachable(f"{artifact.url}: the bucket is busy; try again to go on")


async def _append(bucket: httpx.AsyncClient, artifact: ArtifactView, part: Path, there: int) -> bool:
    """Fetch what is missing; False where another try may help."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
    async with bucket.stream("GET", artifact.download_url, headers=headers) as answer:
        if answer.status_code in (429, 500, 502, 503, 504):
            return False
        if not answer.is_success:
            why = {403: "its address has expired, or may not be used from here", 404: "it is gone"}
            told = why.get(answer.status_code, f"the bucket answered {answer.status_code}")
            raise NotReachable(f"{artifact.url}: {told}")
        # 206 goes on where we were; 200 is the whole again, of a server that knows no ranges.
        with part.open("ab" if answer.status_code == 206 else "wb") as file:
            async for chunk in answer.aiter_bytes():
                await asyncio.to_thread(file.write, chunk)
    return True


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
