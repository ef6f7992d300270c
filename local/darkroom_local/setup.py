"""Make what the flow needs of AWS, where an emulator is already there: `python -m darkroom_local.setup`.

docker-compose.yml runs it before everything else. It may run again: what is there stays.
"""

import asyncio
import os
import sys

from .flow import RUNTIMES
from .front import put_examples
from .topology import make_topology


async def set_up(endpoint: str, secret: str | None) -> None:
    """Make topics, queues and buckets at this endpoint, with the example workflows and the webhooks' secret."""
    topology = await make_topology(endpoint, RUNTIMES, secret=secret)
    await put_examples(topology, endpoint)


def main() -> int:
    """Take endpoint and secret from the environment; the exit status."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        print("darkroom: AWS_ENDPOINT_URL must name an emulator; this is not for AWS itself", file=sys.stderr)  # noqa: T201
        return 2
    asyncio.run(set_up(endpoint, os.environ.get("WEBHOOK_SECRET")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
