"""SSM's Parameter Store, as far as putting and getting a parameter goes (AWS Systems Manager API reference)."""

from typing import Any

import msgspec

from .wire import Answer, Call, Refusal, Subject

TARGET = "AmazonSSM."
_JSON = {"Content-Type": "application/x-amz-json-1.1"}


class _Request(msgspec.Struct, frozen=True, rename="pascal"):
    name: str
    value: str | None = None
    type: str = "String"
    overwrite: bool = False


class Ssm:
    """All parameters, by name."""

    def __init__(self) -> None:
        self.parameters: dict[str, _Request] = {}

    def subject(self, call: Call) -> Subject:
        """The operation by X-Amz-Target, the parameter by its name."""
        operation = call.headers["x-amz-target"].removeprefix(TARGET)
        if operation not in ("GetParameter", "PutParameter"):
            raise Refusal("UnknownOperationException", f"The stand-in has no {operation}.")
        return Subject("ssm", operation, msgspec.json.decode(call.body, type=_Request).name)

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Put or get one."""
        request = msgspec.json.decode(call.body, type=_Request)
        told = self._put(request) if subject.operation == "PutParameter" else self._get(request.name)
        return Answer(200, msgspec.json.encode(told), _JSON)

    def _put(self, request: _Request) -> dict[str, Any]:
        if request.name in self.parameters and not request.overwrite:
            raise Refusal("ParameterAlreadyExists", "The parameter already exists.")
        self.parameters[request.name] = request
        return {"Version": 1, "Tier": "Standard"}

    def _get(self, name: str) -> dict[str, Any]:
        found = self.parameters.get(name)
        if found is None:
            raise Refusal("ParameterNotFound", "")
        return {"Parameter": {"Name": name, "Type": found.type, "Value": found.value, "Version": 1}}

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write an error."""
        body = {"__type": refusal.code, "message": refusal.message}
        return Answer(refusal.status, msgspec.json.encode(body), _JSON)
