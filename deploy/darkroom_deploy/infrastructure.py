"""Terraform: the plan is made and shown, and what was shown is applied."""

from scripts import terraform

from . import commands
from .aws import Aws
from .changes import Changes, progress, read_plan
from .commands import Command
from .failures import DeployError
from .outputs import Outputs
from .quotas import needed, shortages
from .run import failed
from .site import Site

COST = (
    "Without any job it costs about $0.25 an hour ($180 a month): the cluster 0.10, two t4g.medium 0.07, a NAT\n"
    "gateway 0.05, volumes, addresses, alarms (us-east-1). GPU nodes cost only while jobs wait or run. `make destroy`\n"
    "ends it."
)


def shown(site: Site, _: Outputs) -> list[Command]:
    """What the step runs."""
    at = site.at
    steps = (commands.terraform_init, commands.terraform_plan, commands.terraform_show, commands.terraform_apply)
    return [step(at) for step in steps]


def done(site: Site) -> str | None:
    """By a plan: it finds nothing to change."""
    initialise(site)
    return None if plan(site) else "a plan finds nothing to change"


def act(site: Site) -> str:
    """Show the plan that was just made, ask, apply it."""
    changes = read_plan(site.runner.must(commands.terraform_show(site.at)))
    if changes.changes:
        site.screen.changes(changes)
        for line in _shortages(site, changes):
            site.screen.tell(f"! {line}")
        site.screen.tell(COST)
        site.screen.ask(f"apply it ({changes})?")
    apply(site, len(changes.changes))
    return str(changes) or "outputs alone"


def initialise(site: Site) -> None:
    """Provider and modules: from the registry, or from a mirror on this machine.

    Raises:
        DeployError: neither has what is needed.
    """
    site.screen.detail("terraform init")
    failures = []
    for mirror in (None, *terraform.mirrors()):
        command = commands.terraform_init(site.at, mirror)
        ended = site.runner.run(command)
        if ended.status == 0:
            return
        failures.append(failed(command, ended))
    raise failures[0]


def plan(site: Site, *, destroy: bool = False) -> bool:
    """Make a plan and keep it; whether something is to be done."""
    site.screen.detail("terraform plan")
    site.at.work.mkdir(exist_ok=True)
    command = commands.terraform_plan(site.at, destroy=destroy)
    ended = site.runner.run(command)
    if ended.status not in (0, 2):
        raise failed(command, ended)
    return ended.status == 2


def apply(site: Site, total: int) -> None:
    """Apply the plan that was kept, and tell how far it is.

    Raises:
        DeployError: with each error of Terraform's. What was made is in its state: the next run goes on from there.
    """
    going: list[str] = []
    errors: list[str] = []
    finished = 0

    def heard(line: str) -> None:
        nonlocal finished
        match progress(line):
            case ("begun", what):
                going.append(what)
            case ("done", what):
                finished += 1
                going[:] = [one for one in going if one != what]
            case ("failed", what):
                errors.append(what)
                return
            case _:
                return
        # The oldest is what everything waits for: the cluster, mostly.
        site.screen.detail(f"{finished} of {total}" + (f", {going[0]}" if going else ""))

    before = site.runner.heard
    site.runner.heard = heard
    try:
        command = commands.terraform_apply(site.at)
        ended = site.runner.run(command, quiet=False)
    finally:
        site.runner.heard = before
        site.at.plan.unlink(missing_ok=True)
        site.applied()
    if ended.status:
        raise failed(command, ended, "\n".join(errors) or ended.said)


def _shortages(site: Site, changes: Changes) -> list[str]:
    """Where the account's quotas are too small for what the plan's runtimes may become."""
    wanted = needed(changes.runtimes)
    if not wanted:
        return []
    try:
        aws = Aws(changes.region)
        quotas = {quota.code: aws.quota(quota.code) for quota in wanted}
        types = sorted({one for runtime in changes.runtimes.values() for one in runtime.instance_types})
        return list(shortages(changes.runtimes, quotas, aws.vcpus(types)))
    except DeployError as error:
        return [f"quotas could not be asked: {error}"]
