"""Holds the commands of the docs to the programs that they call: program, subcommand and flags must exist.

Commands in `console` blocks are run as they stand (tests/integration/test_docs.py); those in `bash` blocks ask for an
AWS account, a cluster or a job of one's own, and are looked up here.
"""

import importlib.util
import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import typer
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from bottlerocket_snapshot.main import app as snapshot_app
from darkroom_cli.main import app as darkroom_app
from darkroom_deploy.main import app as deploy_app
from tests.docs_commands import ROOT, Command

# What every machine has, and what is not ours to prove.
PLAIN = frozenset(
    {"cat", "cd", "cp", "date", "echo", "export", "find", "grep", "jq", "mkdir", "openssl", "sort", "uniq", "wc"}
)
# Programs of others: subcommand → flags. Tests of charts and of Terraform hold helm's, kubectl's and terraform's to the
# programs themselves.
KNOWN = {
    "curl": {"": "-H -d -X --fail --json --output"},
    "docker": {
        "build": "--secret --build-arg --file --platform",
        "compose up": "--build --profile --detach",
        "compose down": "--volumes",
        "compose logs": "--follow",
        "pull": "",
        "push": "",
        "tag": "",
    },
    "git": {"clone": "", "pull": ""},
    "helm": {
        "dependency build": "",
        "get values": "--namespace",
        "install": "--namespace --create-namespace --values -f --set --timeout --wait",
        "repo add": "",
        "rollback": "--namespace",
        "test": "--namespace --timeout --logs",
        "uninstall": "--namespace",
        "upgrade": "--install --namespace --create-namespace --skip-crds --values --set --take-ownership --timeout",
    },
    "hf": {"download": ""},
    "kubectl": {
        "annotate": "--namespace --overwrite",
        "apply": "--namespace --filename --server-side",
        "delete": "--namespace --filename",
        "describe": "--namespace --selector",
        "exec": "--namespace --container",
        "get": "--namespace --all-namespaces --output --selector --watch --field-selector -n -A -o",
        "logs": "--namespace --container --previous --follow --since",
        "port-forward": "--namespace",
        "rollout restart": "--namespace",
        "rollout status": "--namespace --timeout",
        "scale": "--namespace --replicas",
        "top": "--namespace",
        "wait": "--namespace --for --timeout",
    },
    "pip": {"install": "--upgrade"},
    "terraform": {
        "apply": "-var -auto-approve -target",
        "destroy": "-var -auto-approve",
        "import": "-var",
        "init": "-upgrade -reconfigure -backend-config",
        "output": "-raw -json",
        "plan": "-var -out",
        "state": "",
    },
    "uv": {"pip compile": "--python-version --generate-hashes --constraints --output-file"},
}
# Commands of the AWS command line that are no operation of a service, and its flags for all.
AWS_OF_ITS_OWN = {
    "eks update-kubeconfig": "--name --alias",
    "s3 cp": "--recursive --exclude --include",
    "s3 ls": "--recursive --summarize",
    "s3 sync": "--delete --exclude --include",
    "configure sso": "",
    "ecr get-login-password": "",
    "logs tail": "--follow --format --since --filter-pattern",
}
# Flags that the AWS command line names otherwise than the service does.
AWS_RENAMED = {"sns subscribe": {"--notification-endpoint": "--endpoint"}}
_AWS_GLOBAL = {"--region", "--profile", "--query", "--output", "--no-cli-pager", "--endpoint-url"}


def fault(command: Command) -> str | None:
    """What is wrong with a command; None if program, subcommand and flags are there."""
    program, *rest = command.words
    program = program.removeprefix(".venv/bin/")
    if program == "xargs":
        return fault(Command(command.page, (*rest, "WHAT-STDIN-HAS")))
    if program in PLAIN:
        return None
    if program in _CHECKS:
        return _CHECKS[program](rest)
    if program in KNOWN:
        return _known(program, KNOWN[program], rest)
    return f"nobody proves `{program}`: run it in a `console` block, or teach tests/docs_programs.py what it takes"


def _known(program: str, known: dict[str, str], words: list[str]) -> str | None:
    if words[:1] == ["compose"] and "--profile" in words:
        words = [word for place, word in enumerate(words) if "--profile" not in words[max(0, place - 1) : place + 1]]
    named, given = [word for word in words if not word.startswith("-")], _flags(words)
    for subcommand, flags in known.items():
        if any(named[place : place + len(subcommand.split())] == subcommand.split() for place in range(len(named) + 1)):
            unknown = [flag for flag in given if flag not in flags.split() and flag not in _GLOBAL.get(program, ())]
            return f"`{program} {subcommand}` is not known to take {', '.join(unknown)}" if unknown else None
    return f"`{program} {' '.join(named)}` is not known"


_GLOBAL = {"terraform": ("-chdir",)}


def _flags(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("-") and word not in {"-", "--"}]


def _make(words: list[str]) -> str | None:
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        name, is_variable, _ = word.partition("=")
        if not re.search(rf"\b{name}\b" if is_variable else rf"^{name}:", makefile, re.MULTILINE):
            return f"the Makefile has no {'variable' if is_variable else 'target'} {name}"
    return None


def _typer(app: typer.Typer, name: str) -> Callable[[list[str]], str | None]:
    root: Any = typer.main.get_command(app)

    def check(words: list[str]) -> str | None:
        command = root
        if not words or words[0].startswith("--"):
            return None if set(words) <= {"--help", "--install-completion"} else f"`{name}` takes no {words}"
        while hasattr(command, "commands"):
            if not words or words[0] not in command.commands:
                return f"`{name}` has no command {' '.join(words[:1])}"
            command, words = command.commands[words[0]], words[1:]
        try:
            command.make_context(name, [_there(word) for word in words])
        except Exception as error:  # noqa: BLE001 (typer's own exceptions have no public name)
            if getattr(getattr(error, "param", None), "envvar", None):
                return None  # a variable gives it
            return f"`{name} {command.name}`: {error!r} {getattr(error, 'message', '')}"
        return None

    return check


def fault_in_text(command: Command) -> str | None:
    """As `fault`, of a command that may be without its arguments: subcommand and flags."""
    program, *words = command.words
    if program == "make":
        return _make([word for word in words if word.isascii() and not word.startswith(("<", '"', "-"))][:1])
    found: Any = _ROOTS[program]
    while words and hasattr(found, "commands"):
        if words[0] not in found.commands:
            return f"`{program}` has no command {words[0]}"
        found, words = found.commands[words[0]], words[1:]
    known = {"--help", *(flag for one in found.params for flag in (*one.opts, *one.secondary_opts))}
    unknown = [flag for flag in _flags(words) if flag not in known]
    return f"`{' '.join(command.words)}` takes no {', '.join(unknown)}" if unknown else None


def _there(word: str) -> str:
    """A picture of the reader's becomes one that is there: some commands look."""
    return str(ROOT / "docs/images/playground.png") if word.endswith((".png", ".jpg")) else word


def _python(words: list[str]) -> str | None:
    if words[:1] != ["-m"]:
        return "only modules are proven: python -m …"
    if words[1] == "darkroom_deploy":
        return _typer(deploy_app, "darkroom_deploy")(words[2:])
    spec = importlib.util.find_spec(words[1])
    if spec is None or spec.origin is None:
        return f"there is no module {words[1]}"
    folder, source = Path(spec.origin).parent, Path(spec.origin).read_text()
    if spec.submodule_search_locations:
        source += (folder / "__main__.py").read_text()
    unknown = [flag for flag in _flags(words[2:]) if f'"{flag}"' not in source]
    return f"{words[1]} takes no {', '.join(unknown)}" if unknown else None


def _aws(words: list[str]) -> str | None:
    service, operation = words[:2]
    renamed = AWS_RENAMED.get(f"{service} {operation}", {})
    given = [renamed.get(flag, flag) for flag in _flags(words) if flag not in _AWS_GLOBAL]
    if (own := AWS_OF_ITS_OWN.get(f"{service} {operation}")) is not None:
        known = own.split()
    elif (parameters := _operations(service).get(operation)) is None:
        return f"AWS has no `{service} {operation}`"
    else:
        known = parameters
    unknown = [flag for flag in given if flag not in known and flag.replace("--no-", "--", 1) not in known]
    return f"`aws {service} {operation}` takes no {', '.join(unknown)}" if unknown else None


@cache
def _operations(service: str) -> dict[str, list[str]]:
    """Operation → flags, as the AWS command line makes them of the service's model."""
    name = {"s3api": "s3"}.get(service, service)
    model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    shapes = ((one, model.operation_model(one).input_shape) for one in model.operation_names)
    return {
        xform_name(name, "-"): [f"--{xform_name(member, '-')}" for member in (shape.members if shape else ())]
        for name, shape in shapes
    }


def _pip(words: list[str]) -> str | None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in words:
        if (asked := re.match(r"darkroom\[(\w+)\]", word)) and asked[1] not in project["optional-dependencies"]:
            return f"darkroom has no extra {asked[1]}"
    return _known("pip", KNOWN["pip"], words)


_ROOTS = {
    "bottlerocket-snapshot": typer.main.get_command(snapshot_app),
    "darkroom": typer.main.get_command(darkroom_app),
}
_CHECKS: dict[str, Callable[[list[str]], str | None]] = {
    "aws": _aws,
    "bottlerocket-snapshot": _typer(snapshot_app, "bottlerocket-snapshot"),
    "darkroom": _typer(darkroom_app, "darkroom"),
    "make": _make,
    "pip": _pip,
    "python": _python,
    "python3": _python,
}
