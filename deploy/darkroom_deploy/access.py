"""The way into the cluster: a kubeconfig of the installation's own."""

from pathlib import Path

from . import commands
from .commands import Command
from .outputs import Outputs
from .site import Site


def shown(site: Site, outputs: Outputs) -> list[Command]:
    """What the step runs."""
    here = outputs.deployment
    return [commands.kubeconfig(site.at, here.cluster_name, here.region), commands.cluster_answers(site.at)]


def done(site: Site) -> str | None:
    """By the cluster: it answers, and lets us in."""
    here = site.outputs().deployment
    if f"current-context: {here.cluster_name}\n" not in _text(site.at.kubeconfig):
        return None
    return f"{here.cluster_name} answers" if site.runner.run(commands.cluster_answers(site.at)).status == 0 else None


def act(site: Site) -> str:
    """Write it, and see that the cluster lets us in."""
    here = site.outputs().deployment
    site.runner.must(commands.kubeconfig(site.at, here.cluster_name, here.region))
    site.runner.must(commands.cluster_answers(site.at))
    return f"{here.cluster_name} answers"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
