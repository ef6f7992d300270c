"""Which of EC2's quotas limits an instance type, and how many of its pods' nodes a quota lets run. Pure.

EC2 counts vCPUs of running instances by groups of families, Spot and On-Demand apart. Codes: AWS, "Amazon EC2 endpoints
and quotas" (Service Quotas, service `ec2`).
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .outputs import Runtime


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of EC2, in vCPUs."""

    code: str
    name: str


_GROUPS = {
    "G and VT": ("L-DB2E81BA", "L-3819A6DF"),
    "P5": ("L-417A185B", "L-C4BD4855"),
    "P": ("L-417A185B", "L-7212CCBC"),
    "Inf": ("L-1945791B", "L-B5D1601B"),
    "Trn": ("L-2C3B7624", "L-6B0D517C"),
}
GPU = tuple(
    Quota(code, f"{'Spot' if spot else 'On-Demand'} {group}")
    for group in ("G and VT",)
    for spot, code in enumerate(_GROUPS[group])
)
"""The quotas of the instance types that runtimes have by default."""


def quota_of(instance_type: str, capacity: str) -> Quota | None:
    """The quota that a type of instance counts against; None for a family without GPU or the like."""
    family = re.match(r"[a-z]+", instance_type)
    group = {"g": "G and VT", "gr": "G and VT", "vt": "G and VT", "p": "P", "inf": "Inf", "trn": "Trn"}.get(
        family.group() if family else ""
    )
    if group == "P" and instance_type.startswith("p5"):
        group = "P5"
    if group is None:
        return None
    spot = capacity == "spot"
    return Quota(_GROUPS[group][spot], f"{'Spot' if spot else 'On-Demand'} {group}")


def needed(runtimes: Mapping[str, Runtime]) -> set[Quota]:
    """Every quota that these runtimes count against."""
    pairs = (
        (type_, capacity)
        for one in runtimes.values()
        for type_ in one.instance_types
        for capacity in one.capacity_types
    )
    return {quota for type_, capacity in pairs if (quota := quota_of(type_, capacity)) is not None}


def shortages(runtimes: Mapping[str, Runtime], quotas: Mapping[str, float], vcpus: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each runtime whose largest number of pods the account's quotas do not let run, a pod a node.

    Args:
        runtimes: by name.
        quotas: code → vCPUs.
        vcpus: instance type → vCPUs.
    """
    for name, runtime in runtimes.items():
        smallest = min((vcpus[one] for one in runtime.instance_types if one in vcpus), default=0)
        if not smallest:
            continue
        known = [quota for quota in sorted(needed({name: runtime}), key=str) if quota.code in quotas]
        room = sum(math.floor(quotas[quota.code] / smallest) for quota in known)
        if known and room < runtime.max_replicas:
            told = " and ".join(f"{quota.name}: {quotas[quota.code]:g}" for quota in known)
            wanted = smallest * runtime.max_replicas
            yield (
                f"{name}: quotas of vCPUs ({told}) let {room} of {runtime.max_replicas} pods run, "
                f"{smallest} vCPUs each; ask for {wanted}: {request(known[-1].code, wanted)}"
            )


def request(code: str, vcpus: float) -> str:
    """The command that asks AWS for a higher quota."""
    return (
        f"`aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {code} "
        f"--desired-value {vcpus:g}`"
    )
