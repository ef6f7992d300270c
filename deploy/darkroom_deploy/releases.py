"""Helm: the platform and a release for each runtime, brought to what Terraform, images and the owner's values say."""

import datetime as dt
import json

import yaml

from . import commands
from .commands import Command
from .failures import DeployError
from .images import with_digests
from .outputs import Outputs
from .release import Release, State, read_release, state
from .run import failed
from .site import Site

PLATFORM = "platform"


def platform_shown(site: Site, outputs: Outputs) -> list[Command]:
    """What the step platform runs."""
    at, namespace = site.at, outputs.deployment.platform_namespace
    repositories = [commands.helm_repository(at, name, url) for name, url in _repositories(site)]
    render, upgrade = commands.helm_render, commands.helm_upgrade
    return [
        *repositories,
        commands.helm_dependencies(at),
        commands.helm_status(at, PLATFORM, namespace),
        render(at, PLATFORM, namespace),
        upgrade(at, PLATFORM, namespace),
    ]


def runtimes_shown(site: Site, outputs: Outputs) -> list[Command]:
    """What the step runtimes runs."""
    at = site.at
    named = [(name, where) for name, where in outputs.releases.items() if name != PLATFORM]
    actions = (commands.helm_status, commands.helm_render, commands.helm_upgrade)
    return [action(at, name, where) for name, where in named for action in actions]


def platform_done(site: Site) -> str | None:
    """By Helm: an upgrade would change nothing."""
    _dependencies(site)
    return _all_current(site, [PLATFORM])


def runtimes_done(site: Site) -> str | None:
    """By Helm: no upgrade of any of them would change anything."""
    return _all_current(site, [name for name in site.outputs().releases if name != PLATFORM])


def platform_act(site: Site) -> str:
    """Install or upgrade it, and wait until its pods are ready."""
    return _bring(site, [PLATFORM])


def runtimes_act(site: Site) -> str:
    """Install or upgrade those that are not as they should be."""
    return _bring(site, [name for name in site.outputs().releases if name != PLATFORM])


def find(site: Site, name: str, namespace: str) -> Release | None:
    """A release, if there is one.

    Raises:
        DeployError: the cluster cannot be asked.
    """
    command = commands.helm_status(site.at, name, namespace)
    ended = site.runner.run(command)
    if ended.status == 0:
        return read_release(ended.output)
    if "not found" in ended.said:
        return None
    raise failed(command, ended)


def _all_current(site: Site, names: list[str]) -> str | None:
    outputs = site.outputs()
    for name in names:
        if _state(site, outputs, name) is not State.CURRENT:
            return None
    return f"{', '.join(names)}: as {'it' if len(names) == 1 else 'they'} should be"


def _state(site: Site, outputs: Outputs, name: str) -> State:
    site.screen.detail(f"looking at {name}")
    namespace = outputs.releases[name]
    site.at.write(site.at.made_values(name), with_digests(site, outputs, name))
    there = find(site, name, namespace)
    wanted = ""
    if there is not None and there.status == "deployed":
        wanted = json.loads(site.runner.must(commands.helm_render(site.at, name, namespace)))["manifest"]
    longest = dt.timedelta(minutes=commands.PLATFORM_MINUTES)
    return state(there, wanted, dt.datetime.now(dt.UTC), longest)


def _bring(site: Site, names: list[str]) -> str:
    outputs, told = site.outputs(), []
    for name in names:
        namespace = outputs.releases[name]
        match _state(site, outputs, name):
            case State.CURRENT:
                continue
            case State.BUSY:
                raise DeployError(
                    f"another Helm may be at work on {name}: wait for it. If it was killed, the same command mends it "
                    f"{commands.PLATFORM_MINUTES} minutes after it began"
                )
            case State.BROKEN:
                site.screen.detail(f"taking the half-installed {name} away")
                site.runner.must(commands.helm_uninstall(site.at, name, namespace))
            case State.HALF_UPGRADED:
                site.screen.detail(f"rolling the half-upgraded {name} back")
                site.runner.must(commands.helm_rollback(site.at, name, namespace))
        site.screen.detail(f"helm upgrade --install {name}")
        site.runner.must(commands.helm_upgrade(site.at, name, namespace))
        told.append(name)
    return f"installed {', '.join(told)}"


def _dependencies(site: Site) -> None:
    """Fetch the platform's charts, unless those of Chart.lock are there."""
    folder = site.at.chart(PLATFORM)
    locked = yaml.safe_load((folder / "Chart.lock").read_text())["dependencies"]
    if all(_fetched(site, one["name"], one["version"]) for one in locked):
        return
    for name, url in _repositories(site):
        site.screen.detail(f"helm repo add {name}")
        site.runner.must(commands.helm_repository(site.at, name, url))
    site.screen.detail("helm dependency build")
    site.runner.must(commands.helm_dependencies(site.at))


def _fetched(site: Site, name: str, version: str) -> bool:
    charts = site.at.chart(PLATFORM) / "charts"
    if (charts / f"{name}-{version}.tgz").exists():
        return True
    about = charts / name / "Chart.yaml"
    return about.exists() and yaml.safe_load(about.read_text())["version"] == version


def _repositories(site: Site) -> list[tuple[str, str]]:
    """Repositories of the platform's charts by name; those of a registry need not be made known."""
    about = yaml.safe_load((site.at.chart(PLATFORM) / "Chart.yaml").read_text())
    return [(one["name"], one["repository"]) for one in about["dependencies"] if one["repository"].startswith("https:")]
