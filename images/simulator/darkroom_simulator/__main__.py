"""`python -m darkroom_simulator --type sdwebui`: run a simulator until SIGTERM."""

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .options import Options


def main() -> None:
    """Start the simulator."""
    # First of all: process 1 of a container ignores SIGTERM until it handles it. So every import of ours is later.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    from .options import parse_options  # noqa: PLC0415

    asyncio.run(serve(parse_options(sys.argv[1:], os.environ)))


async def serve(options: "Options") -> None:
    """Say where it listens, on a line of JSON, and go on until asked to stop."""
    from .app import start  # noqa: PLC0415

    runner, url, folder = await start(options)
    print(json.dumps({"event": "listening", "url": url}), flush=True)  # noqa: T201
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    folder.cleanup()


if __name__ == "__main__":
    main()
