"""Problems: what is answered when a request is refused (RFC 9457), each with a stable code."""

import re

from darkroom_contract.api import Mistake, ProblemDocument
from darkroom_contract.decode import ContractError

_TITLES = {
    400: "The request cannot be read",
    403: "Not allowed",
    404: "Not found",
    405: "This method is not allowed here",
    409: "The job's state or request does not allow this",
    413: "The request is too large",
    415: "The content type is not accepted",
    422: "The request breaks the contract",
    500: "The API failed",
    503: "A service that the API needs is not available",
}
_STEP = re.compile(r"""\.([^.\[]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]""")


class Problem(Exception):
    """A refusal. `headers` are further headers of the answer, such as `Allow`."""

    def __init__(
        self, status: int, code: str, detail: str, *mistakes: Mistake, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.document = ProblemDocument(
            type=f"/problems/{code}", title=_TITLES[status], status=status, detail=detail, errors=mistakes
        )


def of_contract(error: ContractError, status: int = 422) -> Problem:
    """What a mistake against the contract is answered with: 400 for what is no JSON, else `status` with the field."""
    detail = f"expected {error.expected}, got {error.got}"
    if error.path == "$" and error.expected.startswith("JSON"):
        return Problem(400, "not-json", f"the body: {detail}")
    return Problem(status, "invalid", str(error), Mistake(detail=detail, pointer=pointer(error.path)))


def of_parameter(name: str, expected: str, got: str) -> Problem:
    """What a wrong query parameter or header is answered with."""
    detail = f"expected {expected}, got {got}"
    return Problem(422, "invalid", f"{name}: {detail}", Mistake(detail=detail, parameter=name))


def pointer(path: str) -> str:
    """The JSON Pointer (as a URI fragment) of a JSONPath: `$.input["6"].text` is `#/input/6/text`."""
    steps = [dotted or index or quoted for dotted, index, quoted in _STEP.findall(path)]
    return "#" + "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
