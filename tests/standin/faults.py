"""Faults on demand: which call meets which, from a seed."""

import random
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .wire import Refusal, Subject

type Kind = Literal["latency", "throttle", "error", "expired", "cut_request", "cut_answer", "lost_answer", "duplicate"]

KINDS = {
    "latency": "the call takes `seconds` longer, give or take `jitter`",
    "throttle": "refused for its rate, before any effect",
    "error": "refused with `status` (5xx), before any effect",
    "expired": "refused for expired credentials (ExpiredToken), before any effect",
    "cut_request": "the connection breaks while the request is read, before any effect",
    "cut_answer": "the effect happens, the connection breaks in the middle of the answer",
    "lost_answer": "the effect happens, the connection breaks before the answer",
    "duplicate": "ReceiveMessage hands out what stays to be received again; a message deleted by DeleteMessage comes "
    "once more; Publish delivers twice",
}


class Fault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of fault and the calls that it strikes.

    `service`, `operation` and `resource` (queue, topic or bucket by name) narrow them, "*" is any. Of those calls the
    first `skip` are spared, then each is struck with `probability`, at most `count` in all (None: no limit).
    """

    kind: Kind
    service: str = "*"
    operation: str = "*"
    resource: str = "*"
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    count: Annotated[int, Meta(ge=0)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    jitter: Annotated[float, Meta(ge=0)] = 0.0
    status: Annotated[int, Meta(ge=500, le=599)] = 500

    def concerns(self, subject: Subject) -> bool:
        """Whether a call is one of those."""
        return (
            self.service in {"*", subject.service}
            and self.operation in {"*", subject.operation}
            and self.resource in {"*", subject.resource}
        )


@dataclass(slots=True)
class Active:
    """A fault at work: how many calls it concerned, and how many it struck."""

    fault: Fault
    chance: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self, subject: Subject) -> bool:
        """Decide on a call. Every call that it concerns draws once, so that counts of others change nothing."""
        fault = self.fault
        if not fault.concerns(subject):
            return False
        self.seen += 1
        drawn = self.chance.random() < fault.probability
        if not drawn or self.seen <= fault.skip or (fault.count is not None and self.struck >= fault.count):
            return False
        self.struck += 1
        return True


@dataclass(frozen=True, slots=True)
class Fate:
    """What one call meets."""

    seconds: float = 0.0
    refusal: Refusal | None = None
    cut: Kind | None = None
    twice: bool = False


UNHARMED = Fate()


@dataclass(slots=True)
class Faults:
    """Those at work. Each draws from a generator of its own, made of the seed and its place in the order of adding."""

    seed: int = 0
    active: list[Active] = field(default_factory=list)

    def add(self, *faults: Fault) -> None:
        """Put faults to work beside the present ones."""
        for fault in faults:
            self.active.append(Active(fault, random.Random(f"{self.seed}/{len(self.active)}")))

    def clear(self, seed: int | None = None) -> None:
        """End all of them, and begin the order anew."""
        self.active.clear()
        self.seed = self.seed if seed is None else seed

    def meet(self, subject: Subject) -> Fate:
        """Decide what a call meets. Of several refusals, and of several cuts, the first one added wins."""
        if not self.active:
            return UNHARMED
        seconds, refusal, twice = 0.0, None, False
        cut: Kind | None = None
        for one in self.active:
            if not one.strikes(subject):
                continue
            fault = one.fault
            if fault.kind == "latency":
                seconds += max(0.0, fault.seconds + one.chance.uniform(-fault.jitter, fault.jitter))
            elif fault.kind == "duplicate":
                twice = True
            elif fault.kind in {"cut_request", "cut_answer", "lost_answer"}:
                cut = cut or fault.kind
            else:
                refusal = refusal or _refusal(fault, subject.service)
        return Fate(seconds, refusal, cut, twice)


def _refusal(fault: Fault, service: str) -> Refusal:
    """The code that each service gives, by which SDKs decide whether to try again."""
    s3 = service == "s3"
    if fault.kind == "throttle":
        if s3:
            return Refusal("SlowDown", "Please reduce your request rate.", 503)
        return Refusal("RequestThrottled" if service == "sqs" else "Throttling", "Rate exceeded", 400)
    if fault.kind == "expired":
        if s3:
            return Refusal("ExpiredToken", "The provided token has expired.", 400)
        return Refusal("ExpiredToken", "The security token included in the request is expired", 403)
    if fault.status == 503:
        return Refusal("ServiceUnavailable", "Please try again.", 503)
    return Refusal("InternalError", "We encountered an internal error. Please try again.", fault.status)
