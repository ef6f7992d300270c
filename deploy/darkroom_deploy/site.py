"""What every step has at hand: the installation's folder, the runner of programs, the screen, AWS."""

from dataclasses import dataclass

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
        return read_outputs(self.runner.must(commands.terraform_output(self.at)))

    def aws(self) -> Aws:
        """The account, in the installation's region."""
        return Aws(self.outputs().deployment.region)

    def engine(self) -> str:
        """`docker` or `podman`."""
        return engine(self.runner)
