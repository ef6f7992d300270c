"""Build programs of Go from the module proxy, once a version, into the user's cache.

`python -m scripts.go_tools helm etcd` prints their paths, one a line; without a name it lists what it can build.
A program is built in its own module, with that module's own go.mod and go.sum, as its release was. Versions are in
versions.toml.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkroom_local.cache import alone, cache_folder
from darkroom_local.tether import tethered

_ROOT = Path(__file__).parents[1]
_VERSIONS = _ROOT / "versions.toml"


class ToolUnavailable(Exception):
    """A program cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the programs of one module are built."""

    module: str
    programs: Mapping[str, str]
    """Program → folder of its main package in the module."""
    linked: tuple[str, ...] = ()
    """What the linker writes into variables, as its -X wants it; {version}, {major} and {minor} are filled in."""
    toolchain: str = ""
    """The Go that it asks for where its go.mod asks for an older one than its dependencies do."""
    unserved: Mapping[str, str] = field(default_factory=dict)
    """Module → the version to take, where a proxy may not serve the one that go.mod names."""


RECIPES = {
    "compose": Recipe(
        "github.com/docker/compose/v2",
        {"docker-compose": "./cmd"},
        ("github.com/docker/compose/v2/internal.Version=v{version}",),
    ),
    "etcd": Recipe("go.etcd.io/etcd/server/v3", {"etcd": "."}),
    "helm": Recipe("helm.sh/helm/v4", {"helm": "./cmd/helm"}, ("helm.sh/helm/v4/internal/version.version=v{version}",)),
    "helm-docs": Recipe("github.com/norwoodj/helm-docs", {"helm-docs": "./cmd/helm-docs"}, ("main.version={version}",)),
    "karpenter": Recipe(
        "github.com/aws/karpenter-provider-aws",
        {"karpenter": "./cmd/controller"},
        ("sigs.k8s.io/karpenter/pkg/operator.Version={version}",),
        toolchain="go1.26.10",
        unserved={"github.com/aws/aws-sdk-go-v2/service/timestreamwrite": "v1.35.25"},
    ),
    "keda": Recipe(
        "github.com/kedacore/keda/v2",
        {"keda-operator": "./cmd/operator", "keda-adapter": "./cmd/adapter"},
        ("github.com/kedacore/keda/v2/version.Version={version}",),
    ),
    "kubernetes": Recipe(
        "k8s.io/kubernetes",
        {
            name: f"./cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
        },
        (
            "k8s.io/component-base/version.gitVersion=v{version}",
            "k8s.io/component-base/version.gitMajor={major}",
            "k8s.io/component-base/version.gitMinor={minor}",
        ),
    ),
    "kwok": Recipe("sigs.k8s.io/kwok", {"kwok": "./cmd/kwok"}, ("sigs.k8s.io/kwok/pkg/consts.Version=v{version}",)),
    "tflint": Recipe("github.com/terraform-linters/tflint", {"tflint": "."}),
}
_TOOL_OF = {program: tool for tool, recipe in RECIPES.items() for program in recipe.programs}


def version(tool: str) -> str:
    """The version of a tool, as versions.toml has it: `1.35.4` for `kubernetes`."""
    return str(tomllib.loads(_VERSIONS.read_text())["tools"][tool])


def program(name: str) -> Path:
    """Path of a program, built if it is not there (minutes, for the larger ones).

    Raises:
        ToolUnavailable: there is no Go toolchain, or it could not build it.
    """
    tool = _TOOL_OF[name]
    folder = cache_folder() / "tools" / f"{tool}-{version(tool)}"
    built = folder / name
    if not built.exists():
        with alone(folder / f".{name}.lock"):
            if not built.exists():
                _build(tool, name, built)
    return built


@contextmanager
def building(*groups: Iterable[str]) -> Iterator[None]:
    """Build programs beside what is done within: each group in a process of its own. At the end they are there.

    A group side by side with another keeps the core at work that a linker or one large package leaves idle.

    Raises:
        ToolUnavailable: a program could not be built; its process has said why.
    """
    commands = [tethered(sys.executable, "-m", __name__, *group) for group in groups]
    at_work = [
        subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL, process_group=0)  # noqa: S603
        for command in commands
    ]
    try:
        yield
        if any(process.wait() for process in at_work):
            raise ToolUnavailable("not every program could be built: the reason is above")
    finally:
        for process in at_work:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)  # not SIGTERM: it is to clean up
            process.wait()


def module_folder(tool: str) -> Path:
    """The sources of a tool's module: CRDs and charts lie in them.

    Raises:
        ToolUnavailable: they could not be had.
    """
    recipe = RECIPES[tool]
    said = _go(recipe, "mod", "download", "-json", f"{recipe.module}@v{version(tool)}")
    return Path(json.loads(said)["Dir"])


def crds(tool: str) -> list[Path]:
    """The files of a tool's CustomResourceDefinitions: of `keda` or `karpenter`, in a fixed order.

    Raises:
        ToolUnavailable: they could not be had.
    """
    folder = {"keda": "config/crd/bases", "karpenter": "pkg/apis/crds"}[tool]
    return sorted((module_folder(tool) / folder).glob("*.yaml"))


def _build(tool: str, name: str, built: Path) -> None:
    recipe, begun = RECIPES[tool], time.monotonic()
    print(f"building {name} {version(tool)}, once (minutes) …", file=sys.stderr, flush=True)  # noqa: T201
    sources = module_folder(tool)
    for left in built.parent.glob(f".{name}-*"):  # by a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=built.parent, prefix=f".{name}-") as folder:
        # The module cache is read-only: its go.mod is amended beside the program to be.
        for file in ("go.mod", "go.sum"):
            shutil.copyfile(sources / file, Path(folder) / file)
        _amend(recipe, Path(folder) / "go.mod", version(tool))
        new = Path(folder) / name
        flags = ["-mod=mod", f"-modfile={folder}/go.mod", "-trimpath", "-buildvcs=false", f"-o={new}"]
        flags.append("-gcflags=all=-dwarf=false")  # the linker would throw it away: a sixth of the time is saved
        _go(
            recipe,
            "build",
            f"-C={sources}",
            *flags,
            f"-ldflags={_linker(recipe, version(tool))}",
            recipe.programs[name],
            GOTMPDIR=folder,
        )
        new.rename(built)
    print(f"built {name} in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)  # noqa: T201


def _amend(recipe: Recipe, mod: Path, number: str) -> None:
    """Make a released go.mod buildable: what it takes from the folders of its own repository comes from the proxy."""
    file = json.loads(_go(recipe, "mod", "edit", "-json", str(mod)))
    edits = replacements(file, number) + [f"-replace={path}={path}@{want}" for path, want in recipe.unserved.items()]
    if edits:
        _go(recipe, "mod", "edit", *edits, str(mod))


def replacements(file: Mapping[str, Any], number: str) -> list[str]:
    """The edits of `go mod edit` that turn replacements by local folders into released modules.

    Args:
        file: what `go mod edit -json` says of the go.mod.
        number: the version of the program, without its v. Kubernetes requires its own parts as v0.0.0 and releases
            them as v0.<minor>.<patch>; everybody else requires what is released.
    """
    required = {one["Path"]: one["Version"] for one in file.get("Require") or ()}
    edits = []
    for one in file.get("Replace") or ():
        path = one["Old"]["Path"]
        if "Version" in one["New"]:
            continue
        if required.get(path) == "v0.0.0":
            edits.append(f"-replace={path}={path}@v0.{number.partition('.')[2]}")
        else:
            edits.append(f"-dropreplace={path}")
    return edits


def _linker(recipe: Recipe, number: str) -> str:
    major, minor, _ = number.split(".")
    written = (f"-X={one.format(version=number, major=major, minor=minor)}" for one in recipe.linked)
    return " ".join(("-s", "-w", *written))


def _go(recipe: Recipe, *arguments: str, **more: str) -> str:
    """Run the Go toolchain and give its output; it ends with this process, however that ends."""
    if (go := shutil.which("go")) is None:
        raise ToolUnavailable(f"{recipe.module} is built by the Go toolchain: install Go 1.26 or newer (no go on PATH)")
    environ = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "", **more}
    if recipe.toolchain:
        environ["GOTOOLCHAIN"] = recipe.toolchain
    # nice: a build takes every core for minutes, and whoever waits for it may be at work meanwhile.
    command = tethered("nice", go, *arguments)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip()[-1000:]
        raise ToolUnavailable(f"`go {' '.join(arguments[:2])} …` for {recipe.module} failed: {said}")
    return done.stdout


def main() -> None:
    """Print the paths of the programs that are named."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs come with it ignored
    if not sys.argv[1:]:
        sys.exit("usage: python -m scripts.go_tools PROGRAM…\nprograms: " + " ".join(sorted(_TOOL_OF)))
    try:
        for name in sys.argv[1:]:
            if name not in _TOOL_OF:
                sys.exit(f"no program {name!r}; there are: {' '.join(sorted(_TOOL_OF))}")
            print(program(name))  # noqa: T201
    except ToolUnavailable as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
