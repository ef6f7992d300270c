"""What an sdwebui server has by its own lists (checkpoints, samplers, schedulers), and which a job means. Pure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

_ENDINGS = (".safetensors", ".ckpt", ".gguf", ".pt")
_ANY = ("", "default", "automatic")  # leave the choice to the server


class Checkpoint(Struct, frozen=True):
    """An entry of `/sdapi/v1/sd-models`. The title is the file's path in the models folder, with ` [hash]` if known."""

    title: str
    model_name: str | None = None
    filename: str | None = None
    hash: str | None = None
    sha256: str | None = None


def find(checkpoints: Iterable[Checkpoint], wanted: str) -> Checkpoint | None:
    """The checkpoint that a name means, as the server reads it: any of its names, then the file's name alone."""
    listed = list(checkpoints)
    for reads in (_is_called, _has_file):
        for checkpoint in listed:
            if reads(checkpoint, wanted):
                return checkpoint
    return None


def is_loaded(checkpoint: Checkpoint, option: str | None) -> bool:
    """Whether the option `sd_model_checkpoint` names it. Loading may add the hash to the title."""
    return option is not None and (_is_called(checkpoint, option) or _bare(option) == _bare(checkpoint.title))


def plain(name: str) -> str:
    """A checkpoint's name without folder, extension and hash: what `info.sd_model_name` tells."""
    return _bare(name).rpartition("/")[2]


def _is_called(checkpoint: Checkpoint, name: str) -> bool:
    sha256 = checkpoint.sha256 or ""
    hashes = [one for one in (checkpoint.hash, sha256, sha256[:10]) if one]
    return name in (checkpoint.title, checkpoint.model_name, checkpoint.filename, *hashes)


def _has_file(checkpoint: Checkpoint, name: str) -> bool:
    wanted = _bare(name)
    return wanted in (_bare(checkpoint.title), _bare(checkpoint.filename or ""), plain(checkpoint.title))


def _bare(name: str) -> str:
    path = name.partition(" [")[0].replace("\\", "/").lower()
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return path


def nearest(checkpoints: Iterable[Checkpoint], wanted: str) -> str:
    """A few titles for a message, the likeliest first."""
    titles = [checkpoint.title for checkpoint in checkpoints]
    near = difflib.get_close_matches(wanted, titles, 3)
    return ", ".join(near + [title for title in titles if title not in near][: 5 - len(near)]) or "none"


type Choices = Mapping[str, str]
"""Samplers or schedulers: the server's own name by each way to spell it."""


def choices_of(entries: Any) -> Choices:
    """Choices of `/sdapi/v1/samplers` or `/sdapi/v1/schedulers`: by name, label and aliases."""
    return {
        _spelt(word): entry["name"]
        for entry in _listed(entries)
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
        for word in (entry["name"], entry.get("label"), *_listed(entry.get("aliases")))
        if isinstance(word, str)
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def choose(wanted: str, choices: Choices, endings: Iterable[str] = ()) -> str | None:
    """The server's own name for what a job calls `wanted`; None if it has none.

    `endings`: a sampler's name may end with a scheduler's, as before v1.9 (`DPM++ 2M Karras`).
    """
    spelt = _spelt(wanted)
    for ending in ("", *endings):
        name = choices.get(spelt.removesuffix(ending)) if spelt.endswith(ending) else None
        if name is not None:
            return name
    return None


def wish(body: dict[str, Any], name: str) -> str | None:
    """The choice that a request asks for; None if it leaves it to the server (or is for the server to refuse)."""
    wanted = body.get(name)
    return wanted if isinstance(wanted, str) and _spelt(wanted) not in _ANY else None


def near_choices(wanted: str, choices: Choices) -> Sequence[str]:
    """Names that were perhaps meant."""
    return [choices[spelt] for spelt in difflib.get_close_matches(_spelt(wanted), choices, 3)]


def _spelt(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")
