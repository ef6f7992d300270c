"""Names of images as a pod's manifest has them. Pure.

Grammar of a reference: https://github.com/distribution/reference, without its defaults: what a snapshot holds under a
name that a pod does not use is of no use, so a registry is always named.
"""

import re
from dataclasses import dataclass

from .failures import Refused

_REFERENCE = re.compile(
    r"(?P<registry>[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?)/"
    r"(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<suffix>amazonaws\.[a-z.]+)")


@dataclass(frozen=True)
class Registry:
    """A private registry of ECR."""

    account: str
    region: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.{self.suffix}"


@dataclass(frozen=True)
class Reference:
    """An image's name: `registry/repository[:tag][@digest]`, with a tag, a digest, or both."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def ecr(self) -> Registry | None:
        """Which private registry of ECR this is in, if it is."""
        found = _ECR.fullmatch(self.registry)
        return Registry(**found.groupdict()) if found else None


def parse(text: str) -> Reference:
    """A reference from what was typed.

    Raises:
        Refused: it is none, or it names no registry, or neither tag nor digest.
    """
    found = _REFERENCE.fullmatch(text)
    registry = found["registry"] if found else ""
    if found is None or not ("." in registry or ":" in registry or registry == "localhost"):
        raise Refused(
            f"image {text!r}: write it as pods name it, registry first: "
            "`123456789012.dkr.ecr.eu-west-1.amazonaws.com/darkroom/comfyui:1.2`, or docker.io/library/… for Docker Hub"
        )
    reference = Reference(registry, found["repository"], found["tag"], found["digest"])
    if not (reference.tag or reference.digest):
        raise Refused(f"image {text!r} has neither tag nor digest: `latest` is no good name for what nodes must find")
    return reference
