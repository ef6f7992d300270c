"""`darkroom redrive`: dead letters back to work, once their cause is gone."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

import typer
from msgspec import Struct
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from darkroom_contract.job import State, now

from .complete import job_ids, runtime_names
from .config import read_config
from .dead_letters import AT_ONCE, WEBHOOKS, DeadLetters, Places
from .failures import DarkroomError, Refused
from .moments import moment
from .redrive_plan import Action, Filters, Keep, Letter, Purge, Resend, Return, decide, decide_webhook
from .show import COLOURS, age
from .terminal import AsJson, errors, tell
from .texts import plain

type Plan = Callable[[Letter], Action]
type Outcome = Literal["returned", "sent again", "removed", "kept", "failed"]

_COLOURS = {"returned": "green", "sent again": "green", "removed": "yellow", "kept": "bright_black", "failed": "red"}


class Redriven(Struct, frozen=True, kw_only=True):
    """What became of a dead letter, or would (`dry_run`). `new_id` is the job's id where it was sent again."""

    message_id: str
    id: str | None
    state: State | None
    code: str | None
    sent_at: datetime
    outcome: Outcome
    dry_run: bool
    new_id: str | None = None
    why: str | None = None


def redrive(
    runtime: Annotated[
        str | None, typer.Argument(help="The runtime whose dead letters are meant.", autocompletion=runtime_names)
    ] = None,
    webhooks: Annotated[bool, typer.Option("--webhooks", help="The webhooks' dead letters, not a runtime's.")] = False,
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="JOB", help="Only this job; may be repeated.", autocompletion=job_ids),
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only sent since: `90m`, `2h`, `7d`, or a date and time.")] = None,
    codes: Annotated[
        list[str] | None, typer.Option("--error-code", metavar="CODE", help="Only failed so; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1000,
    purge: Annotated[bool, typer.Option("--purge", help="Remove the messages of jobs that ended otherwise.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to work.

    A job that has not ended goes back to its queue as it is. One that has failed is sent again under a new id
    (`<id>.r1`, then `.r2`), for what is final never changes. A webhook that its receiver did not take is called again,
    for hours. What cannot be read stays. It goes to AWS directly, with your own credentials.

        darkroom redrive sdxl --dry-run
        darkroom redrive sdxl --error-code out_of_memory --since 2h
        darkroom redrive sdxl --id 0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40
        darkroom redrive --webhooks --since 12h
    """
    if webhooks == bool(runtime):
        raise Refused("whose dead letters? Name a runtime, or give --webhooks")
    if webhooks and purge:
        raise Refused("--purge is for jobs; a webhook's message is of use until it was taken")
    config = read_config()
    places = Places(
        runtime or WEBHOOKS, *(config.need(name) for name in ("queue_url_prefix", "jobs_topic_arn", "output_bucket"))
    )
    at = now()
    filters = Filters(frozenset(ids or ()), moment(since, at) if since else None, frozenset(codes or ()))
    dead = DeadLetters(places, config.region)
    plan = decide_webhook if webhooks else partial(decide, purge=purge)
    dead.check()
    done: list[Redriven] = []
    try:
        with errors.status("looking through the dead letters"):
            done.extend(_redrive(dead, filters, limit, at, plan, dry_run=dry_run))
    finally:  # what was done is told, even if it could not go on
        tell(done, _table(done, at), as_json=as_json)
    if any(one.outcome == "failed" for one in done):
        raise typer.Exit(1)


def _redrive(
    dead: DeadLetters, filters: Filters, limit: int, at: datetime, plan: Plan, *, dry_run: bool
) -> Iterator[Redriven]:
    """Go through the queue, ten at a time; whatever stays in it is given back at the end, also of a failure."""
    held: dict[str, str] = {}
    seen: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            while limit > 0 and (letters := dead.receive()):
                held |= {one.message_id: one.receipt for one in letters}
                new = [one for one in letters if one.message_id not in seen]
                if not new:  # we have been round: what is held was handed out again
                    return
                seen |= {one.message_id for one in new}
                meant = [one for one in pool.map(dead.opened, new) if filters.admit(one)][:limit]
                limit -= len(meant)
                for one in pool.map(lambda one: _act(dead, one, plan(one), at, dry_run=dry_run), meant):
                    if not dry_run and one.outcome not in ("kept", "failed"):
                        del held[one.message_id]
                    yield one
        finally:
            dead.release(list(held.values()))


def _act(dead: DeadLetters, letter: Letter, action: Action, at: datetime, *, dry_run: bool) -> Redriven:
    if dry_run:
        return _result(letter, action, dry_run=True)
    try:
        new_id = _do(dead, letter, action, at)
    except DarkroomError as error:
        return _result(letter, action, failed=str(error))
    return _result(letter, action, new_id=new_id)


def _do(dead: DeadLetters, letter: Letter, action: Action, at: datetime) -> str | None:
    match action:
        case Return():
            dead.give_back(letter)
        case Resend(job):
            return dead.resend(letter, job, at)
        case Purge():
            dead.delete(letter)
    return None


def _result(
    letter: Letter, action: Action, *, dry_run: bool = False, new_id: str | None = None, failed: str | None = None
) -> Redriven:
    outcomes: dict[type, Outcome] = {Return: "returned", Resend: "sent again", Purge: "removed", Keep: "kept"}
    return Redriven(
        message_id=letter.message_id,
        id=letter.job_id,
        state=letter.state,
        code=letter.code,
        sent_at=letter.sent_at,
        outcome="failed" if failed else outcomes[type(action)],
        dry_run=dry_run,
        new_id=new_id,
        why=failed or (action.why if isinstance(action, Keep) else None),
    )


def _table(done: Iterable[Redriven], at: datetime) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bright_black")
    table.add_column("job", overflow="fold", min_width=36)
    table.add_column("state", overflow="fold")
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("message", overflow="fold")
    whys = []
    for one in done:
        name = plain(one.id or one.message_id)
        state = Text(one.state or "unknown", style=COLOURS[one.state] if one.state else "bright_black")
        if one.code:
            state.append(f"\n{plain(one.code)}", style="bright_black")
        told = Text(f"{'would be ' if one.dry_run else ''}{one.outcome}", style=_COLOURS[one.outcome])
        if one.new_id:
            told.append(f" as …{one.new_id.rpartition('.')[2]}")
        table.add_row(Text(name), state, age(one.sent_at, at), told)
        if one.why:
            whys.append(Text.assemble((f"{name}  ", "bright_black"), plain(one.why)))
    if not table.row_count:
        return Text("no dead letters", style="green")
    return Group(table, Text(), *whys) if whys else table
