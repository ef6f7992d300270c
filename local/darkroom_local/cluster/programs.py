"""The cluster's programs: started to run on, run to their end, or waited for until they answer."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from scripts.go_tools import program

from darkroom_local.processes import Child, start

_LOOK_SECONDS = 0.1


class ClusterFailed(Exception):
    """A part of the cluster ended, did not start, or refused what it was given; the message has its own words."""


async def running(stack: AsyncExitStack, name: str, flags: Iterable[str | Path], folder: Path, **environ: str) -> Child:
    """Start a program of scripts/go_tools.py, to be stopped with the stack; its log is `<name>.log` in the folder."""
    path = await asyncio.to_thread(program, name)
    child = await start([str(path), *map(str, flags)], {**os.environ, **environ}, folder / f"{name}.log")
    stack.push_async_callback(child.stop)
    return child


async def run(*command: str | Path, given: str = "", **environ: str) -> str:
    """Run a program to its end; what it wrote to its standard output.

    Raises:
        ClusterFailed: it ended with another status than 0.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env={**os.environ, **environ}, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        out, err = await process.communicate(given.encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        name = Path(command[0]).name
        said = err.decode(errors="replace").strip()[-2000:]
        raise ClusterFailed(f"`{name} {' '.join(map(str, command[1:]))}` ended with {process.returncode}: {said}")
    return out.decode()


async def until(answers: Callable[[], bool], child: Child, name: str, seconds: float) -> None:
    """Ask a program that has just been started until it answers: none of them tells when it is ready.

    Raises:
        ClusterFailed: it ended, or it took longer than that; with the end of its log.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await asyncio.to_thread(answers):
        if child.process.returncode is not None:
            raise ClusterFailed(f"{name} ended with {child.process.returncode}: {tail(child.log)}")
        if loop.time() > end:
            raise ClusterFailed(f"{name} was not ready within {seconds:g} s: {tail(child.log)}")
        await asyncio.sleep(_LOOK_SECONDS)


def tail(log: Path, lines: int = 10) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
