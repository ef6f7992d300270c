"""What is known of an sdwebui server's process, and what is done so that a job gets just what it asks for.

The server passes over unknown samplers, schedulers and checkpoints in silence (recorded), and its settings leak from
one job into the next: all of that is checked, or set right, here.
"""

from typing import Any

import structlog

from darkroom_agent.errors import Failure, RuntimeFailed, RuntimeRefused
from darkroom_contract.job import Job

from .sdwebui_answers import told
from .sdwebui_calls import Calls
from .sdwebui_catalogue import Checkpoint, Choices, choose, find, is_loaded, near_choices, nearest, plain, wish
from .sdwebui_request import CHECKPOINT, checkpoint_of, overrides

log = structlog.get_logger()


class Process:
    """One process of a server. When it is gone this is too: another process has other lists and settings.

    `loaded` is the checkpoint that is known to be loaded; `has_progress`, whether it tells its progress; `stuck`, why
    it is taken for wedged.
    """

    def __init__(self, calls: Calls) -> None:
        self.loaded: str | None = None
        self.has_progress = True
        self.stuck: str | None = None
        self._calls = calls
        self._checkpoints: tuple[Checkpoint, ...] = ()
        self._choices: dict[str, Choices] = {}
        self._pinned: set[str] = set()

    async def check_choices(self, body: dict[str, Any]) -> None:
        """Refuse an unknown sampler or scheduler before the GPU works for nothing.

        Raises:
            RuntimeRefused: the server does not have it.
        """
        for name, known in (("sampler_name", "samplers"), ("scheduler", "schedulers")):
            if (wanted := wish(body, name)) is None:
                continue
            choices = await self._known(known)
            endings = await self._known("schedulers") if known == "samplers" else ()
            if choices and choose(wanted, choices, endings) is None:
                near = ", ".join(near_choices(wanted, choices)) or "none is near"
                raise RuntimeRefused(f"$.input.{name}: the runtime does not know {wanted!r} (near: {near})")

    def check_sampler(self, body: dict[str, Any], response: dict[str, Any]) -> None:
        """Check which sampler made the images: one that is spelt a little otherwise may have been replaced too.

        Raises:
            RuntimeRefused: it was.
        """
        wanted, used = wish(body, "sampler_name"), told(response, "sampler_name")
        samplers = self._choices.get("samplers", {})
        if wanted is None or used not in samplers.values():
            return
        if (name := choose(wanted, samplers, self._choices.get("schedulers", ()))) != used:
            said = f"$.input.sampler_name: the runtime took {wanted!r} for {used!r}; write {name!r}"
            raise RuntimeRefused(said, response=response)

    async def switch(self, wanted: str) -> None:
        """Load the checkpoint that a job names, and make sure that it really is.

        Raises:
            RuntimeRefused: the server has no such checkpoint, or cannot switch.
            RuntimeFailed: it has another one now.
        """
        checkpoint = await self._checkpoint(wanted)
        if self.loaded is None:
            self.loaded = await self._option()
        if is_loaded(checkpoint, self.loaded):
            return
        self.loaded = None
        await self._calls.set_options({CHECKPOINT: checkpoint.title})
        now = await self._option()
        if not is_loaded(checkpoint, now):
            raise RuntimeFailed(f"the runtime was to load the checkpoint {checkpoint.title}, but has {now}")
        self.loaded = now

    async def check_checkpoint(self, job: Job, response: dict[str, Any], *, switched: bool) -> None:
        """Check which checkpoint made the images, by the answer's own account. `switched`: it was loaded by `switch`.

        Raises:
            RuntimeRefused: another one than the job asks for.
            RuntimeFailed: the same, though it was loaded: somebody else switches too.
        """
        wanted, used = checkpoint_of(job.input), told(response, "sd_model_name")
        if used is None:
            return
        if not switched:
            self.loaded = used
        if wanted is None or plain(wanted) == plain(used):
            return
        self._checkpoints = self._checkpoints or await self._calls.checkpoints()
        meant = find(self._checkpoints, wanted)  # the job may call it by its hash
        if meant is not None and plain(meant.title) == plain(used):
            return
        said = f"the job asks for the checkpoint {wanted}, the runtime used {used}"
        if not switched:
            raise RuntimeRefused(said, response=response)
        self.loaded = None
        raise RuntimeFailed(said, response=response)

    async def pin_options(self, body: dict[str, Any]) -> None:
        """Set the options that a job overrides to what they are.

        After a job the server restores only options that had ever been set (recorded); all others would leak into
        later jobs. Once set it restores them itself, also when a job fails: this costs two calls for each new option.
        """
        new = set(overrides(body)) - self._pinned - {CHECKPOINT}
        if not new:
            return
        try:
            now = await self._calls.options() or {}
            known = {key: now[key] for key in sorted(new) if now.get(key) is not None}
            if known:
                await self._calls.set_options(known)
        except Failure as failure:
            log.warning("runtime.options_not_pinned", options=sorted(new), error=failure.message)
        self._pinned |= new

    async def _checkpoint(self, wanted: str) -> Checkpoint:
        """The checkpoint that a job means; the models folder is read again for a name that is not known."""
        if (known := find(self._checkpoints, wanted)) is not None:
            return known
        await self._calls.refresh_checkpoints()
        self._checkpoints = await self._calls.checkpoints()
        if (known := find(self._checkpoints, wanted)) is not None:
            return known
        has = nearest(self._checkpoints, wanted)
        raise RuntimeRefused(f"the runtime has no checkpoint {wanted!r} (it has: {has})")

    async def _option(self) -> str | None:
        name = (await self._calls.options() or {}).get(CHECKPOINT)
        return name if isinstance(name, str) else None

    async def _known(self, name: str) -> Choices:
        if name not in self._choices:
            self._choices[name] = await self._calls.choices(name)
        return self._choices[name]
