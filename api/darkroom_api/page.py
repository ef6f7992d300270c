"""The playground page: its files, and the headers that keep it to itself. Nothing outside this package is read."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_INDEX = "index.html"
_ASSETS = "/assets/"


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page, as it is sent: all of them are text."""

    body: str
    content_type: str
    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)


def page_file(path: str, origins: Sequence[str] = ()) -> PageFile | None:
    """The file at `/` or `/assets/<file>`, or None where the page has none.

    `origins` are those that pictures come from and input images go to (`https://bucket.s3.eu-west-1.amazonaws.com`).
    """
    name = _INDEX if path == "/" else path.removeprefix(_ASSETS) if path.startswith(_ASSETS) else ""
    read = _files().get(name)
    if read is None or (name == _INDEX) != (path == "/"):
        return None
    headers = {
        # Each answer is checked by its ETag, so that a new release shows at once and an old one costs no bytes.
        "Cache-Control": "no-cache",
        "Content-Security-Policy": content_security_policy(origins),
        "Cross-Origin-Opener-Policy": "same-origin",
        "ETag": read.etag,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return PageFile(read.body, read.content_type, read.etag, headers)


def content_security_policy(origins: Sequence[str]) -> str:
    """What the page may do: its own files, the API, and the bucket. Text never becomes markup (Trusted Types)."""
    bucket = "".join(f" {origin}" for origin in origins)
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: data:{bucket}",
        f"media-src 'self' blob:{bucket}",
        f"connect-src 'self'{bucket}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(rules)


@cache
def _files() -> Mapping[str, PageFile]:
    """Every file of the page by its name: a look-up in what is known, so that no path leads out of the folder."""
    found = {}
    for file in files("darkroom_api").joinpath("page").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind:
            body = file.read_text(encoding="utf-8")
            found[file.name] = PageFile(body, kind, f'"{hashlib.sha256(body.encode()).hexdigest()[:20]}"')
    return found
