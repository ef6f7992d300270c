"""Where things are: flags, then the environment (`DARKROOM_…`), then a file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failures import NotReachable, Refused


@dataclass(frozen=True, slots=True)
class Config:
    """The API's address and the tenant's key."""

    endpoint: str
    api_key: str | None


def read_config(endpoint: str | None, api_key: str | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Put the three together; `DARKROOM_CONFIG` names another file than `~/.config/darkroom/config.toml`.

    Raises:
        Refused: the file is no TOML.
        NotReachable: nothing says where the API is.
    """
    path, stored = _file(environ)
    where = endpoint or environ.get("DARKROOM_ENDPOINT") or stored.get("endpoint")
    if not where:
        raise NotReachable(f"where is the API? Give --endpoint, DARKROOM_ENDPOINT, or `endpoint` in {path}")
    return Config(str(where), api_key or environ.get("DARKROOM_API_KEY") or stored.get("api_key"))


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
    path, stored = _file(environ)
    name = bucket or environ.get("DARKROOM_MODELS_BUCKET") or stored.get("models_bucket")
    if not name:
        raise Refused(f"which bucket? Give --bucket, DARKROOM_MODELS_BUCKET, or `models_bucket` in {path}")
    return ModelsConfig(str(name), environ.get("DARKROOM_REGION") or stored.get("region"))


def _file(environ: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
    path = Path(environ.get("DARKROOM_CONFIG") or Path.home() / ".config" / "darkroom" / "config.toml")
    try:
        return path, tomllib.loads(path.read_text()) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise Refused(f"{path}: {error}") from error
