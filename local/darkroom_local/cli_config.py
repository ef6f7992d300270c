"""Configuration of the command line for the flow on this machine, as Terraform's output `cli_config` is for AWS."""

import json
from pathlib import Path

from .flow import Flow


def write_cli_config(running: Flow) -> Path:
    """Write it beside the logs; where it is."""
    topology = running.topology
    values = {
        "endpoint": running.api_url,
        "output_bucket": topology.bucket,
        "models_bucket": topology.models_bucket,
        "queue_url_prefix": topology.queue_url_prefix,
        "jobs_topic_arn": topology.jobs_arn,
        "results_topic_arn": topology.results_arn,
        "region": running.emulator.environment["AWS_DEFAULT_REGION"],
    }
    path = running.logs / "darkroom.toml"
    # A JSON string is a TOML string.
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return path
