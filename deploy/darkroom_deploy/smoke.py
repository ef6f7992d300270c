"""The proof: each release's smoke job, through its queue and back. A cold start is part of it."""

from . import commands
from .commands import Command
from .outputs import Outputs
from .releases import PLATFORM, find
from .run import failed
from .site import Site


def shown(site: Site, outputs: Outputs) -> list[Command]:
    """What the step runs."""
    named = [(name, where) for name, where in outputs.releases.items() if name != PLATFORM]
    actions = (commands.helm_status, commands.helm_test, commands.smoke_log)
    return [action(site.at, name, where) for name, where in named for action in actions]


def done(site: Site) -> str | None:
    """By Helm: each release's job came back since the release was last touched."""
    return None if _untested(site) else "every runtime's job came back"


def act(site: Site) -> str:
    """Send the jobs of those that have not been tried."""
    names = _untested(site)
    namespace = site.outputs().deployment.runtimes_namespace
    for name in names:
        site.screen.detail(f"a job for {name}; the first one waits for a GPU node, some minutes")
        command = commands.helm_test(site.at, name, namespace)
        ended = site.runner.run(command)
        if ended.status:
            log = site.runner.run(commands.smoke_log(site.at, name, namespace)).output
            raise failed(command, ended, f"{ended.said.strip()}\n{log}".strip())
    return f"a job of {', '.join(names)} came back"


def _untested(site: Site) -> list[str]:
    outputs = site.outputs()
    found = {name: find(site, name, where) for name, where in outputs.releases.items() if name != PLATFORM}
    return [name for name, release in found.items() if release is None or not release.works]
