"""Failures on demand: which there are, and whose turn it is to fail.

A fault is asked for by the control endpoint (it then meets any request) or by a request itself: `simulator: {…}` in an
sdwebui body, `extra_data.simulator: {…}` in a ComfyUI request; real servers pass over both.
"""

from typing import Any

import msgspec

KINDS = {
    "out-of-memory": "the job fails with torch.OutOfMemoryError",
    "cuda-error": "the job fails with a CUDA error: the process is spoilt",
    "value-error": "the job fails with a ValueError: the request's own fault",
    "runtime-error": "the job fails with a RuntimeError: try again",
    "wedge": "HTTP stays healthy, the job never ends, interrupting does nothing, until the process is restarted",
    "crash": "the process exits in the middle of the job",
    "hang": "the answer never comes, though interrupting works",
    "status": "answers `status` (502, 503, 429 …) to the request",
    "truncated": "the connection is cut in the middle of the answer",
    "garbage": "the answer is 200 with bytes that are no JSON",
    "drop-websocket": "ComfyUI: the websocket is closed while the job runs",
    "no-outputs": "the job succeeds without a single output",
    "blocked": "ComfyUI: ExecutionBlocked, followed by success without outputs",
    "huge": "the answer is `bytes` long",
    "slow-drip": "the answer comes byte by byte",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of failure, for the first `times` requests (of the same `key`, if one is given)."""

    fault: str | None = None
    times: int = 1
    key: str = ""
    latency: float | None = None
    status: int = 503
    bytes: int = 0


class Faults:
    """Decides which request fails how."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._met: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        """Let the next `times` requests fail.

        Raises:
            ValueError: no such kind.
        """
        if fault.fault not in KINDS:
            raise ValueError(f"no such fault: {fault.fault!r} (there are: {', '.join(KINDS)})")
        self.waiting += [fault] * fault.times

    def clear(self) -> None:
        """Let nothing fail any more."""
        self.waiting.clear()

    def meet(self, asked: Any) -> Fault:
        """The fault that this request meets; `asked` is what the request itself asks for, if anything."""
        own = msgspec.convert(asked, Fault) if isinstance(asked, dict) else Fault()
        if own.fault is not None:
            name = f"{own.fault}/{own.key}"
            self._met[name] = self._met.get(name, 0) + 1
            if self._met[name] <= own.times:
                return own
            return Fault(latency=own.latency)
        if self.waiting:
            return self.waiting.pop(0)
        return own
