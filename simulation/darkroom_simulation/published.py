"""Figures that others published, each with its source, and the chart's own defaults: where a run starts from.

Replace them by your own measurements: none of them comes from a GPU of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .parameters import Agent, Nodes, Parameters, Prices, Seconds, Start, scaling_of, seconds, volume_price

_CHART = Path(__file__).parents[2] / "charts" / "runtime" / "values.yaml"

NODE = Seconds(100, 1.2)
"""80 to 120 s "to provision and boot new GPU instances":
tensorfuse.io/docs/blogs/lazy_loading_performance_degradation."""

IMAGE = {"soci": Seconds(23.2, 1.2), "snapshot": Seconds(0.0), "none": Seconds(130.8, 1.2)}
"""9.35 GB on Bottlerocket with quick EBS and network, by `imageCache.mode`:
aws.amazon.com/blogs/containers/introducing-seekable-oci-parallel-pull-mode-for-amazon-eks. A snapshot is read ahead."""

RUNTIME = Seconds(40, 1.2)
"""25 s for SDXL's 6.9 GB, in proportion to "close to a minute" for 16.5 GB on EC2 (outerport.com/blog/sd35-cold-start),
and 15 s, a guess, for the server and torch."""

JOB = Seconds(5, 1.4)
""""4-6 seconds on an A10G" for SDXL at 1024 × 1024:
baseten.co/blog/sdxl-inference-in-under-2-seconds-the-ultimate-guide-to-stable-diffusion-optimiza."""

CONTAINER, AGENT = Seconds(1, 1.3), Seconds(2.2, 1.3)
"""Measured: docs/discussion/scaling-times.md and benchmark.md, on an idle machine."""

SPOT, ON_DEMAND = 0.53, 0.9776
"""g6.2xlarge in us-east-1: Spot as the AWS Guidance reckons, On-Demand from aws.amazon.com/ec2/pricing/on-demand."""


def chart_values() -> dict[str, Any]:
    """The runtime chart's defaults."""
    values: dict[str, Any] = yaml.safe_load(_CHART.read_text())
    return values


def defaults(image_cache: str | None = None, job_seconds: float = JOB.median) -> Parameters:
    """The chart as it is installed, told how long a job takes.

    Args:
        image_cache: another `imageCache.mode` than the chart's.
        job_seconds: `scaling.jobSeconds`.
    """
    values = chart_values()
    values["scaling"]["jobSeconds"] = job_seconds
    return Parameters(
        scaling=scaling_of(values),
        start=Start(NODE, IMAGE[image_cache or values["imageCache"]["mode"]], CONTAINER, RUNTIME, AGENT),
        agent=Agent(),
        nodes=Nodes(
            headroom=values["headroom"]["replicas"], consolidate_after=seconds(values["nodes"]["consolidateAfter"])
        ),
        prices=Prices(SPOT, ON_DEMAND, volume_price(values)),
    )
