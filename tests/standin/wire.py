"""What crosses between the port and the services: a call, an answer, a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. `path` is percent-decoded; header names are lower-case; `query` keeps blank values."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def origin(self) -> str:
        """The address that the caller used: queue URLs repeat it, so that they work wherever the caller is."""
        return f"http://{self.host}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An error as AWS gives it; each service writes it in its own protocol."""

    def __init__(self, code: str, message: str, status: int = 400, **details: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about: the service, the operation, and the queue, topic or bucket by name ("" if none)."""

    service: str
    operation: str
    resource: str = ""


class Service(Protocol):
    """One AWS service behind the port."""

    def subject(self, call: Call) -> Subject:
        """What the call is about.

        Raises:
            Refusal: no such operation.
        """

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Do it. `twice` asks for the duplicate that an at-least-once service may make.

        Raises:
            Refusal: as AWS would.
        """

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write a refusal in the service's protocol."""
