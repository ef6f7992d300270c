"""The environment."""

import pytest

from darkroom_agent.settings import SettingsError, describe_settings, from_environ

from .world import REQUIRED


def test_the_predecessors_environment_is_enough() -> None:
    """Its names, and its forms of the runtime's URL."""
    settings = from_environ({**REQUIRED, "API_BASE_URL": "http://localhost:8080/sdapi/v1/", "DYNAMIC_SD_MODEL": "True"})
    assert settings.base_url == "http://localhost:8080"
    assert settings.dynamic_model
    comfyui = from_environ({**REQUIRED, "RUNTIME_TYPE": "ComfyUI", "API_BASE_URL": "localhost:8188"})
    assert (comfyui.runtime_type, comfyui.base_url) == ("comfyui", "http://localhost:8188")


def test_an_openai_runtime_is_addressed_as_its_clients_do() -> None:
    """With `/v1` at the end or without; only it may run several jobs at once."""
    asked = {"RUNTIME_TYPE": "openai", "API_BASE_URL": "http://localhost:8000/v1/", "RUNTIME_CONCURRENCY": "4"}
    settings = from_environ({**REQUIRED, **asked, "RUNTIME_API_KEY": "sk-1"})
    assert settings.api_key == "sk-1"
    assert (settings.base_url, settings.concurrency) == ("http://localhost:8000", 4)


def test_every_mistake_is_told_at_once() -> None:
    """An operator mends them in one go."""
    environ = {
        **REQUIRED,
        "S3_BUCKET": "",
        "RUNTIME_TYPE": "invokeai",
        "VISIBILITY_SECONDS": "soon",
        "RUNTIME_CONCURRENCY": "0",
        "DYNAMIC_SD_MODEL": "maybe",
        "WARMUP_JOB": "{}",
        "API_BASE_URL": "ftp://x",
    }
    with pytest.raises(SettingsError) as error:
        from_environ(environ)
    lines = str(error.value).splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == [
        "S3_BUCKET",
        "RUNTIME_TYPE",
        "API_BASE_URL",
        "DYNAMIC_SD_MODEL",
        "RUNTIME_CONCURRENCY",
        "VISIBILITY_SECONDS",
        "WARMUP_JOB",
    ]
    assert "expected a whole number 2 … 43200, got 'soon'" in str(error.value)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"VISIBILITY_SECONDS": "30", "HEARTBEAT_SECONDS": "16"}, "HEARTBEAT_SECONDS: 16 must be at most half"),
        ({"BACKOFF_BASE_SECONDS": "10", "BACKOFF_CAP_SECONDS": "5"}, "must not be above BACKOFF_CAP_SECONDS"),
        ({"SQS_BULK_QUEUE_URL": "memory"}, "must be another queue"),
        ({"RUNTIME_TYPE": "comfyui", "DYNAMIC_SD_MODEL": "true"}, "only sdwebui switches"),
        ({"RUNTIME_CONCURRENCY": "2"}, "RUNTIME_CONCURRENCY: 2 is for openai alone"),
        ({"RECYCLE_AFTER_JOBS": "5"}, "RUNTIME_MARK_FILE: must be set"),
    ],
)
def test_what_is_wrong_only_together_is_refused(environ: dict[str, str], said: str) -> None:
    """A heartbeat that is not well under the visibility, and the like."""
    with pytest.raises(SettingsError, match=said):
        from_environ({**REQUIRED, **environ})


def test_a_key_that_cannot_be_sent_is_refused_without_being_shown() -> None:
    """A line break would end its header."""
    with pytest.raises(SettingsError, match=r"RUNTIME_API_KEY: expected printable ASCII, on one line$"):
        from_environ({**REQUIRED, "RUNTIME_TYPE": "openai", "RUNTIME_API_KEY": "sk-1\nX: y"})


def test_lists_are_read() -> None:
    """Ports as numbers, networks as networks; a wrong one is named."""
    settings = from_environ({**REQUIRED, "ALLOWED_INPUT_PORTS": "9000, 9443", "ALLOWED_INPUT_NETWORKS": "10.0.0.0/8"})
    assert settings.input_ports == {9000, 9443}
    assert str(settings.input_networks[0]) == "10.0.0.0/8"
    with pytest.raises(SettingsError, match="ALLOWED_INPUT_PORTS: expected a whole number 1 … 65535"):
        from_environ({**REQUIRED, "ALLOWED_INPUT_PORTS": "9000,http"})


def test_help_tells_every_variable() -> None:
    """Name, default, meaning."""
    text = describe_settings()
    assert "SQS_QUEUE_URL  (required)" in text
    assert "VISIBILITY_SECONDS  (60)" in text
