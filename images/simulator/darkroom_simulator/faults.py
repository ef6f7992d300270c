"""Failures on demand: which there are, and whose turn it is to fail.

A fault is asked for by the control endpoint (it then meets the next job, or the next request of a `path`), or by a job
itself: `simulator: {…}` in a body for sdwebui or openai, `extra_data.simulator: {…}` in a ComfyUI request; real servers
pass over both.
"""

from collections.abc import Callable
from typing import Any

import msgspec

KINDS = {
    "slow": "the job takes `latency` seconds",
    "out-of-memory": "the job fails with torch.OutOfMemoryError",
    "cuda-error": "the job fails with a CUDA error: the process is spoilt",
    "value-error": "the job fails with a ValueError: the request's own fault",
    "runtime-error": "the job fails with a RuntimeError: try again",
    "wedge": "HTTP stays healthy, the job never ends, interrupting does nothing, until the process is restarted",
    "crash": "the process exits in the middle of the job",
    "hang": "the job never ends, though interrupting works; with a `path`, the answer never comes",
    "no-outputs": "the job succeeds without a single output",
    "blocked": "ComfyUI: ExecutionBlocked, followed by success without outputs",
    "drop-websocket": "ComfyUI: the websocket is cut while the job runs",
    "status": "answers `status` (502, 503, 429 …) instead of doing anything",
    "truncated": "the connection is cut in the middle of the answer",
    "garbage": "the answer is 200 with bytes that are no JSON",
    "huge": "the answer is longer by `bytes`",
    "slow-drip": "the answer comes byte by byte",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of failure, for the first `times` jobs (of the same `key`, if the job itself asks for it).

    With a `path` it meets the next requests whose path begins so, instead of jobs.
    """

    fault: str | None = None
    times: int = 1
    key: str = ""
    path: str = ""
    latency: float | None = None
    status: int = 503
    bytes: int = 0


class Faults:
    """Decides what fails how."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._met: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        """Let the next `times` jobs or requests fail.

        Raises:
            ValueError: no such kind.
        """
        if fault.fault not in KINDS:
            raise ValueError(f"no such fault: {fault.fault!r} (there are: {', '.join(KINDS)})")
        self.waiting += [fault] * fault.times

    def clear(self) -> None:
        """Let nothing fail any more."""
        self.waiting.clear()
        self._met.clear()

    def meet_job(self, asked: Any) -> Fault:
        """The fault that this job meets; `asked` is what the job itself asks for, if anything."""
        own = msgspec.convert(asked, Fault) if isinstance(asked, dict) else Fault()
        if own.fault is None:
            return self._next(lambda fault: not fault.path) or own
        name = f"{own.fault}/{own.key}"
        self._met[name] = self._met.get(name, 0) + 1
        return own if self._met[name] <= own.times else Fault(latency=own.latency)

    def meet_request(self, path: str) -> Fault | None:
        """The fault that a request of this path meets, apart from what its job does."""
        return self._next(lambda fault: bool(fault.path) and path.startswith(fault.path))

    def _next(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        for index, fault in enumerate(self.waiting):
            if wanted(fault):
                return self.waiting.pop(index)
        return None
