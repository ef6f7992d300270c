"""Where things are: flags, then the environment (`DARKROOM_…`), then a file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from .failures import NotReachable, Refused


@dataclass(frozen=True, slots=True)
class Config:
    """What is known, each name as in the file. Commands need only some of it; `file` is where it was looked for."""

    file: Path
    endpoint: str | None = None
    api_key: str | None = None
    output_bucket: str | None = None
    models_bucket: str | None = None
    queue_url_prefix: str | None = None
    jobs_topic_arn: str | None = None
    results_topic_arn: str | None = None
    region: str | None = None

    def need(self, name: str) -> str:
        """A value that a command cannot do without.

        Raises:
            NotReachable: nothing says where the API is.
            Refused: nothing says where something else is.
        """
        value: str | None = getattr(self, name)
        if value:
            return value
        where = f"DARKROOM_{name.upper()}, or `{name}` in {self.file}"
        if name == "endpoint":
            raise NotReachable(f"where is the API? Give --endpoint, {where}")
        raise Refused(f"what is the {name.replace('_', ' ')}? Give {where}; `terraform output -raw cli_config` has it")


NAMES = tuple(field.name for field in fields(Config) if field.name != "file")
"""What the file may hold; in the environment each has `DARKROOM_` before it, in upper case."""


def read_config(
    endpoint: str | None = None, api_key: str | None = None, environ: Mapping[str, str] = os.environ
) -> Config:
    """Put the three together; `DARKROOM_CONFIG` names another file than `~/.config/darkroom/config.toml`.

    Raises:
        Refused: the file is no TOML, or has something in it that Darkroom does not know.
    """
    stored = _file(environ)
    given = {name: environ.get(f"DARKROOM_{name.upper()}") for name in NAMES} | {
        name: value for name, value in (("endpoint", endpoint), ("api_key", api_key)) if value
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if value}
    return replace(stored, **values)


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """The bucket of models and named workflows, and its region; None is for AWS's own settings to say."""

    bucket: str
    region: str | None


def read_models_config(bucket: str | None, environ: Mapping[str, str] = os.environ) -> ModelsConfig:
    """The same for the models bucket: `models_bucket` and `region`.

    Raises:
        Refused: the file is no TOML, or nothing names the bucket.
    """
    config = read_config(environ=environ)
    name = bucket or config.models_bucket
    if not name:
        raise Refused(f"which bucket? Give --bucket, DARKROOM_MODELS_BUCKET, or `models_bucket` in {config.file}")
    return ModelsConfig(name, config.region)


def _file(environ: Mapping[str, str]) -> Config:
    path = Path(environ.get("DARKROOM_CONFIG") or Path.home() / ".config" / "darkroom" / "config.toml")
    try:
        found = tomllib.loads(path.read_text()) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise Refused(f"{path}: {error}") from error
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    for name, value in found.items():
        if name not in NAMES:
            raise Refused(f"{path}: `{name}` is not known here; known are {', '.join(NAMES)}")
        if not isinstance(value, str):
            raise Refused(f"{path}: `{name}` is a text, in quotes")
    return Config(path, **found)
