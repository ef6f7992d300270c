"""Gather what prerequisites.py judges: programs of this machine, the account, its quotas, the variables."""

import re
import shutil
from pathlib import Path

from .aws import Aws
from .commands import Command
from .failures import DeployError
from .installation import Installation
from .prerequisites import ACTIONS, Facts
from .quotas import GPU
from .run import Runner

VERSIONS = {
    "terraform": Command(("terraform", "version")),
    "helm": Command(("helm", "version", "--template", "{{.Version}}")),
    "kubectl": Command(("kubectl", "version", "--client")),
    "aws": Command(("aws", "--version")),
}
ENGINES = {
    # Their servers are asked: a client alone builds nothing.
    "docker": Command(("docker", "version", "--format", "{{.Server.Version}}")),
    "podman": Command(("podman", "version", "--format", "{{.Version}}")),
}
_REGION = re.compile(r'^\s*region\s*=\s*"([a-z0-9-]+)"', re.MULTILINE)
_UNSET = re.compile(r'^\s*#?\s*(\w+)\s*=\s*"FILL IN', re.MULTILINE)


def engine(runner: Runner) -> str:
    """What images are built with: docker, or podman where no docker answers.

    Raises:
        DeployError: neither does.
    """
    for name, command in ENGINES.items():
        if _answer(runner, name, command) is not None:
            return name
    raise DeployError("neither docker nor podman answers: start one of them; `darkroom_deploy check` says more")


def gather(at: Installation, runner: Runner, region: str | None) -> Facts:
    """All facts; a failure of one is a fact, too."""
    programs = {name: _answer(runner, name, command) for name, command in VERSIONS.items()}
    engines = {name: _answer(runner, name, command) for name, command in ENGINES.items()}
    variables = _text(at.folder / "terraform.tfvars")
    unset = unset_variables(at)
    named = _REGION.search(variables)
    try:
        # Quotas are a region's: that of the installation counts, wherever the profile is at home.
        aws = Aws(region or (named[1] if named else None))
        caller = aws.caller()
    except DeployError as error:
        return Facts(programs, engines, region, str(error), unset=unset)
    quotas: dict[str, float] | str
    denied: list[str] | str
    try:
        quotas = {quota.code: aws.quota(quota.code) for quota in GPU}
    except DeployError as error:
        quotas = str(error)
    try:
        denied = aws.denied(caller.arn, ACTIONS)
    except DeployError as error:
        denied = str(error)
    return Facts(programs, engines, aws.region, caller, quotas, denied, unset)


def unset_variables(at: Installation) -> tuple[str, ...]:
    """Variables of terraform.tfvars that nobody has filled in yet."""
    return tuple(_UNSET.findall(_text(at.folder / "terraform.tfvars")))


def _answer(runner: Runner, name: str, command: Command) -> str | None:
    if shutil.which(name, path=runner.environ.get("PATH")) is None:
        return None
    done = runner.run(command)
    said = done.output.strip() or done.said.strip()
    return said if done.status == 0 and said else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
