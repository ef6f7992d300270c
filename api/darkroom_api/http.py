"""Requests and answers: API Gateway's REST proxy events parsed into frozen types, and back.

The shape of events and answers: AWS, "Lambda proxy integrations in API Gateway".
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from darkroom_contract.api import MAX_BODY_BYTES
from darkroom_contract.decode import parse, show
from darkroom_contract.trace import XRAY_HEADER, TraceContext, of_traceparent, of_xray

from .problems import Problem, of_parameter
from .segments import new_trace

_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case; `base` is the stage's path (`/prod`), or nothing.

    `tenant` is whom the API key belongs to that came with it, if one did; `trace` is the trace that it belongs to.
    """

    method: str
    path: str
    base: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    tenant: str | None = None
    trace: TraceContext = field(default_factory=new_trace)

    def only(self, *names: str) -> None:
        """Refuse query parameters that are none of these: a misspelt filter must not pass for none.

        Raises:
            Problem: there is another one.
        """
        for name in self.query:
            if name not in names:
                raise of_parameter(name, f"no such parameter (known: {', '.join(names)})", show(self.query[name]))

    def json(self) -> Any:
        """The body as plain values.

        Raises:
            Problem: it has another content type.
            ContractError: it is no JSON.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "not-json-content", f"send `Content-Type: application/json`, not {show(kind)}")
        return parse(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: text, for none of the API's answers is binary."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """As API Gateway takes it."""
        return {"statusCode": self.status, "headers": {**_SAFE, **self.headers}, "body": self.body}


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """Any of the contract's types as JSON."""
    text = msgspec.json.encode(value).decode()
    return Answer(status, text, {"Content-Type": "application/json", **headers})


def problem_answer(problem: Problem) -> Answer:
    """A refusal as `application/problem+json`."""
    text = msgspec.json.encode(problem.document).decode()
    return Answer(problem.status, text, {"Content-Type": "application/problem+json", **problem.headers})


def request_of(event: dict[str, Any], tenants: Mapping[str, str], lambda_trace: str | None = None) -> Request:
    """Read a REST API proxy event; `lambda_trace` is what Lambda says of the invocation's trace (`_X_AMZN_TRACE_ID`).

    Raises:
        Problem: the body is too large, or no valid base64.
    """
    context = event.get("requestContext") or {}
    path = event.get("path") or "/"
    key_id = (context.get("identity") or {}).get("apiKeyId")
    whole = context.get("path") or path
    if path == "/" and not whole.endswith("/"):
        path = ""  # a stage's own address, without its last slash
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=str(event.get("httpMethod", "GET")),
        path=path,
        base=quote(whole.removesuffix(path)) if whole.endswith(path) else "",
        query=event.get("queryStringParameters") or {},
        headers=headers,
        body=_body(event),
        tenant=tenants.get(key_id, key_id) if key_id else None,
        trace=_trace(headers, lambda_trace),
    )


def _trace(headers: Mapping[str, str], lambda_trace: str | None) -> TraceContext:
    """The caller's own `traceparent` first; API Gateway has made its X-Ray header Lambda's already."""
    return (
        of_traceparent(headers.get("traceparent"))
        or of_xray(lambda_trace)
        or of_xray(headers.get(XRAY_HEADER.lower()))
        or new_trace()
    )


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        body = text.encode("utf-8", "surrogatepass")
    else:
        try:
            body = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Problem(400, "not-base64", "the body says it is base64 and is not") from error
    if len(body) > MAX_BODY_BYTES:
        raise Problem(
            413,
            "too-large",
            f"the body has {len(body)} bytes and {MAX_BODY_BYTES} are allowed;"
            " upload images by POST /v1/inputs and name their s3:// address",
        )
    return body
