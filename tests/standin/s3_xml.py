"""S3's XML: documents of answers written, those of requests read."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from .wire import Refusal

XML = {"Content-Type": "application/xml"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def document(root: str, inside: str, *, namespace: bool = True) -> bytes:
    """A whole document; `inside` is XML."""
    space = f' xmlns="{_NAMESPACE}"' if namespace else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{space}>{inside}</{root}>'.encode()


def elements(told: Mapping[str, Any]) -> str:
    """One element a name, its value as text."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items())


def parsed(body: bytes) -> ET.Element:
    """The root of a request's document.

    Raises:
        Refusal: MalformedXML.
    """
    try:
        return ET.fromstring(body)  # noqa: S314 (on loopback, from the tests' own clients)
    except ET.ParseError as error:
        raise malformed() from error


def malformed() -> Refusal:
    """The refusal of a document that is none, or not the one that was asked for."""
    return Refusal("MalformedXML", "The XML you provided was not well-formed or did not validate against our schema")
