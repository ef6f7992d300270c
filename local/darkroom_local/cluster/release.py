"""Install charts of this repository with Helm, with the values that Terraform's outputs have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.go_tools import program

from darkroom_local.emulator import Emulator
from darkroom_local.topology import MAX_ATTEMPTS, VISIBILITY_SECONDS, Topology

from .control_plane import ControlPlane
from .programs import run

CHARTS = Path(__file__).resolve().parents[3] / "charts"


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a chart: its name, and where it lives."""

    name: str
    namespace: str
    chart: Path = field(default=CHARTS / "runtime")

    async def install(self, plane: ControlPlane, values: Mapping[str, Any], *flags: str) -> str:
        """Install or upgrade it; what Helm said."""
        file = plane.folder / f"{self.name}.values.json"
        file.write_text(json.dumps(values, indent=1))
        words = ("upgrade", "--install", self.name, self.chart, "--create-namespace", f"--values={file}")
        return await self._helm(plane, *words, *flags)

    async def rollback(self, plane: ControlPlane) -> str:
        """Go back to the revision before; what Helm said."""
        return await self._helm(plane, "rollback", self.name)

    async def uninstall(self, plane: ControlPlane) -> str:
        """Remove it, and wait until its objects are gone; what Helm said."""
        return await self._helm(plane, "uninstall", self.name, "--wait", "--ignore-not-found", "--timeout=5m")

    async def _helm(self, plane: ControlPlane, *words: str | Path) -> str:
        where = (f"--namespace={self.namespace}", f"--kubeconfig={plane.kubeconfig}")
        return await run(program("helm"), *words, *where)


def runtime_values(topology: Topology, emulator: Emulator, runtime: str) -> dict[str, Any]:
    """Values of a runtime's release: Terraform's `runtime_values` as far as they mean something here, and more."""
    queues = topology.of(runtime)
    return {
        "runtime": {
            "name": runtime,
            "type": queues.spec.type,
            "image": {"repository": "darkroom/simulator", "pullPolicy": "Never"},
            "port": 8080,
            "env": {"SIMULATOR_TYPE": queues.spec.type, "SIMULATOR_PORT": "8080"},
            "dynamicModel": queues.spec.dynamic_model,
            "concurrency": queues.spec.concurrency,
        },
        "agent": {
            "image": {"repository": "darkroom/agent", "pullPolicy": "Never"},
            # Pod Identity gives a role on EKS; here these are the credentials.
            "settings": {name: emulator.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        },
        "aws": {"region": emulator.environment["AWS_DEFAULT_REGION"], "endpointUrl": emulator.url},
        "queue": {
            "url": queues.queue_url,
            "bulkUrl": queues.bulk_url or "",
            "visibilitySeconds": VISIBILITY_SECONDS,
            "maxAttempts": MAX_ATTEMPTS,
        },
        "results": {"topicArn": topology.results_arn},
        "outputs": {"bucket": topology.bucket},
        "models": {"bucket": topology.models_bucket},
        "serviceAccount": {"name": runtime},
        "scaling": {"jobSeconds": queues.spec.job_seconds},
    }
