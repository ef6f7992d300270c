"""Local images in requests: which texts name one, and what a file is by its bytes; moments beside them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from darkroom_cli import images
from darkroom_cli.failures import Refused
from darkroom_cli.images import content_type, local_images, may_hold_files, with_images
from darkroom_cli.moments import moment

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_only_image_fields_name_files(tmp_path: Path) -> None:
    """And only by texts that end as images do, and are no addresses."""
    (tmp_path / "a.png").touch()
    (tmp_path / "secret").touch()
    body = {
        "prompt": "a.png",
        "init_images": ["a.png", "b.png", "https://x.example/a.png", "data:image/png;base64,a.png", "secret"],
        "10": {"inputs": {"image": "a.png", "text": "a.png"}},
        "mask": 7,
        "imageList": [{"data": "a.png", "name": "a.png"}],
    }
    places = {("init_images", 0), ("10", "inputs", "image"), ("imageList", 0, "data")}
    assert local_images(body, tmp_path).keys() == places
    changed = with_images(body, {("10", "inputs", "image"): "s3://b/k"})
    assert changed["10"]["inputs"] == {"image": "s3://b/k", "text": "a.png"}
    assert body["10"] == {"inputs": {"image": "a.png", "text": "a.png"}}


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    """A bare name may be the runtime's own; a path is meant for here."""
    assert local_images({"image": "x.png"}, tmp_path) == {}
    with pytest.raises(Refused, match=r"init_images\.1: there is no file .*/pictures/x\.png"):
        local_images({"init_images": ["x.png", "pictures/x.png"]}, tmp_path)


@pytest.mark.parametrize(
    ("params", "holds"),
    [({"a": "me.png"}, True), ({"a": "me", "b": 1}, False), ({"a": "s3://b/me.png"}, False), ("me.png", False)],
)
def test_parameters_that_may_hold_files(params: object, holds: bool) -> None:
    """Only then its workflow is looked at."""
    assert may_hold_files(params) is holds


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
    ],
)
def test_an_image_is_known_by_its_bytes(tmp_path: Path, data: bytes, kind: str) -> None:
    """Whatever its name says."""
    (tmp_path / "a.txt").write_bytes(data)
    assert content_type(tmp_path / "a.txt") == kind


def test_what_is_no_image_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what is too large, or not there."""
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(Refused, match="is no image"):
        content_type(tmp_path / "a.png")
    with pytest.raises(Refused, match="No such file"):
        content_type(tmp_path / "b.png")
    monkeypatch.setattr(images, "MAX_INPUT_BYTES", 3)
    with pytest.raises(Refused, match="has 4 bytes; an input image may have 3"):
        content_type(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-11-24T09:00:00Z", NOW - timedelta(hours=3)),
        ("2026-11-24T10:00:00+01:00", NOW - timedelta(hours=3)),
        ("2026-11-24", NOW - timedelta(hours=12)),
    ],
)
def test_moments(text: str, at: datetime) -> None:
    """A time ago, or a date and time, in UTC unless it says otherwise."""
    assert moment(text, NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "999999w", "7 d", "٣d"])
def test_what_is_no_moment(text: str) -> None:
    """Is refused, with how it is written."""
    with pytest.raises(Refused, match="write 90m"):
        moment(text, NOW)
