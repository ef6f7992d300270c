"""`python -m darkroom_simulator --type sdwebui`: run a simulator until SIGTERM."""

import asyncio
import json
import os
import signal
import sys

from .app import start
from .options import Options, parse_options


async def serve(options: Options) -> None:
    """Say where it listens, on a line of JSON, and go on until asked to stop."""
    runner, url, folder = await start(options)
    print(json.dumps({"event": "listening", "url": url}), flush=True)  # noqa: T201
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    folder.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(parse_options(sys.argv[1:], os.environ)))
