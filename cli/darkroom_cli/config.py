"""Where the API is: flags, then the environment, then a file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    path = Path(environ.get("DARKROOM_CONFIG") or Path.home() / ".config" / "darkroom" / "config.toml")
    try:
        stored = tomllib.loads(path.read_text()) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise Refused(f"{path}: {error}") from error
    where = endpoint or environ.get("DARKROOM_ENDPOINT") or stored.get("endpoint")
    if not where:
        raise NotReachable(f"where is the API? Give --endpoint, DARKROOM_ENDPOINT, or `endpoint` in {path}")
    return Config(str(where), api_key or environ.get("DARKROOM_API_KEY") or stored.get("api_key"))
