"""What every image of ours promises, whatever runs in it."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.images.engine import Engine

Build = Callable[[str], str]
IMAGES = ("agent", "simulator", "local")
MOST_BYTES = 200_000_000
# What each misses first, and what is run of an image with several programs.
_WANTED = {"agent": "SQS_QUEUE_URL", "simulator": "--type", "local": "AWS_ENDPOINT_URL"}
_COMMANDS = {"local": ("darkroom_local.setup",)}
# Looks through an image from inside; what should not be there is printed as JSON.
_LOOK = """
import importlib.util, json, os, pathlib, shutil
tools = "pip pip3 uv gcc cc g++ clang make cmake ld as git curl wget npm cargo go".split()
modules = "pip ensurepip setuptools wheel pytest".split()
found = [tool for tool in tools if shutil.which(tool)]
found += [module for module in modules if importlib.util.find_spec(module)]
def files(folder):
    for path, _, names in os.walk(folder):
        yield from (pathlib.Path(path, name) for name in names)
for folder in ("/app", "/packages", "/etc/uv", "/home", "/opt", "/root", "/tmp", "/var/cache/uv"):
    for path in files(folder):
        if path.suffix in {".key", ".env", ".p12"} or path.name in {"credentials", "uv.toml", ".netrc", "pip.conf"}:
            found.append(str(path))
        elif os.access(path, os.W_OK):
            found.append(f"{path} can be written")
print(json.dumps(found))
"""


@pytest.fixture(params=IMAGES)
def name(request: pytest.FixtureRequest) -> str:
    """Of an image."""
    return str(request.param)


def config(docker: Engine, image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]
    return found


def test_it_is_small(docker: Engine, image: Build, name: str) -> None:
    """At most 200 MB, base image included: a node pulls it while a job waits."""
    assert config(docker, image(name))["Size"] <= MOST_BYTES


def test_it_runs_as_nobody_in_particular(docker: Engine, image: Build, name: str) -> None:
    """By number, so that Kubernetes can see that it is not root."""
    user = config(docker, image(name))["Config"]["User"]
    assert all(part.isdigit() and int(part) > 0 for part in user.split(":"))


def test_it_says_what_it_is(docker: Engine, image: Build, name: str) -> None:
    """By the annotations of the OCI, with the commit that it was made of."""
    labels = config(docker, image(name))["Config"]["Labels"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    told = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}
    assert told["title"] == f"darkroom-{name}"
    assert told["revision"] == head
    assert told["licenses"] == "Apache-2.0"
    assert {"description", "version", "created"} <= told.keys()


def test_it_holds_no_build_tool_no_secret_and_nothing_to_overwrite(docker: Engine, image: Build, name: str) -> None:
    """Seen from inside, as its own user."""
    found = docker("run", "--rm", "--network", "none", "--entrypoint", "python", image(name), "-c", _LOOK)
    assert json.loads(found) == []


def test_its_history_tells_no_secret(docker: Engine, image: Build, name: str) -> None:
    """Neither the variables it is run with nor those it was built with."""
    inspected = config(docker, image(name))["Config"]["Env"]
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image(name))
    secret = re.compile(r"secret|token|password|access_key|index_url|://[^/\s]*@", re.IGNORECASE)
    assert secret.findall("\n".join([*inspected, history.replace("type=secret", "")])) == []


def test_a_wrong_environment_is_told_at_once(docker: Engine, image: Build, name: str) -> None:
    """With a status that is not 0, and words that name a variable."""
    with pytest.raises(subprocess.CalledProcessError) as failure:
        docker("run", "--rm", "--network", "none", image(name), *_COMMANDS.get(name, ()))
    assert _WANTED[name] in failure.value.stderr.decode()


def test_it_leaves_even_while_it_starts(docker: Engine, image: Build) -> None:
    """SIGTERM comes before Python handles it; process 1 would ignore it, and be killed after the grace time (137)."""
    running = docker("run", "--detach", "--network", "none", image("simulator"), "--type", "sdwebui").strip()
    docker("stop", "--time", "20", running)
    status = docker("inspect", "--format", "{{.State.ExitCode}}", running).strip()
    docker("rm", running)
    assert status != "137"
