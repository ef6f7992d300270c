"""What the docs tell receivers to run: it accepts what is sent, and nothing else."""

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from darkroom_api.standard_webhooks import read_secrets, signed_headers

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md"
SECRET, OTHER = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"k", b"o"))
BODY = '{"data": "ä"}'.encode()


def block(language: str) -> str:
    """The page's one block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def cases() -> list[tuple[bool, dict[str, str], bytes]]:
    """Verdict, headers and body."""
    now, key, other = int(time.time()), read_secrets(SECRET), read_secrets(OTHER)
    good = signed_headers("a.completed", now, BODY, key)
    return [
        (True, good, BODY),
        (True, signed_headers("a.completed", now, BODY, other + key), BODY),
        (False, good, BODY + b" "),
        (False, {**good, "webhook-id": "b.completed"}, BODY),
        (False, {**good, "webhook-timestamp": str(now - 1)}, BODY),
        (False, signed_headers("a.completed", now, BODY, other), BODY),
        (False, signed_headers("a.completed", now - 400, BODY, key), BODY),
        (False, {**good, "webhook-signature": "v1,"}, BODY),
    ]


def test_the_python_of_the_docs_verifies() -> None:
    """As it stands there."""
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 (our own page)
    for verdict, headers, body in cases():
        assert names["verify"](SECRET, headers, body) is verdict, headers


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_javascript_of_the_docs_verifies() -> None:
    """As it stands there, in whatever Node is at hand."""
    asked = [[SECRET, headers, base64.b64encode(body).decode()] for _, headers, body in cases()]
    call = f"{json.dumps(asked)}.map(([secret, headers, body]) => verify(secret, headers, Buffer.from(body, 'base64')))"
    done = subprocess.run(
        ["node", "-e", f"{block('js')}\nconsole.log(JSON.stringify({call}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [verdict for verdict, _, _ in cases()]
