"""The AWS query protocol: parameters in a form, answers in XML. For SNS and STS."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .wire import Answer, Refusal

_XML = {"Content-Type": "text/xml"}


def parameters(body: bytes) -> dict[str, str]:
    """The form of a request.

    Raises:
        Refusal: it is not UTF-8.
    """
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError as error:
        raise Refusal("InvalidParameter", "The request is not UTF-8.") from error


def members(form: Mapping[str, str], name: str) -> Iterator[dict[str, str]]:
    """The entries of a list `name.1.…`, `name.2.…`: each with its own parameters, without the beginning."""
    index = 1
    while found := _below(form, f"{name}.{index}."):
        yield found
        index += 1


def _below(form: Mapping[str, str], start: str) -> dict[str, str]:
    return {key[len(start) :]: value for key, value in form.items() if key.startswith(start)}


def pairs(form: Mapping[str, str], name: str) -> dict[str, str]:
    """A map of strings, as `name.entry.1.key`, `name.entry.1.value`."""
    return {entry["key"]: entry.get("value", "") for entry in members(form, f"{name}.entry")}


def required(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there.

    Raises:
        Refusal: it is not.
    """
    value = form.get(name)
    if value is None:
        raise Refusal("InvalidParameter", f"Invalid parameter: {name}")
    return value


def written(value: Any) -> str:
    """Plain values as XML: objects by their keys, lists as `member`, pairs of a map (a tuple of them) as `entry`."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{written(one)}</{key}>" for key, one in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{written(one)}</member>" for one in value)
    if isinstance(value, tuple):
        return "".join(f"<entry>{written({'key': key, 'value': one})}</entry>" for key, one in value)
    return escape(str(value))


def answered(action: str, namespace: str, request_id: str, result: Any) -> Answer:
    """An answer; a result of None has no element."""
    inside = "" if result is None else f"<{action}Result>{written(result)}</{action}Result>"
    meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return Answer(200, f'<{action}Response xmlns="{namespace}">{inside}{meta}</{action}Response>'.encode(), _XML)


def refused(refusal: Refusal, namespace: str, request_id: str) -> Answer:
    """An error."""
    blame = "Sender" if refusal.status < 500 else "Receiver"
    error = written({"Type": blame, "Code": refusal.code, "Message": refusal.message})
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>'
    )
    return Answer(refusal.status, body.encode(), _XML)
