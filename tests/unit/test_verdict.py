"""What becomes of a webhook: decided by its answer, and put off by ever longer pauses."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_api.verdict import Delivered, Dropped, Failed, pause, verdict

AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    """Whatever of them the receiver prefers."""
    assert verdict(status, None, AT) == Delivered(status)


@pytest.mark.parametrize("status", [302, 303, 304, 400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_all_else_may_be_mended_at_the_receiver(status: int) -> None:
    """A wrong route or an expired token is a deployment away from being right."""
    assert verdict(status, None, AT) == Failed(f"the receiver answered {status}")


def test_410_is_final() -> None:
    """The receiver says that it never wants another."""
    assert isinstance(verdict(410, None, AT), Dropped)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("999999999999", 3600),
        ("Tue, 24 Nov 2026 12:10:00 GMT", 600),
        ("Tue, 24 Nov 2026 12:10:00 -0000", 600),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("soon", 0),
        ("", 0),
        ("Tue, 99 Nov 2026 12:10:00 GMT", 0),
        ("Tue, 24 Nov 2026 12:10:00 +9999", 0),
    ],
)
def test_a_receiver_may_ask_for_peace(text: str, seconds: float) -> None:
    """Retry-After in seconds or as a date, up to an hour; what cannot be read asks for nothing."""
    assert verdict(503, text, AT) == Failed("the receiver answered 503", seconds)


@given(st.text())
def test_no_retry_after_does_any_harm(text: str) -> None:
    """It is the receiver's to write."""
    answered = verdict(503, text, AT)
    assert isinstance(answered, Failed)
    assert 0 <= answered.after <= 3600


def test_pauses_double_up_to_an_hour() -> None:
    """From 5 … 10 s to half an hour … an hour; sixteen attempts take more than three hours, and less than a day."""
    failed = Failed("x")
    assert [pause(failed, receives, 0.0) for receives in (1, 2, 3, 9, 10, 16, 1000)] == [
        5,
        10,
        20,
        1280,
        1800,
        1800,
        1800,
    ]
    assert [pause(failed, receives, 1.0) for receives in (1, 2, 3, 9, 10, 16, 1000)] == [
        10,
        20,
        40,
        2560,
        3600,
        3600,
        3600,
    ]
    assert sum(pause(failed, receives, 0.0) for receives in range(1, 16)) > 3 * 3600
    assert sum(pause(failed, receives, 1.0) for receives in range(1, 16)) < 24 * 3600


def test_a_receivers_wish_lengthens_a_pause_and_never_shortens_it() -> None:
    """And an hour is the most."""
    assert pause(Failed("x", 60), 1, 0.5) == 60
    assert pause(Failed("x", 60), 9, 0.5) == 1920
    assert pause(Failed("x", 3600), 1, 0.5) == 3600
