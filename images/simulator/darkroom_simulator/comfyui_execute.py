"""Execute a prompt: node after node, with the events and the history that ComfyUI 0.33.0 was recorded to make."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .comfyui_files import Files, NodeFailed
from .comfyui_nodes import NODES
from .comfyui_queue import Clients, Item, PromptQueue, milliseconds
from .faulty import apply_during
from .gpu import STEPS, Gpu, Interrupted

_RAISED = {
    "OOM": (
        "torch.OutOfMemoryError",
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB",
    ),
    "out-of-memory": ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB."),
    "MemoryError": ("MemoryError", "probe"),
    "RuntimeError_cuda": ("RuntimeError", "CUDA error: an illegal memory access was encountered"),
    "cuda-error": ("torch.AcceleratorError", "CUDA error: an illegal memory access was encountered"),
    "ValueError": ("ValueError", "probe value error"),
    "value-error": ("ValueError", "the simulator was asked for a ValueError"),
    "runtime-error": ("RuntimeError", "the simulator was asked for a RuntimeError"),
}


class Blocked(Exception):
    """A node blocked the execution of those behind it."""


@dataclass
class _Run:
    item: Item
    messages: list[list[Any]] = field(default_factory=list)
    states: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    made: dict[str, tuple[Any, ...]] = field(default_factory=dict)


class Executor:
    """The worker thread of the real one; it does one prompt after the other."""

    def __init__(self, queue: PromptQueue, clients: Clients, gpu: Gpu, folder: Path, image_bytes: int) -> None:
        """`folder` holds `input`, `output` and `temp`."""
        self._queue = queue
        self._clients = clients
        self._gpu = gpu
        self._files = Files(folder, image_bytes)
        self._cache: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._interrupted = False

    async def work(self) -> None:
        """For ever."""
        while True:
            item = await self._queue.take()
            self._interrupted = False
            await self._prompt(_Run(item))

    def interrupt(self) -> None:
        """Stop the running prompt: at its next step, or at its next node."""
        self._interrupted = not self._gpu.wedged
        self._gpu.interrupt()

    async def _prompt(self, run: _Run) -> None:
        try:
            await self._message(run, "execution_start", {})
            order = _order(run.item)
            cached = [i for i in order if _signature(run.item.graph, i) in self._cache]
            await self._message(run, "execution_cached", {"nodes": cached})
            await self._all(run, order, cached)
        except Interrupted:
            await self._message(run, "execution_interrupted", {"node_id": "", "node_type": "", "executed": []})
            await self._end(run, "error")
        except NodeFailed:
            await self._end(run, "error")
        else:
            await self._message(run, "execution_success", {})
            await self._end(run, "success")

    async def _end(self, run: _Run, status: str) -> None:
        meta = {i: {"node_id": i, "display_node": i, "parent_node": None, "real_node_id": i} for i in run.outputs}
        told = {"status_str": status, "completed": status == "success", "messages": run.messages}
        await self._queue.done(run.item, run.outputs, told, meta)
        await self._send(run, "executing", {"node": None})

    async def _all(self, run: _Run, order: list[str], cached: list[str]) -> None:
        blocked: set[str] = set()
        # Without a sampler the job's time is spent at its first node.
        heavy = next((i for i in order if NODES[run.item.graph[i]["class_type"]].weight), order[0])
        for node_id in order:
            if node_id in cached:
                await self._from_cache(run, node_id)
            elif blocked & set(_sources(run.item.graph[node_id])):
                blocked.add(node_id)
            else:
                try:
                    await self._node(run, node_id, node_id == heavy)
                except Blocked as error:
                    await self._blocked(run, node_id, str(error))
                    blocked.add(node_id)
        if heavy in cached:
            await self._gpu.work(run.item.prompt_id, 0)

    async def _from_cache(self, run: _Run, node_id: str) -> None:
        """An identical node is not executed again: its old output is told, whether its files exist or not."""
        run.made[node_id], output = self._cache[_signature(run.item.graph, node_id)]
        if output is not None:
            run.outputs[node_id] = output
            await self._send(run, "executed", {"node": node_id, "display_node": node_id, "output": output})

    async def _node(self, run: _Run, node_id: str, is_heavy: bool) -> None:
        if self._interrupted:
            raise Interrupted
        node = run.item.graph[node_id]
        await self._state(run, node_id, 0.0, 1.0)
        await self._send(run, "executing", {"node": node_id, "display_node": node_id})
        try:
            output = await self._execute(run, node_id, node, is_heavy)
        except NodeFailed as failed:
            await self._failed(run, node_id, failed)
            raise
        if output is not None:
            run.outputs[node_id] = output
            await self._send(run, "executed", {"node": node_id, "display_node": node_id, "output": output})
        self._cache[_signature(run.item.graph, node_id)] = (run.made[node_id], output)
        await self._state(run, node_id, 1.0, 1.0, "finished")

    async def _execute(self, run: _Run, node_id: str, node: dict[str, Any], is_heavy: bool) -> Any:
        kind, inputs = node["class_type"], self._resolved(run, node)
        if is_heavy:
            await self._spend(run, node_id, None)
        if kind == "ProbeSleep":
            await self._spend(run, node_id, float(inputs["seconds"]))
        if kind == "ProbeRaise":
            await self._probe(run, str(inputs["kind"]))
        if kind in ("LoadImage", "LoadImageMask"):
            inputs["image"] = [await asyncio.to_thread(self._files.load, str(inputs["image"]))]
        made = await asyncio.to_thread(NODES[kind].make, inputs)
        run.made[node_id] = made
        if not NODES[kind].output or run.item.fault.fault == "no-outputs":
            return None
        prefix = str(inputs.get("filename_prefix", "ComfyUI_temp"))
        return await asyncio.to_thread(self._files.save, NODES[kind].output, made[0], prefix, run.item)

    async def _spend(self, run: _Run, node_id: str, seconds: float | None) -> None:
        """Spend the job's time, telling every step."""
        loop, tasks = asyncio.get_running_loop(), set()

        def on_step(step: int) -> None:
            task = loop.create_task(self._progress(run, node_id, step))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        fault = run.item.fault
        if seconds is not None:
            await self._gpu.work(run.item.prompt_id, seconds, on_step)
            return
        if fault.fault == "drop-websocket":
            await self._clients.drop()
        if fault.fault in ("wedge", "hang", "crash"):
            await apply_during(fault, self._gpu, run.item.prompt_id)
        await self._gpu.work(run.item.prompt_id, fault.latency, on_step)
        await asyncio.gather(*tasks)
        if fault.fault in _RAISED:
            raise NodeFailed(*_RAISED[fault.fault])
        if fault.fault == "blocked":
            raise Blocked("the simulator was asked to block")

    async def _probe(self, run: _Run, kind: str) -> None:
        if kind == "SystemExit":
            await self._gpu.hang(run.item.prompt_id, for_ever=True)
        if kind.startswith("block"):
            raise Blocked("probe blocked with message" if kind == "block_msg" else "")
        raise NodeFailed(*_RAISED.get(kind, (kind, "probe")))

    async def _progress(self, run: _Run, node_id: str, step: int) -> None:
        await self._state(run, node_id, step, STEPS)
        await self._send(run, "progress", {"value": step, "max": STEPS, "node": node_id})

    def _resolved(self, run: _Run, node: dict[str, Any]) -> dict[str, Any]:
        return {
            name: run.made[value[0]][value[1]] if isinstance(value, list) and len(value) == 2 else value
            for name, value in node["inputs"].items()
        }

    async def _failed(self, run: _Run, node_id: str, failed: NodeFailed) -> None:
        told = {
            "node_id": node_id,
            "node_type": run.item.graph[node_id]["class_type"],
            "executed": [i for i in run.made if i != node_id],
            "exception_message": failed.said,
            "exception_type": failed.kind,
            "traceback": ['  File "execution.py", in execute\n'],
            "current_inputs": {},
            "current_outputs": list(run.item.graph),
        }
        await self._message(run, "execution_error", told)

    async def _blocked(self, run: _Run, node_id: str, said: str) -> None:
        """Told as an error though success follows; and told only if there is a message (recorded)."""
        if not said:
            return
        told = {
            "node_id": node_id,
            "node_type": run.item.graph[node_id]["class_type"],
            "executed": list(run.made),
            "exception_message": f"Execution Blocked: {said}",
            "exception_type": "ExecutionBlocked",
            "traceback": [],
            "current_inputs": [],
            "current_outputs": [],
        }
        await self._send(run, "execution_error", told)

    async def _state(self, run: _Run, node_id: str, value: float, most: float, state: str = "running") -> None:
        run.states[node_id] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": node_id,
            "prompt_id": run.item.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        await self._send(run, "progress_state", {"nodes": run.states})

    async def _message(self, run: _Run, kind: str, data: dict[str, Any]) -> None:
        told = {"prompt_id": run.item.prompt_id, **data, "timestamp": milliseconds()}
        run.messages.append([kind, told])
        await self._send(run, kind, told)

    async def _send(self, run: _Run, kind: str, data: dict[str, Any]) -> None:
        told = {**data, "prompt_id": run.item.prompt_id}
        await self._clients.send(kind, told, run.item.extra_data.get("client_id", ""))


def _sources(node: dict[str, Any]) -> list[str]:
    return [value[0] for value in node["inputs"].values() if isinstance(value, list) and len(value) == 2]


def _order(item: Item) -> list[str]:
    """Nodes behind the outputs, each after those that it needs."""
    order: list[str] = []

    def visit(node_id: str) -> None:
        if node_id not in order:
            for source in _sources(item.graph[node_id]):
                visit(source)
            order.append(node_id)

    for output in item.outputs:
        visit(output)
    return order


def _signature(graph: dict[str, Any], node_id: str) -> str:
    """What makes a node's result: its class, its values, and those of all behind it."""
    node = graph[node_id]
    values = {
        name: [_signature(graph, value[0]), value[1]] if isinstance(value, list) and len(value) == 2 else value
        for name, value in node["inputs"].items()
    }
    return json.dumps([node["class_type"], values], sort_keys=True)
