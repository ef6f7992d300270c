"""Images of real runtimes: all that their builds do, but with stand-ins for torch and the sources."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripts.bootstrap import ROOT

from tests.images.built import make_bases
from tests.images.containers import Container, container
from tests.images.engine import Engine
from tests.images.missing import missing
from tests.images.unavailable import Unavailable

# Answers as the server would, at the port and the path that its flags and its type say, and shows its flags.
# Before that it makes the folder that the WebUI makes (modules/shared_init.py).
_SERVER = """
import http.server, json, os, sys
import six
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/queue", "/sdapi/v1/options") else 404)
        self.end_headers()
if "--hypernetwork-dir" in sys.argv:
    os.makedirs(sys.argv[sys.argv.index("--hypernetwork-dir") + 1], exist_ok=True)
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Answer)
print("home " + os.environ.get("HF_HOME", ""), flush=True)
print("listening " + json.dumps(sys.argv[1:]), flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class Runtime:
    """What differs between them."""

    name: str
    program: str
    further: str
    flags_for_cpu: tuple[str, ...]
    flavour: str


RUNTIMES = (
    Runtime("comfyui", "main.py", "custom_nodes", ("--cpu",), "comfyui"),
    Runtime("sdwebui", "launch.py", "extensions", ("--use-cpu", "all", "--skip-torch-cuda-test"), "sdwebui"),
    Runtime("sdwebui", "launch.py", "extensions", ("--always-cpu", "--skip-torch-cuda-test"), "forge"),
)
WEBUIS = RUNTIMES[1:]


def context(runtime: Runtime, folder: Path) -> Path:
    """A context to build in: our files, a lock of one package, and a server of ours in place of the sources."""
    shutil.copy(ROOT / ".dockerignore", folder)
    shutil.copytree(ROOT / "images" / runtime.name, folder / "images" / runtime.name)
    (folder / "requirements").mkdir()
    lock = (ROOT / "requirements" / "agent.txt").read_text()
    six = re.search(r"^six==.*\n(?:    --hash.*\n)+", lock, re.MULTILINE)
    assert six is not None
    for name in (f"{runtime.flavour}-torch.txt", f"{runtime.flavour}.txt"):
        (folder / "requirements" / name).write_text(six[0])
    sources = folder / "images" / runtime.name / "sources"
    (sources / "server").mkdir(parents=True)
    (sources / "server" / runtime.program).write_text(_SERVER)
    for clone in (sources / "server", sources / runtime.further / "first"):
        (clone / ".git").mkdir(parents=True)
        (clone / ".git" / "config").write_text('[remote "origin"]\n\turl = https://me:secret@git.example.com/a.git\n')
    (sources / runtime.further / "first" / "__init__.py").write_text("")
    return folder


def built(docker: Engine, runtime: Runtime, folder: Path) -> str:
    """Build it as the documentation says for a network without Git; its tag."""
    tag = f"darkroom/test-{runtime.flavour}"
    arguments = ("--build-arg", "SOURCES=folder", "--build-arg", f"FLAVOUR={runtime.flavour}")
    docker("build", "--file", f"{folder}/images/{runtime.name}/Dockerfile", *arguments, "--tag", tag, str(folder))
    return tag


@pytest.fixture(scope="module", params=RUNTIMES, ids=[one.flavour for one in RUNTIMES])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """Each of them."""
    one: Runtime = request.param
    return one


@pytest.fixture(scope="module")
def folder(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The context of its build."""
    return context(runtime, tmp_path_factory.mktemp(runtime.flavour))


@pytest.fixture(scope="module")
def tag(docker: Engine, runtime: Runtime, folder: Path) -> Iterator[str]:
    """It, built; removed at the end."""
    try:
        make_bases(docker, runtime.name)
    except Unavailable as reason:
        missing(str(reason))
    with ExitStack() as stack:
        made = built(docker, runtime, folder)
        stack.callback(docker, "image", "rm", "--force", made)
        yield made


def locked_up(marks: Path) -> tuple[str, ...]:
    """Options of a container that can write where a pod's can."""
    marks.chmod(0o777)
    return (
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"),
        *("--tmpfs", "/tmp:mode=1777", "--volume", f"{marks}:/run/darkroom"),  # noqa: S108 (the container's own)
    )


async def healthy(running: Container) -> bool:
    """Whether the image's own health check passes."""
    check = (await running.inspect())["Config"]["Healthcheck"]["Test"][1:]
    try:
        await running.call("exec", running.name, *check)
    except subprocess.CalledProcessError:
        return False
    return True


async def test_it_starts_without_a_gpu_and_stops(docker: Engine, runtime: Runtime, tag: str, tmp_path: Path) -> None:
    """By `--cpu`, with nothing to write to but /tmp, as nobody in particular; SIGTERM ends what sets no handler."""
    command = ("--cpu", "--further")
    async with container(docker, tag, {}, locked_up(tmp_path), command) as running:
        flags = json.loads((await running.says("listening")).partition(" ")[2])
        assert set(runtime.flags_for_cpu) < set(flags)
        assert flags[-1] == "--further"
        assert await healthy(running)
        assert (await running.call("exec", running.name, "id", "-u")) == "65532"
        assert await running.stop(grace=5) == 128 + signal.SIGTERM


@pytest.mark.parametrize("runtime", WEBUIS, indirect=True, ids=[one.flavour for one in WEBUIS])
async def test_a_models_bucket_need_not_have_every_folder(docker: Engine, tag: str, tmp_path: Path) -> None:
    """Mounted to be read only: what is there is used, tokenizers too; for the rest it has folders of its own."""
    for name in ("checkpoints", "huggingface"):
        (tmp_path / "models" / name).mkdir(parents=True)
    options = (*locked_up(tmp_path), "--volume", f"{tmp_path}/models:/models:ro")
    async with container(docker, tag, {}, options, ("--cpu",)) as running:
        assert (await running.says("home")).split() == ["home", "/models/huggingface"]
        flags = json.loads((await running.says("listening")).partition(" ")[2])
        settings = json.loads(await running.call("exec", running.name, "cat", "/tmp/sdwebui/config.json"))  # noqa: S108
    assert settings == {"live_previews_enable": False}
    told = {flag: flags[flags.index(flag) + 1] for flag in ("--ckpt-dir", "--hypernetwork-dir")}
    assert told == {"--ckpt-dir": "/models/checkpoints", "--hypernetwork-dir": "/tmp/sdwebui/models/hypernetworks"}  # noqa: S108


async def test_a_mark_makes_it_unhealthy_until_it_is_started_again(docker: Engine, tag: str, tmp_path: Path) -> None:
    """The agent's mark fails the check of a server that answers, and the next start takes it away."""
    async with container(docker, tag, {}, locked_up(tmp_path), ("--cpu",)) as running:
        await running.says("listening")
        mark = tmp_path / "restart"
        mark.write_text("wedged\n")
        assert not await healthy(running)
        await running.call("restart", "--time", "5", running.name)
        await running.call(
            "exec", running.name, "sh", "-c", "until test ! -e /run/darkroom/restart; do sleep 0.1; done"
        )
        assert not mark.exists()


def test_it_holds_no_build_tool(docker: Engine, tag: str) -> None:
    """Neither Git, which fetched, nor what installed packages."""
    look = "for tool in git uv pip pip3 gcc make curl wget; do command -v $tool; done; true"
    assert docker("run", "--rm", "--network", "none", "--entrypoint", "sh", tag, "-c", look) == ""


def test_it_holds_no_history_of_its_sources(docker: Engine, tag: str) -> None:
    """A clone that was put into the folder has its address, and often a password in it."""
    look = ("--entrypoint", "find", tag, "/app", "-name", ".git")
    assert docker("run", "--rm", "--network", "none", *look) == ""


def test_it_fetches_nothing_and_tells_nobody(docker: Engine, tag: str) -> None:
    """What its libraries would do by themselves is switched off."""
    variables = json.loads(docker("image", "inspect", "--format", "{{json .Config.Env}}", tag))
    assert {"HF_HUB_OFFLINE=1", "HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1"} <= set(variables)


def test_another_node_leaves_the_layers_below(docker: Engine, runtime: Runtime, tag: str, folder: Path) -> None:
    """Torch, packages and server keep their layers: nodes need not pull them again."""

    def layers() -> list[str]:
        found: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", tag))
        return found

    before = layers()
    second = folder / "images" / runtime.name / "sources" / runtime.further / "second"
    second.mkdir()
    (second / "__init__.py").write_text("")
    built(docker, runtime, folder)
    changed = [index for index, (one, other) in enumerate(zip(before, layers(), strict=True)) if one != other]
    assert changed
    assert min(changed) >= len(before) - 3  # the nodes, and the two small files after them
