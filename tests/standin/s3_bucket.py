"""A bucket: objects by key, conditional writes, listings, uploads in parts. Knows nothing of HTTP."""

import bisect
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from .wire import Refusal


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. `headers` are what a read gives back of its upload; `etag` is quoted; `modified` epoch seconds."""

    data: bytes
    etag: str
    headers: Mapping[str, str]
    checksums: Mapping[str, str] = field(default_factory=dict)
    modified: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a write asks of what is there: If-None-Match (only `*`) and If-Match."""

    absent: bool = False
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing; `last` is the key or common prefix it ended with, if there is more."""

    keys: tuple[str, ...]
    prefixes: tuple[str, ...]
    last: str | None


@dataclass(slots=True)
class Parts:
    """An upload in parts, not complete yet. `algorithm` is of the parts' checksums; `begun` epoch seconds."""

    key: str
    headers: Mapping[str, str]
    algorithm: str = ""
    parts: dict[int, Stored] = field(default_factory=dict)
    begun: float = field(default_factory=time.time)


class Bucket:
    """Objects and their keys in order (by code point, which is the order of their UTF-8 bytes)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.created = time.time()
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, Parts] = {}
        self._keys: list[str] = []

    def get(self, key: str) -> Stored:
        """An object.

        Raises:
            Refusal: NoSuchKey.
        """
        found = self.objects.get(key)
        if found is None:
            raise Refusal("NoSuchKey", "The specified key does not exist.", 404, Key=key)
        return found

    def put(self, key: str, stored: Stored, condition: Condition) -> None:
        """Write an object, if the condition holds.

        Raises:
            Refusal: PreconditionFailed, or NoSuchKey if there is none to match (S3 user guide, "Conditional writes").
        """
        self._check(key, condition)
        if key not in self.objects:
            bisect.insort(self._keys, key)
        self.objects[key] = stored

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        if self.objects.pop(key, None) is not None:
            del self._keys[bisect.bisect_left(self._keys, key)]

    def page(self, prefix: str, delimiter: str, after: str, limit: int) -> Page:
        """At most `limit` keys and common prefixes together that follow `after`."""
        keys: list[str] = []
        prefixes: list[str] = []
        at = max(bisect.bisect_left(self._keys, prefix), bisect.bisect_right(self._keys, after) if after else 0)
        while at < len(self._keys) and self._keys[at].startswith(prefix):
            key = self._keys[at]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            group = key[: cut + len(delimiter)] if cut >= 0 else None
            # All keys of a group at once: those of a long one would cost a page each.
            at = at + 1 if group is None else bisect.bisect_right(self._keys, group + "\U0010ffff")
            if group is not None and after.startswith(group):
                continue
            if len(keys) + len(prefixes) == limit:
                return Page(tuple(keys), tuple(prefixes), max([*keys[-1:], *prefixes[-1:]], default=after))
            if group is None:
                keys.append(key)
            else:
                prefixes.append(group)
        return Page(tuple(keys), tuple(prefixes), None)

    def begin(self, key: str, headers: Mapping[str, str], algorithm: str = "") -> str:
        """Begin an upload in parts; its id."""
        upload_id = uuid.uuid4().hex
        self.uploads[upload_id] = Parts(key, headers, algorithm)
        return upload_id

    def upload(self, upload_id: str) -> Parts:
        """An upload in parts.

        Raises:
            Refusal: NoSuchUpload.
        """
        found = self.uploads.get(upload_id)
        if found is None:
            raise Refusal("NoSuchUpload", "The specified upload does not exist.", 404, UploadId=upload_id)
        return found

    def complete(self, upload_id: str, chosen: list[tuple[int, str]], condition: Condition) -> Stored:
        """Make an object of the chosen parts (number and ETag), in their order.

        Raises:
            Refusal: NoSuchUpload, InvalidPart, InvalidPartOrder, or the condition does not hold.
        """
        upload = self.upload(upload_id)
        known = {number: part.etag.strip('"') for number, part in upload.parts.items()}
        if any(known.get(number) != etag.strip('"') for number, etag in chosen):
            raise Refusal("InvalidPart", "One or more of the specified parts could not be found.")
        numbers = [number for number, _ in chosen]
        if numbers != sorted(set(numbers)):
            raise Refusal("InvalidPartOrder", "The list of parts was not in ascending order.")
        data = [upload.parts[number].data for number in numbers]
        digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in data)
        etag = f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(data)}"'
        stored = Stored(b"".join(data), etag, upload.headers)
        self.put(upload.key, stored, condition)
        del self.uploads[upload_id]
        return stored

    def _check(self, key: str, condition: Condition) -> None:
        there = self.objects.get(key)
        if condition.absent and there is not None:
            raise unmet("If-None-Match")
        if condition.etag is not None and self.get(key).etag.strip('"') != condition.etag.strip('"'):
            raise unmet("If-Match")


def etag_of(data: bytes) -> str:
    """An object's ETag: its MD5, quoted."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def unmet(condition: str) -> Refusal:
    """The refusal of a condition that does not hold, by its header."""
    text = "At least one of the pre-conditions you specified did not hold"
    return Refusal("PreconditionFailed", text, 412, Condition=condition)
