"""The calls of the sdwebui API beside those that make images, each parsed into a plain value."""

from typing import Any

import msgspec
from msgspec import Struct

from darkroom_agent.errors import RuntimeFailed

from .http import Reply, RuntimeHttp
from .sdwebui_answers import failure_of
from .sdwebui_catalogue import Checkpoint, Choices, choices_of

_API = "/sdapi/v1"
_SECONDS = 5.0
_LOAD_SECONDS = 60.0
_MISSING = (404, 405, 501)  # sd.cpp's server has few of these calls


class Progress(Struct, frozen=True):
    """What the server works on. It names no job; `job_count` is 0 when there is none."""

    progress: float = 0.0
    state: dict[str, Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is a job (-1: it has just begun)."""
        return bool((self.state or {}).get("job_count"))


class Calls:
    """They raise what `failure_of` makes of other answers than 200; what a server lacks is None or empty."""

    def __init__(self, http: RuntimeHttp) -> None:
        self._http = http

    async def progress(self) -> Progress | None:
        """What the server works on, or None where it does not tell."""
        reply = await self._get("/progress", {"skip_current_image": "true"})
        return None if reply is None else _converted(reply, Progress)

    async def options(self) -> dict[str, Any] | None:
        """All options as they are."""
        reply = await self._get("/options")
        return None if reply is None else _converted(reply, dict[str, Any])

    async def set_options(self, options: dict[str, Any]) -> None:
        """Change options. A checkpoint is loaded meanwhile, however long that takes."""
        reply = await self._http.request("POST", f"{_API}/options", body=msgspec.json.encode(options))
        if reply.status != 200:
            raise failure_of(reply)

    async def interrupt(self) -> None:
        """Stop the job that runs, whosever it is; it answers 204 in SD.Next, and 404 where there is none."""
        await self._post("/interrupt")

    async def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Checkpoints that the server knows."""
        reply = await self._get("/sd-models")
        return () if reply is None else _converted(reply, tuple[Checkpoint, ...])

    async def refresh_checkpoints(self) -> None:
        """Have the server read its models folder again."""
        await self._post("/refresh-checkpoints", _LOAD_SECONDS)

    async def choices(self, name: str) -> Choices:
        """`samplers` or `schedulers`."""
        reply = await self._get(f"/{name}")
        return {} if reply is None else choices_of(reply.json())

    async def reload_checkpoint(self) -> None:
        """Take the checkpoint off the GPU, with all that was kept beside it, and put it back."""
        for path in ("/unload-checkpoint", "/reload-checkpoint"):
            reply = await self._post(path, _LOAD_SECONDS)
            if reply.status >= 400 and reply.status not in _MISSING:
                raise failure_of(reply)

    async def used_memory(self) -> int | None:
        """Resident memory of the server's process, in bytes."""
        reply = await self._get("/memory")
        try:
            return None if reply is None else int(reply.json()["ram"]["used"])
        except (KeyError, TypeError, ValueError):
            return None

    async def _get(self, path: str, params: dict[str, str] | None = None) -> Reply | None:
        reply = await self._http.request("GET", _API + path, params=params, seconds=_SECONDS)
        if reply.status in _MISSING:
            return None
        if reply.status != 200:
            raise failure_of(reply)
        return reply

    async def _post(self, path: str, seconds: float = _SECONDS) -> Reply:
        return await self._http.request("POST", _API + path, body=b"{}", seconds=seconds)


def _converted[T](reply: Reply, kind: type[T]) -> T:
    try:
        return msgspec.convert(reply.json(), kind)
    except msgspec.ValidationError as error:
        raise RuntimeFailed(f"the runtime answered what is not expected: {error}") from error
