"""`python -m tests.standin --latency-ms 40`: run the stand-in until SIGTERM."""

import argparse
import asyncio
import json
import signal

from .server import Standin, listen


async def main() -> None:
    """Listen, say where, wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every call")
    runner, url = await listen(Standin(parser.parse_args().latency_ms / 1000))
    print(json.dumps({"event": "listening", "url": url}), flush=True)  # noqa: T201
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


asyncio.run(main())
