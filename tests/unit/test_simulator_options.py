"""How a simulator is started."""

import pytest

from darkroom_simulator.options import Options, parse_options


def test_flags_go_before_variables_and_variables_before_defaults() -> None:
    """Each variable is the flag's name in capitals, after SIMULATOR_."""
    environ = {"SIMULATOR_TYPE": "comfyui", "SIMULATOR_LATENCY": "0.5", "SIMULATOR_IMAGE_BYTES": "10"}
    options = parse_options(["--latency", "2"], environ)
    assert options == Options(type="comfyui", latency=2.0, image_bytes=10)


def test_models_are_a_list() -> None:
    """By commas, in a flag and in a variable."""
    assert parse_options(["--type", "sdwebui", "--models", "a, b"], {}).models == ("a", "b")
    assert parse_options([], {"SIMULATOR_TYPE": "sdwebui", "SIMULATOR_MODELS": "c,d"}).models == ("c", "d")


@pytest.mark.parametrize("flags", [[], ["--type", "invokeai"], ["--type", "sdwebui", "--latency", "soon"]])
def test_wrong_ones_are_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With usage."""
    with pytest.raises(SystemExit):
        parse_options(flags, {})
    assert "usage: python -m darkroom_simulator" in capsys.readouterr().err


def test_a_wrong_type_in_the_environment_is_refused() -> None:
    """As one on the command line is."""
    with pytest.raises(SystemExit):
        parse_options([], {"SIMULATOR_TYPE": "invokeai"})
