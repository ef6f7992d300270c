"""Where things are: flags, environment, file; and what is said when they are nowhere."""

from pathlib import Path

import pytest

from darkroom_cli.config import NAMES, read_config, read_models_config
from darkroom_cli.failures import NotReachable, Refused


def test_flags_come_before_the_environment_and_the_file(tmp_path: Path) -> None:
    """Each value by itself."""
    file = tmp_path / "config.toml"
    file.write_text('endpoint = "http://file"\napi_key = "of-file"\nregion = "eu-west-1"\n')
    environ = {"DARKROOM_CONFIG": str(file)}
    assert read_config(environ=environ).endpoint == "http://file"
    with_env = {**environ, "DARKROOM_ENDPOINT": "http://env", "DARKROOM_REGION": ""}
    assert read_config(environ=with_env).endpoint == "http://env"
    assert read_config(environ=with_env).region == "eu-west-1"
    flags = read_config("http://flag", None, with_env)
    assert (flags.endpoint, flags.api_key) == ("http://flag", "of-file")
    assert read_models_config("flag", environ).region == "eu-west-1"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    """With all the places where it could have been."""
    environ = {"DARKROOM_CONFIG": str(tmp_path / "none.toml")}
    with pytest.raises((NotReachable, Refused), match=f"DARKROOM_{name.upper()}, or `{name}` in .*none.toml"):
        read_config(environ=environ).need(name)
    assert read_config(environ={**environ, f"DARKROOM_{name.upper()}": "x"}).need(name) == "x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"endpoint =", "Invalid value"),
        (b"\xff", "config.toml"),
        (b'endpont = "x"', "`endpont` is not known here; known are endpoint, api_key"),
        (b"endpoint = 7", "`endpoint` is a text"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, text: bytes, message: str) -> None:
    """Is refused with its name: a misspelt line must not be passed over."""
    (tmp_path / "config.toml").write_bytes(text)
    with pytest.raises(Refused, match=message):
        read_config(environ={"DARKROOM_CONFIG": str(tmp_path / "config.toml")})
    with pytest.raises(Refused, match="Is a directory"):
        read_config(environ={"DARKROOM_CONFIG": str(tmp_path)})
