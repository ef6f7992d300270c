"""Which function answers which method and path. A table and a pure look-up, so that requests may run side by side.

(AWS Lambda Powertools keeps the request in a class attribute; see docs/decisions/0007.)
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .http import Answer, Request
from .problems import Problem

type Routes[D] = Mapping[str, Mapping[str, Callable[[D, Request, str], Answer]]]
"""Path template to method to function. A template may have one `{name}`, which is one segment of the path."""


@dataclass(frozen=True, slots=True)
class Route[D]:
    """What was found: the function, and what stood in the template's place."""

    answer: Callable[[D, Request, str], Answer]
    argument: str


def find[D](routes: Routes[D], method: str, path: str) -> Route[D]:
    """The function that answers.

    Raises:
        Problem: 404 where nothing is at that path, 405 where the method is none of its.
    """
    for template, methods in routes.items():
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(template))
        found = re.fullmatch(pattern, path)
        if found is None:
            continue
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            raise Problem(405, "method-not-allowed", f"{path} takes {allowed}", headers={"Allow": allowed})
        return Route(methods[method], unquote(found[1]) if found.groups() else "")
    raise Problem(404, "no-such-path", "nothing is here; GET /v1/openapi.json lists what there is")
