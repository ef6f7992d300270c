"""Models: those of the installation's `models.txt`, put into the models bucket."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import commands
from .commands import Command
from .failures import Refused
from .installation import Installation
from .outputs import Outputs
from .site import Site


@dataclass(frozen=True, slots=True)
class Model:
    """A line of `models.txt`: where it comes from, its key in the bucket, its digest."""

    source: str
    key: str
    sha256: str


def listed(at: Installation) -> tuple[Model, ...]:
    """The models of the list; none without one.

    Raises:
        Refused: a line is not as it should be.
    """
    try:
        return tuple(_models(at.models.read_text(), at.folder))
    except FileNotFoundError:
        return ()


def _models(text: str, folder: Path) -> Iterator[Model]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 3 or not re.fullmatch(r"[0-9a-f]{64}", words[2]):
            raise Refused(f"models.txt:{number}: expected `address-or-file key sha256`, got {line.strip()!r}")
        source, key, sha256 = words
        # A file is named as it is seen from the list.
        yield Model(source if "://" in source else str(folder / source), key, sha256)


def shown(site: Site, outputs: Outputs) -> list[Command]:
    """What the step runs; nothing for a model that is there."""
    here = outputs.deployment
    return [
        commands.add_model(here.models_bucket, here.region, one.source, one.key, one.sha256) for one in listed(site.at)
    ]


def done(site: Site) -> str | None:
    """By S3: every model of the list is there with its digest."""
    found = listed(site.at)
    if not found:
        return "models.txt lists none"
    aws, bucket = site.aws(), site.outputs().deployment.models_bucket
    if all(aws.model_digest(bucket, one.key) == one.sha256 for one in found):
        return f"{len(found)} in s3://{bucket}"
    return None


def act(site: Site) -> str:
    """Put those that are missing there; an upload that was interrupted goes on where it was."""
    aws, here = site.aws(), site.outputs().deployment
    missing = [one for one in listed(site.at) if aws.model_digest(here.models_bucket, one.key) != one.sha256]
    for model in missing:
        site.screen.detail(f"sending {model.key}")
        site.runner.must(commands.add_model(here.models_bucket, here.region, model.source, model.key, model.sha256))
    return "stored " + ", ".join(one.key for one in missing)
