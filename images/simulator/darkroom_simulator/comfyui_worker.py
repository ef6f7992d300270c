"""The imagined ComfyUI's worker: it executes one prompt after the other, node after node, and caches what they make."""

import asyncio
from typing import Any

from PIL import UnidentifiedImageError

from .comfyui_clients import Clients
from .comfyui_files import Files, texts_of
from .comfyui_graph import is_link, plan, signatures, sources
from .comfyui_nodes import NODES
from .comfyui_queue import PromptQueue
from .comfyui_run import Run
from .faulty import do_work
from .gpu import Gpu, Interrupted

_OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1.02 GiB is free."
    "\nThis error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before you might have "
    "accidentally set the batch_size to a large number."
)
_CUDA_ERROR = (
    "CUDA error: an illegal memory access was encountered\n"
    "CUDA kernel errors might be asynchronously reported at some other API call\n"
)
# What ProbeRaise is asked for, and what a fault makes: the exception's type and its words.
_PROBES = {
    "OOM": ("torch.OutOfMemoryError", _OUT_OF_MEMORY),
    "RuntimeError_cuda": ("RuntimeError", _CUDA_ERROR),
    "ValueError": ("ValueError", "probe value error\n"),
}
_FAULTS = {
    "out-of-memory": ("torch.OutOfMemoryError", _OUT_OF_MEMORY),
    "cuda-error": ("torch.AcceleratorError", _CUDA_ERROR),
    "value-error": ("ValueError", "the simulator was asked for a ValueError\n"),
    "runtime-error": ("RuntimeError", "the simulator was asked for a RuntimeError\n"),
}


class NodeFailed(Exception):
    """A node raised an exception of this type."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(kind, said)
        self.kind = kind
        self.said = said


class Blocked(Exception):
    """A node made an ExecutionBlocker, for all nodes behind it; its words may be empty."""


class Worker:
    """The worker thread of the real one."""

    def __init__(self, queue: PromptQueue, clients: Clients, gpu: Gpu, files: Files) -> None:
        self._queue = queue
        self._clients = clients
        self._gpu = gpu
        self._files = files
        self._run: Run | None = None
        self._cache: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._interrupted = False

    async def work(self) -> None:
        """For ever."""
        while True:
            self._run = Run(await self._queue.take(), self._clients)
            self._interrupted = False
            await self._prompt(self._run)
            self._run = None

    def interrupt(self) -> None:
        """Stop the running prompt: at its next step, or at its next node."""
        self._interrupted = True
        self._gpu.interrupt()

    def node_of(self, client_id: str) -> str | None:
        """The node that runs for a client."""
        mine = self._run is not None and self._run.item.client_id == client_id
        return self._run.node_id if self._run is not None and mine else None

    async def _prompt(self, run: Run) -> None:
        status = "error"
        try:
            await run.message("execution_start")
            signed = await asyncio.to_thread(signatures, run.item.graph, run.item.outputs, self._files.digest)
            # What the prompt does not use is forgotten (recorded: a node used two prompts ago is executed again).
            self._cache = {key: value for key, value in self._cache.items() if key in signed.values()}
            cached = [node_id for node_id in run.item.graph if signed.get(node_id) in self._cache]
            await run.message("execution_cached", nodes=cached)
            run.made.update({node_id: self._cache[signed[node_id]][0] for node_id in cached})
            await self._nodes(run, signed, cached)
            await run.message("execution_success")
            status = "success"
        except Interrupted:
            stopped = {"node_id": run.node_id, "node_type": run.class_of(run.node_id), "executed": run.executed}
            await run.message("execution_interrupted", **stopped)
        except NodeFailed:
            pass
        told = {"status_str": status, "completed": status == "success", "messages": run.messages}
        await self._queue.done(run.item, run.outputs, told)
        await run.over()

    async def _nodes(self, run: Run, signed: dict[str, str], cached: list[str]) -> None:
        order = plan(run.item.graph, run.item.outputs, cached)
        fresh = [node_id for node_id in order if node_id not in cached]
        # Without a sampler the job's time is spent at its first node.
        heavy = next((i for i in fresh if NODES[run.class_of(i)].samples), fresh[0] if fresh else None)
        if heavy is None:
            await self._gpu.work(run.item.prompt_id, 0)
        for node_id in order:
            if node_id in cached:
                await run.end(node_id, self._cache[signed[node_id]][1], was_cached=True)
            else:
                output = await self._node(run, node_id, is_heavy=node_id == heavy)
                if node_id in run.made and run.item.fault.fault != "no-outputs":
                    self._cache[signed[node_id]] = (run.made[node_id], output)

    async def _node(self, run: Run, node_id: str, *, is_heavy: bool) -> Any:
        """Execute one node; its output. What it makes for others is in `run.made` then, unless it was blocked."""
        await run.begin(node_id)
        if self._interrupted:
            raise Interrupted
        inputs: dict[str, Any] = {}
        output = None
        try:
            if not await self._is_blocked(run, node_id):
                inputs.update(_resolved(run, node_id))
                output = await self._execute(run, node_id, inputs, is_heavy)
        except Blocked as blocked:
            run.blocked[node_id] = str(blocked)
        except NodeFailed as failed:
            await run.failed(failed.kind, failed.said, inputs)
            raise
        await run.end(node_id, output)
        return output

    async def _is_blocked(self, run: Run, node_id: str) -> bool:
        """A blocked node does nothing; the first one behind a blocker says why, if there are words."""
        blockers = [i for i in sources(run.item.graph[node_id]) if i in run.blocked]
        if not blockers:
            return False
        if run.blocked[blockers[0]]:
            await run.tell_blocked(run.blocked[blockers[0]])
        run.blocked[node_id] = ""
        return True

    async def _execute(self, run: Run, node_id: str, inputs: dict[str, Any], is_heavy: bool) -> Any:
        kind = run.class_of(node_id)
        node = NODES[kind]
        if is_heavy and kind != "ProbeSleep":
            await self._spend(run, int(inputs.get("steps", 1)), preview=node.samples)
        if kind == "ProbeSleep":
            await self._sleep(run, inputs)
        if kind == "ProbeRaise":
            await self._raise(run, str(inputs["kind"]))
        if kind in ("LoadImage", "LoadImageMask"):
            inputs["image"] = [await asyncio.to_thread(self._load, str(inputs["image"]))]
        run.made[node_id] = await asyncio.to_thread(node.make, inputs)
        if not node.output or run.item.fault.fault == "no-outputs":
            return None
        prefix = str(inputs.get("filename_prefix", "ComfyUI_temp"))
        texts = texts_of(run.item.graph, run.item.extra_data)
        saved = await asyncio.to_thread(self._files.save, node.output, run.made[node_id][0], prefix, texts)
        if saved is None:
            raise NodeFailed("Exception", "**** ERROR: Saving image outside the output folder is not allowed.\n")
        return saved

    async def _spend(self, run: Run, steps: int, *, preview: bool) -> None:
        """Spend the job's time at the running node, or fail as its fault says."""

        async def on_step(step: int) -> None:
            if preview:
                await run.step(step, steps, preview=True)

        fault = run.item.fault
        if fault.fault == "drop-websocket":
            self._clients.drop()
        await do_work(self._gpu, fault, run.item.prompt_id, steps, on_step)
        if fault.fault in _FAULTS:
            raise NodeFailed(*_FAULTS[fault.fault])
        if fault.fault == "blocked":
            raise Blocked("the simulator was asked to block")

    async def _sleep(self, run: Run, inputs: dict[str, Any]) -> None:
        steps = int(inputs["steps"])

        async def on_step(step: int) -> None:
            await run.step(step, steps, preview=False)

        await self._gpu.work(
            run.item.prompt_id,
            float(inputs["seconds"]),
            steps=steps,
            on_step=on_step,
            interruptible=bool(inputs["interruptible"]),
        )

    async def _raise(self, run: Run, kind: str) -> None:
        if kind == "SystemExit":  # kills the worker thread
            await self._gpu.hang(run.item.prompt_id, for_ever=True)
        if kind.startswith("block"):
            raise Blocked("probe blocked with message" if kind == "block_msg" else "")
        raise NodeFailed(*_PROBES.get(kind, (kind, "\n")))

    def _load(self, name: str) -> Any:
        try:
            return self._files.load(name)
        except UnidentifiedImageError as error:
            raise NodeFailed("PIL.UnidentifiedImageError", f"cannot identify image file '{name}'\n") from error
        except (OSError, SyntaxError) as error:
            raise NodeFailed(type(error).__name__, f"{error}\n") from error


def _resolved(run: Run, node_id: str) -> dict[str, Any]:
    """A node's inputs, with links replaced by what their nodes made."""
    inputs = run.item.graph[node_id]["inputs"]
    return {name: run.made[value[0]][value[1]] if is_link(value) else value for name, value in inputs.items()}
