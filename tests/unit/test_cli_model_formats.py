"""What may be put into the models bucket: models, and no programs unless they are wanted."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_cli.failures import Refused
from darkroom_cli.model_formats import check_model

HEADER = json.dumps({"__metadata__": {"format": "pt"}}).encode()
SAFETENSORS = len(HEADER).to_bytes(8, "little") + HEADER + bytes(16)


@pytest.mark.parametrize(
    ("key", "head"),
    [
        ("a.safetensors", SAFETENSORS),
        ("a.SafeTensors", SAFETENSORS[:20]),  # a header longer than what is looked at
        ("a.gguf", b"GGUF\x03\x00"),
        ("a.yaml", b"model:\n"),
        ("a.onnx", b"\x08\x07\x12\x07pytorch"),
    ],
)
def test_models_pass(key: str, head: bytes) -> None:
    """Formats that are data, by name and by content."""
    check_model(key, head, allow_pickle=False)


@pytest.mark.parametrize(
    ("key", "head", "reason"),
    [
        ("a.safetensors", b"", "the file is empty"),
        ("a.safetensors", b"\n<!DOCTYPE html><html>", "this is a web page"),
        ("a.ckpt", b"<html>", "this is a web page"),
        ("a.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("a.safetensors", SAFETENSORS[:8], "no safetensors file"),
        ("a.safetensors", b"PK\x03\x04 archive/data.pkl", "no safetensors file"),
        ("a.safetensors", (10).to_bytes(8, "little") + b'{"a": nope}', "header is broken"),
        ("a.safetensors", bytes([255] * 8) + HEADER, "no safetensors file"),
        ("a.gguf", b"GGML", "no GGUF file"),
    ],
)
def test_what_is_no_model_is_refused(key: str, head: bytes, reason: str) -> None:
    """Also for who accepts pickles: a sign-in page is none."""
    with pytest.raises(Refused, match=reason):
        check_model(key, head, allow_pickle=True)


@pytest.mark.parametrize(
    ("key", "head"),
    [
        ("a.ckpt", b"anything"),
        ("a.PT", b"anything"),
        ("a.bin", b"anything"),
        ("a.dat", b"\x80\x02}q\x00"),
        ("a", b"PK\x03\x04\x00\x00archive/data.pkl"),
    ],
)
def test_a_pickle_must_be_asked_for(key: str, head: bytes) -> None:
    """By its name, or by its bytes under another."""
    with pytest.raises(Refused, match=r"pickle, a program .* --allow-pickle"):
        check_model(key, head, allow_pickle=False)
    check_model(key, head, allow_pickle=True)


@given(st.binary(max_size=64), st.sampled_from([".safetensors", ".gguf", ".ckpt", ".yaml"]), st.booleans())
def test_any_bytes_pass_or_are_refused(head: bytes, kind: str, allow_pickle: bool) -> None:
    """Never anything else."""
    with suppress(Refused):
        check_model(f"a{kind}", head, allow_pickle=allow_pickle)
