"""What every step has at hand: the installation's folder, the runner of programs, the screen, AWS."""

from dataclasses import dataclass, field
from typing import Any

from . import commands
from .aws import Aws
from .facts import engine
from .failures import DeployError
from .installation import Installation
from .outputs import Outputs, read_outputs
from .run import Runner
from .screen import Screen


@dataclass(frozen=True, slots=True)
class Site:
    """An installation, and the means to build it."""

    at: Installation
    runner: Runner
    screen: Screen
    _known: dict[str, Any] = field(default_factory=dict)
    """What was asked already; an apply makes it forgotten."""

    def outputs(self) -> Outputs:
        """What Terraform says of it.

        Raises:
            DeployError: it has not been applied.
        """
        if (found := self.outputs_if_any()) is None:
            raise DeployError("nothing is there yet: the step infrastructure builds it")
        return found

    def outputs_if_any(self) -> Outputs | None:
        """What Terraform says of it, if it has been applied."""
        if "outputs" not in self._known:
            self._known["outputs"] = read_outputs(self.runner.must(commands.terraform_output(self.at)))
        found: Outputs | None = self._known["outputs"]
        return found

    def applied(self) -> None:
        """Ask anew what Terraform says."""
        self._known.clear()

    def aws(self) -> Aws:
        """The account, in the installation's region."""
        if "aws" not in self._known:
            self._known["aws"] = Aws(self.outputs().deployment.region)
        found: Aws = self._known["aws"]
        return found

    def engine(self) -> str:
        """`docker` or `podman`."""
        return engine(self.runner)
