"""A node that is drained: what runs on it finishes, and what waits goes on when there is a node again."""

import pytest

from .rig import Rig, label
from .test_leaving import ONE

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_drained_node_loses_nothing(rig: Rig) -> None:
    """The eviction lets the running job finish; what waits is done when there is a node again."""
    async with rig.runtime("drained", ONE):
        (first,) = await rig.submit("drained", 1, 15)
        await rig.running(first)
        (second,) = await rig.submit("drained", 1, 2)
        node = rig.cluster.node.name
        try:
            ours = f"--pod-selector={label('drained')}"  # the node's other pods are other tests'
            await rig.kubectl("drain", node, ours, "--delete-emptydir-data", "--timeout=300s")
            await rig.heard.until([first], 300)
            assert second not in rig.heard.told, "nobody was to do it"
        finally:
            await rig.kubectl("uncordon", node)
        await rig.heard.until([second], 300)
    documents = await rig.ends([first, second])
    assert [one["state"] for one in documents] == ["completed", "completed"]
    assert documents[0]["attempt"] == 1
