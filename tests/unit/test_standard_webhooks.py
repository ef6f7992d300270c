"""Signatures are as the Standard Webhooks specification has them, and its own library accepts them."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from darkroom_api.standard_webhooks import read_secrets, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"k" * 32).decode()


def test_the_vector_of_the_reference_libraries() -> None:
    """Each of the specification's libraries tests itself by this one."""
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', read_secrets(SECRET))
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True), st.text(), st.binary(min_size=24, max_size=64))
def test_the_official_library_accepts_what_is_signed(event_id: str, body: str, key: bytes) -> None:
    """And nothing that was changed after it."""
    headers = signed_headers(event_id, int(time.time()), body.encode(), (key,))
    receiver = Webhook(key)
    receiver.verify(body.encode(), headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(body.encode() + b" ", headers, json_parse=False)


def test_while_a_secret_is_replaced_both_sign() -> None:
    """A receiver may change over whenever it likes."""
    headers = signed_headers("a.completed", int(time.time()), b"{}", read_secrets(f"{OTHER} {SECRET}\n"))
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(b"{}", headers)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no secret"),
        (SECRET.removeprefix("whsec_"), "does not begin with whsec_"),
        ("whsec_not*base64", "no base64"),
        ("whsec_" + base64.b64encode(b"k" * 23).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(b"k" * 65).decode(), "65 bytes"),
        (f"{SECRET} whsec_", "0 bytes"),
    ],
)
def test_malformed_secrets_are_refused_and_not_shown(text: str, said: str) -> None:
    """The message says what is wrong with it and nothing of what it is."""
    with pytest.raises(ValueError, match=said) as refused:
        read_secrets(text)
    assert not any(word.removeprefix("whsec_") in str(refused.value) for word in text.split() if len(word) > 6)
