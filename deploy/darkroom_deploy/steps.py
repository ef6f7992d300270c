"""The steps of a deployment, in their order; each knows by facts whether it is done."""

from collections.abc import Callable
from dataclasses import dataclass

from . import access, functions, images, infrastructure, models, releases, smoke
from .commands import Command
from .outputs import Outputs
from .site import Site


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: what it is called on the command line.
        about: what it does, in a sentence.
        done: what proves that nothing is to be done; None if something is.
        act: does it; what was done.
        shown: the commands that it runs, for a dry run.
    """

    name: str
    about: str
    done: Callable[[Site], str | None]
    act: Callable[[Site], str]
    shown: Callable[[Site, Outputs], list[Command]]


STEPS = (
    Step("functions", "Build the zip of the API's functions.", functions.done, functions.act, functions.shown),
    Step(
        "infrastructure", "Plan, show, ask, and apply Terraform.",
        infrastructure.done, infrastructure.act, infrastructure.shown,
    ),
    Step("images", "Build the images that ECR has not, and push them.", images.done, images.act, images.shown),
    Step("models", "Put the models of models.txt into their bucket.", models.done, models.act, models.shown),
    Step("access", "Write the way into the cluster (.darkroom/kubeconfig).", access.done, access.act, access.shown),
    Step(
        "platform", "Install or upgrade the platform: KEDA, Karpenter, the collector.",
        releases.platform_done, releases.platform_act, releases.platform_shown,
    ),
    Step(
        "runtimes", "Install or upgrade a release for each runtime.",
        releases.runtimes_done, releases.runtimes_act, releases.runtimes_shown,
    ),
    Step("smoke", "Send each runtime a job and wait for it.", smoke.done, smoke.act, smoke.shown),
)  # fmt: skip


def take(step: Step, site: Site) -> None:
    """Take a step, or say what proves that it is done."""
    with site.screen.step(step.name) as result:
        proof = step.done(site)
        result.append(proof if proof is not None else step.act(site))
