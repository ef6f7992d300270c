"""Standard Webhooks: the headers that tell a receiver who sent a webhook, when, and that nobody changed it.

Protocol: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64  # bytes of a secret, as the specification has them


def read_secrets(text: str) -> tuple[bytes, ...]:
    """The keys of `whsec_<base64>`, or of several, separated by blanks: while one is replaced, both sign.

    Raises:
        ValueError: there is none, or one is malformed; the message does not show it.
    """
    secrets = tuple(_key(word) for word in text.split())
    if not secrets:
        raise ValueError("there is no secret in it")
    return secrets


def _key(word: str) -> bytes:
    if not word.startswith(_PREFIX):
        raise ValueError(f"a secret does not begin with {_PREFIX}")
    try:
        key = base64.b64decode(word.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {_PREFIX} is no base64") from error
    if not _LEAST <= len(key) <= _MOST:
        raise ValueError(f"a secret has {len(key)} bytes, and {_LEAST} to {_MOST} are allowed")
    return key


def signed_headers(event_id: str, at: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of one attempt to send `body` at a moment (Unix seconds); a signature for each secret."""
    signed = f"{event_id}.{at}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
