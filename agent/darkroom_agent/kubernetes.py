"""Ask Kubernetes' API, as the pod's service account may.

Few calls are made, so each reads the token anew, for it rotates, and keeps no connection.
"""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import msgspec

from .settings import Settings

_ANSWER_SECONDS = 10.0
_ANSWER_BYTES = 4 * 1024 * 1024  # a node's object names every image that it holds
_MERGE_PATCH = "application/merge-patch+json"  # RFC 7386: null removes


class KubernetesFailed(Exception):
    """The API did not do what it was asked; the message says why."""


def address(settings: Settings) -> str | None:
    """URL of the API, or None outside a pod."""
    host = settings.kubernetes_host
    if host is None:
        return None
    return f"https://{f'[{host}]' if ':' in host else host}:{settings.kubernetes_port}"


async def call(method: str, url: str, service_account: Path, patch: bytes | None = None) -> bytes:
    """The answer's body; `patch` is a JSON merge patch.

    Raises:
        KubernetesFailed: refused, unreachable, or not within ten seconds.
    """
    try:
        token, trusted = await asyncio.to_thread(_credentials, service_account)
        headers = {"Authorization": f"Bearer {token}"} | ({"Content-Type": _MERGE_PATCH} if patch else {})
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS)) as session,
            session.request(method, url, data=patch, headers=headers, ssl=trusted) as answer,
        ):
            if answer.status != 200:
                raise KubernetesFailed(f"Kubernetes answered {answer.status}: {_said(await answer.content.read(4096))}")
            return await _body(answer)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # OSError: TimeoutError and ssl.SSLError, too
        raise KubernetesFailed(f"Kubernetes: {str(error) or type(error).__name__}") from error


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > _ANSWER_BYTES:
            raise KubernetesFailed(f"Kubernetes: its answer has more than {_ANSWER_BYTES} bytes")
    return bytes(body)


def _credentials(service_account: Path) -> tuple[str, ssl.SSLContext]:
    token = (service_account / "token").read_text().strip()
    return token, ssl.create_default_context(cafile=service_account / "ca.crt")


def _said(body: bytes) -> str:
    """The message of a `Status` object, or the beginning of whatever came."""
    try:
        status = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        status = None
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or body.decode("utf-8", "replace"))[:300]
