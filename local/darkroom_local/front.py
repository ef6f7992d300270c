"""The front door on this machine: the jobs API behind a gateway, with the example workflows in the models bucket."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from .emulator import Emulator, free_port
from .processes import Child, start
from .topology import Topology, aws_client

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "workflows"
_LOOK_SECONDS = 0.05
_START_SECONDS = 60.0


@asynccontextmanager
async def front_door(topology: Topology, emulator: Emulator, folder: Path, **api: str) -> AsyncIterator[str]:
    """Run the jobs API for as long as the context lasts; its address. `api` are further variables of the Lambda.

    Raises:
        RuntimeError: it did not start; its log is in `folder`.
    """
    await put_examples(topology, emulator.url)
    url = f"http://127.0.0.1:{(port := free_port())}"
    environ = {**os.environ, **topology.api_environment(), **emulator.environment, **api}
    child = await start(
        [sys.executable, "-m", "darkroom_local.gateway", "--port", str(port)], environ, folder / "api.log"
    )
    try:
        await _until_up(url, child)
        yield url
    finally:
        await child.stop()


async def put_examples(topology: Topology, endpoint: str) -> None:
    """Put the example workflows into the models bucket, and let pages use the output bucket."""
    async with aws_client("s3", endpoint) as s3:
        # The page sends input images straight to the bucket; leave to do so is in the pre-signed address.
        cors = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"]}
        await s3.put_bucket_cors(Bucket=topology.bucket, CORSConfiguration={"CORSRules": [cors]})
        for file in sorted(_EXAMPLES.glob("*.json")):
            await s3.put_object(Bucket=topology.models_bucket, Key=f"workflows/{file.name}", Body=file.read_bytes())


async def _until_up(url: str, child: Child) -> None:
    """Wait until it answers. A port tells nobody when it opens, so it is tried."""
    end = asyncio.get_running_loop().time() + _START_SECONDS
    async with aiohttp.ClientSession() as session:
        while child.process.returncode is None and asyncio.get_running_loop().time() < end:
            try:
                async with session.get(f"{url}/v1/runtimes"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"the jobs API did not start; its log: {child.log}")
