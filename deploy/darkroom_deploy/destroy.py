"""Take an installation down, in the order that leaves nothing behind.

Runtimes first, so that Karpenter takes their nodes away while it is there; then the platform; then what Terraform made.
Everything is asked before anything is taken; what holds something is kept unless the answer is yes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from . import access, commands
from .aws import Aws
from .changes import read_plan
from .commands import Command
from .contents import Holder, holders
from .failures import DeployError, Refused
from .infrastructure import apply, initialise, plan
from .outputs import Outputs
from .releases import PLATFORM
from .site import Site


@dataclass(frozen=True, slots=True)
class Content:
    """What holds something, and whether it is kept."""

    holder: Holder
    kept: bool


def shown(site: Site, outputs: Outputs) -> list[Command]:
    """What is run, where there is something to take down."""
    at, here = site.at, outputs.deployment
    releases = [name for name in outputs.releases if name != PLATFORM]
    return [
        commands.terraform_init(at),
        commands.terraform_state(at),
        *access.shown(site, outputs),
        commands.helm_list(at, here.runtimes_namespace),
        *(commands.helm_uninstall(at, name, here.runtimes_namespace) for name in releases),
        commands.nodes_of_karpenter(at),
        commands.nodes_gone(at),
        commands.helm_uninstall(at, PLATFORM, here.platform_namespace),
        commands.terraform_forget(at, ["ADDRESS-OF-WHAT-IS-KEPT"]),
        commands.terraform_plan(at, destroy=True),
        commands.terraform_show(at),
        commands.terraform_apply(at),
    ]


def destroy(site: Site, *, delete_content: bool) -> None:
    """Take it down; `delete_content` answers yes for everything that holds something.

    Raises:
        Refused: there is no installation.
        Declined: the answer was no.
        DeployError: something would be left behind, or could not be removed; the same command goes on.
    """
    with site.screen.step("look") as result:
        initialise(site)
        state = site.runner.must(commands.terraform_state(site.at))
        if "root_module" not in json.loads(state).get("values", {}):
            raise Refused(f"{site.at.folder}: Terraform knows of nothing here")
        outputs = site.outputs_if_any()
        aws = site.aws() if outputs is not None else Aws()
        full = [one for one in holders(state) if _holds_something(aws, one)]
        result.append(f"{len(full)} of its buckets and repositories hold something")
    content = [Content(one, kept=not _delete(site, one, delete_content)) for one in full]
    site.screen.ask("Take everything else down? Jobs that run are finished first")
    if outputs is not None:
        for name, act in (("runtimes", _runtimes), ("nodes", _nodes), ("platform", _platform)):
            _take(site, name, outputs, act)
    _content(site, aws, content)
    with site.screen.step("infrastructure") as result:
        if plan(site, destroy=True):
            changes = read_plan(site.runner.must(commands.terraform_show(site.at)))
            apply(site, len(changes.changes))
            result.append(str(changes))
    site.at.forget()
    for one in content:
        if one.kept:
            site.screen.tell(f"kept: {one.holder.kind} {one.holder.name}, which Terraform knows no more")


def _take(site: Site, name: str, outputs: Outputs, act: Callable[[Site, Outputs], str]) -> None:
    with site.screen.step(name) as result:
        if site.aws().cluster_status(outputs.deployment.cluster_name) is None:
            result.append("the cluster is gone")
        else:
            result.append(act(site, outputs))


def _runtimes(site: Site, outputs: Outputs) -> str:
    if access.done(site) is None:
        access.act(site)
    namespace = outputs.deployment.runtimes_namespace
    found = [one["name"] for one in json.loads(site.runner.must(commands.helm_list(site.at, namespace)))]
    for name in found:
        site.screen.detail(f"{name}: its jobs are finished first")
        site.runner.must(commands.helm_uninstall(site.at, name, namespace))
    return f"uninstalled {', '.join(found)}" if found else "none is installed"


def _nodes(site: Site, outputs: Outputs) -> str:
    """Wait for Karpenter, and see that AWS agrees: an instance that it forgot would run, and cost, for ever."""
    listed = site.runner.run(commands.nodes_of_karpenter(site.at))
    if listed.status == 0 and listed.output.strip():
        site.screen.detail("Karpenter takes its nodes away")
        site.runner.must(commands.nodes_gone(site.at))
    left = site.aws().nodes_left(outputs.deployment.cluster_name)
    if left:
        raise DeployError(
            f"instances of Karpenter's still run: {', '.join(left)}. Wait a minute and give the same command; "
            "if they stay, end them: `aws ec2 terminate-instances --instance-ids …`"
        )
    return "no GPU node is left"


def _platform(site: Site, outputs: Outputs) -> str:
    namespace = outputs.deployment.platform_namespace
    found = json.loads(site.runner.must(commands.helm_list(site.at, namespace)))
    if PLATFORM not in {one["name"] for one in found}:
        return "it is not installed"
    site.runner.must(commands.helm_uninstall(site.at, PLATFORM, namespace))
    return "uninstalled"


def _content(site: Site, aws: Aws, content: list[Content]) -> None:
    if not content:
        return
    with site.screen.step("content") as result:
        # Two may be encrypted by one key.
        if kept := sorted({address for one in content if one.kept for address in one.holder.addresses}):
            site.runner.must(commands.terraform_forget(site.at, kept))
        for one in content:
            if not one.kept:
                site.screen.detail(f"emptying {one.holder.name}")
                (aws.empty_bucket if one.holder.kind == "bucket" else aws.empty_repository)(one.holder.name)
        emptied = sum(not one.kept for one in content)
        result.append(f"{emptied} emptied, {len(content) - emptied} kept")


def _holds_something(aws: Aws, one: Holder) -> bool:
    return bool(aws.objects(one.name, 1) if one.kind == "bucket" else aws.images(one.name))


def _delete(site: Site, one: Holder, delete_content: bool) -> bool:
    if delete_content:
        return True
    if site.screen.yes:
        return False
    return site.screen.asked(f"{one.kind} {one.name} holds something. Delete all of it?")
