"""The zip of both functions, which Terraform uploads."""

import hashlib

from . import commands
from .commands import Command
from .installation import ROOT
from .outputs import Outputs
from .site import Site

_ZIP = ROOT / "dist" / "lambda.zip"


def shown(_: Site, __: Outputs) -> list[Command]:
    """What the step runs."""
    return [commands.lambda_zip()]


def done(_: Site) -> str | None:
    """Never known beforehand: it is built anew, and the same sources give the same bytes."""
    return None


def act(site: Site) -> str:
    """Build it."""
    site.runner.must(commands.lambda_zip())
    return f"dist/lambda.zip, sha256 {hashlib.sha256(_ZIP.read_bytes()).hexdigest()[:12]}"
