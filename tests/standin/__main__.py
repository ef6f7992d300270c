"""`python -m tests.standin --port 0 --latency-ms 40`: run the stand-in until SIGTERM."""

import argparse
import asyncio
import json
import signal

from .faults import Faults
from .server import Standin, listen


async def main() -> None:
    """Listen, say where on a line of JSON, wait."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description="A fast stand-in for SQS, SNS and S3.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every call")
    parser.add_argument("--eventual-seconds", type=float, default=0.0, help="how late counts of messages may be")
    parser.add_argument("--seed", type=int, default=0, help="decides what faults strike")
    options = parser.parse_args()
    standin = Standin(options.latency_ms / 1000, options.eventual_seconds, Faults(options.seed))
    runner, url = await listen(standin, options.port)
    print(json.dumps({"event": "listening", "url": url}), flush=True)  # noqa: T201
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    standin.sqs.close()


if __name__ == "__main__":
    asyncio.run(main())
