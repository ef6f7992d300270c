"""What a model file is, by its first bytes: no web page under a model's name, and no pickle unless it is wanted. Pure.

A pickle (`.ckpt`, `.pt`, `.pth`, `.bin`) is a program that runs when it is loaded; safetensors and GGUF are data.
"""

import json
from pathlib import PurePosixPath

from .failures import Refused

HEAD_BYTES = 64 * 1024
"""So much of the beginning is looked at."""

_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"})
_LONGEST_HEADER = 100_000_000  # bytes, of safetensors (its format description)
_PAGE = (b"<!doctype html", b"<html", b"<?xml")


def check_model(key: str, head: bytes, *, allow_pickle: bool) -> None:
    """Check a model's name and first bytes.

    Raises:
        Refused: it is not what its name says, or a pickle that nobody asked for.
    """
    kind = PurePosixPath(key).suffix.lower()
    if not head:
        raise Refused(f"{key}: the file is empty")
    if head.lstrip()[:20].lower().startswith(_PAGE):
        raise Refused(f"{key}: this is a web page, not a model; its site may want a token (--token-env)")
    if head.startswith(b"version https://git-lfs"):
        raise Refused(f"{key}: this is a Git LFS pointer, not the model; fetch the file itself (`git lfs pull`)")
    if kind == ".safetensors":
        _check_safetensors(key, head)
    elif kind == ".gguf" and not head.startswith(b"GGUF"):
        raise Refused(f"{key}: this is no GGUF file, it does not begin with GGUF")
    elif not allow_pickle and (kind in _PICKLES or _is_pickle(head)):
        raise Refused(
            f"{key}: this is a pickle, a program that runs on the GPU node when it is loaded. Take a .safetensors "
            "file, or say --allow-pickle if you trust who made it"
        )


def _check_safetensors(key: str, head: bytes) -> None:
    """The length of its header in 8 bytes, then the header, a JSON object (safetensors, "Format")."""
    length = int.from_bytes(head[:8], "little")
    header = head[8 : 8 + length]
    if len(head) <= 8 or not 2 <= length <= _LONGEST_HEADER or not header.startswith(b"{"):
        raise Refused(f"{key}: this is no safetensors file; was it cut short, or is it something else by that name?")
    if length <= len(header):
        try:
            json.loads(header)
        except ValueError as error:
            raise Refused(f"{key}: its safetensors header is broken ({error})") from error


def _is_pickle(head: bytes) -> bool:
    """Protocol 2 and later begin so; PyTorch writes a zip with `data.pkl` in it."""
    return (head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}) or (
        head.startswith(b"PK\x03\x04") and b"/data.pkl" in head
    )
