"""What the pod costs an hour: its part of its node, whose labels say what was bought.

    price = NODE_PRICES[instance type][capacity type] * accelerators of the pod / accelerators of the node

Where anything of it is not known the price is not, and jobs have no cost; nothing is guessed, and nothing waits for it.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog

from .gpu_time import GpuTime
from .kubernetes import KubernetesFailed, address, call
from .settings import Settings
from .values import Prices

log = structlog.get_logger()

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPES = ("karpenter.sh/capacity-type", "eks.amazonaws.com/capacityType")
"""Labels of Karpenter's nodes (`spot`, `on-demand`) and of EKS's node groups (`SPOT`, `ON_DEMAND`)."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0  # seconds, while Kubernetes cannot be reached


class _Metadata(msgspec.Struct, frozen=True):
    labels: Annotated[dict[str, str], msgspec.Meta(max_length=1000)] = {}


class _Status(msgspec.Struct, frozen=True):
    capacity: dict[str, Any] = {}


class Node(msgspec.Struct, frozen=True):
    """What of a Node object says its price (Kubernetes' core/v1)."""

    metadata: _Metadata = _Metadata()
    status: _Status = _Status()


class PriceUnknown(Exception):
    """The price cannot be told; the message says what is missing."""


async def learn_price(gpu: GpuTime, settings: Settings) -> None:
    """Set the price once it is known; must run as a task. Says so once where it never will be."""
    if settings.pod_price is not None:
        gpu.price = settings.pod_price
        return
    api = address(settings)
    if settings.node_prices is None or settings.node_name is None or api is None:
        return
    url, pause = f"{api}/api/v1/nodes/{settings.node_name}", _FIRST_PAUSE
    while True:
        try:
            body = await call("GET", url, Path(settings.service_account))
            gpu.price = price_of(body, settings.node_prices, settings.accelerator, settings.accelerators)
        except KubernetesFailed as failure:
            if pause == _FIRST_PAUSE:
                log.warning("price.unknown", error=str(failure), hint="jobs have no cost until the node can be read")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        except PriceUnknown as unknown:
            log.warning(
                "price.unknown", error=str(unknown), hint="jobs have no cost; add it to the chart's cost.prices"
            )
            return
        else:
            log.info("price.known", usd_per_hour=round(gpu.price, 5))
            return


def price_of(body: bytes, prices: Prices, accelerator: str | None, accelerators: int) -> float:
    """USD an hour of a pod with so many accelerators, on the node that this JSON describes.

    Raises:
        PriceUnknown: the node does not say what it is, or has no price.
    """
    try:
        node = msgspec.json.decode(body, type=Node)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PriceUnknown(f"what Kubernetes answered is no node: {error}") from error
    instance, capacity = _bought(node.metadata.labels)
    price = prices.get(instance, {}).get(capacity)
    if price is None:
        raise PriceUnknown(f"there is no price for {instance}, {capacity}")
    whole = _count(node.status.capacity.get(accelerator or ""))
    if whole < accelerators:
        raise PriceUnknown(f"the node has {whole} of {accelerator or 'no accelerator'}, the pod {accelerators}")
    return price * accelerators / whole


def _bought(labels: Mapping[str, str]) -> tuple[str, str]:
    instance = labels.get(INSTANCE_TYPE)
    capacity = next((labels[label] for label in CAPACITY_TYPES if label in labels), None)
    if not instance or not capacity:
        missing = INSTANCE_TYPE if not instance else CAPACITY_TYPES[0]
        raise PriceUnknown(f"the node has no label {missing}")
    return instance, capacity.lower().replace("_", "-")


def _count(quantity: object) -> int:
    text = str(quantity)
    return int(text) if text.isascii() and text.isdigit() else 0
