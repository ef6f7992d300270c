"""A real API server that knows the objects of KEDA and Karpenter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from scripts.go_tools import ToolUnavailable, crds

from darkroom_local.cluster.control_plane import ControlPlane, control_plane
from tests.charts.conftest import unavailable


@asynccontextmanager
async def api_server_with_definitions(folder: Path) -> AsyncIterator[ControlPlane]:
    """Run one; where it cannot be had, the test is skipped, and fails in CI."""
    try:
        async with control_plane(folder) as plane:
            await plane.apply([*crds("keda"), *crds("karpenter")])
            await plane.kubectl("wait", "--for=condition=Established", "crds", "--all", "--timeout=60s")
            yield plane
    except ToolUnavailable as reason:
        unavailable(reason)
