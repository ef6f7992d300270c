"""Where a model comes from: a file or a URL, read in chunks from beginning to end."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from .failures import DarkroomError, NotFound, NotReachable, Refused

CHUNK_BYTES = 1024 * 1024
_TRIES = 6  # in a row that bring nothing
_PAUSE_SECONDS = 0.5


class Source(Protocol):
    """Something that can be read."""

    @property
    def name(self) -> str:
        """A file's name, without folders."""

    @property
    def size(self) -> int | None:
        """Bytes, if it tells."""

    def chunks(self) -> Iterator[bytes]:
        """All of it, from the beginning.

        Raises:
            DarkroomError: it could not be read to its end.
        """


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file."""

    path: Path
    size: int

    @property
    def name(self) -> str:
        """The file's own."""
        return self.path.name

    def chunks(self) -> Iterator[bytes]:
        """See `Source`."""
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise Refused(f"{self.path}: {error.strerror}") from error


def file_source(path: Path) -> FileSource:
    """A file that is there.

    Raises:
        Refused: it is not.
    """
    try:
        if not path.is_file():
            raise Refused(f"{path}: there is no such file")
        return FileSource(path, path.stat().st_size)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error


def sha256_of(source: Source, report: Callable[[int], None]) -> str:
    """The digest of all of it, in hex; `report` is told of bytes as they are read."""
    digest = hashlib.sha256()
    for chunk in source.chunks():
        digest.update(chunk)
        report(len(chunk))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A URL. A connection that breaks is taken up where it broke, if the server can (RFC 9110, Range and If-Range)."""

    url: str
    size: int | None
    etag: str | None
    client: httpx.Client = field(repr=False)

    @property
    def name(self) -> str:
        """The last step of its path."""
        return _name(self.url)

    def chunks(self) -> Iterator[bytes]:
        """See `Source`."""
        got, empty = 0, 0
        while True:
            before = got
            try:
                for chunk in self._from(got):
                    got += len(chunk)
                    yield chunk
                if self.size is None or got >= self.size:
                    return
                reason = f"the answer ended at {got} of {self.size} bytes"
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            empty = 1 if got > before else empty + 1
            if empty == _TRIES or (got and self.etag is None):
                raise NotReachable(f"{shown(self.url)}: {reason}; run the command again, what is stored stays stored")
            time.sleep(_PAUSE_SECONDS * 2**empty)

    def _from(self, offset: int) -> Iterator[bytes]:
        asked = {"Range": f"bytes={offset}-", "If-Range": self.etag or ""} if offset else {}
        # Compression would make the length and the offset those of other bytes.
        with self.client.stream("GET", self.url, headers={"Accept-Encoding": "identity", **asked}) as answer:
            _check(answer, self.url)
            if offset and answer.status_code != 206:
                raise DarkroomError(f"{shown(self.url)}: the connection broke, and the server has another file by now")
            yield from answer.iter_bytes()  # as they come: who gathers loses what it has when the connection breaks


def url_source(url: str, client: httpx.Client) -> UrlSource:
    """A URL that answers; its size and version are what the beginning of its answer says.

    Raises:
        DarkroomError: it does not.
    """
    try:
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            _check(answer, url)
            length, etag = answer.headers.get("Content-Length", ""), answer.headers.get("ETag", "")
    except httpx.InvalidURL as error:
        raise Refused(f"{shown(url)}: {error}") from error
    except httpx.HTTPError as error:
        raise NotReachable(f"{shown(url)}: {str(error) or type(error).__name__}") from error
    # A weak ETag does not promise the same bytes, so nothing can be taken up with it.
    return UrlSource(url, int(length) if length.isdigit() else None, etag if etag.startswith('"') else None, client)


def parts(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in parts of `size`; the last may be shorter."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= size:
            with memoryview(waiting) as view, view[:size] as first:
                part = bytes(first)
            del waiting[:size]
            yield part
    if waiting:
        yield bytes(waiting)


def shown(url: str) -> str:
    """A URL without what may be secret in it: user, password, query."""
    there = urlsplit(url)
    return f"{there.scheme}://{there.hostname or ''}{f':{there.port}' if there.port else ''}{there.path}"


def _name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _check(answer: httpx.Response, url: str) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise NotReachable(f"{shown(url)}: not allowed ({status}); give a token by --token-env")
    if status in (404, 410):
        raise NotFound(f"{shown(url)} is not there ({status})")
    if status >= 500 or status == 429:
        raise httpx.HTTPStatusError(f"answered {status}", request=answer.request, response=answer)
    if not answer.is_success:
        raise DarkroomError(f"{shown(url)} answered {status}")
