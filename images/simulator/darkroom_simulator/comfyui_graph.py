"""What follows from a ComfyUI prompt: its links, what its results depend on, its order of execution. Pure."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

from .comfyui_nodes import NODES

type Graph = dict[str, Any]


def is_link(value: Any) -> bool:
    """Whether an input comes from another node: `[node_id, slot]`."""
    return isinstance(value, list) and len(value) == 2


def sources(node: dict[str, Any]) -> list[str]:
    """The nodes whose results a node needs, in the order of its inputs."""
    return [value[0] for value in node["inputs"].values() if is_link(value)]


def signatures(graph: Graph, outputs: Iterable[str], digest: Callable[[str], str]) -> dict[str, str]:
    """What each node behind the outputs makes, as a key of the cache.

    That depends on its class, its values, the content of the file that it loads (`digest`), and all nodes behind it.
    """
    found: dict[str, str] = {}

    def sign(node_id: str) -> str:
        if node_id not in found:
            node = graph[node_id]
            values = {n: [sign(v[0]), v[1]] if is_link(v) else v for n, v in node["inputs"].items()}
            file = digest(str(values["image"])) if node["class_type"] in ("LoadImage", "LoadImageMask") else ""
            told = json.dumps([node["class_type"], values, file], sort_keys=True)
            found[node_id] = hashlib.sha256(told.encode()).hexdigest()
        return found[node_id]

    for output in outputs:
        sign(output)
    return found


def plan(graph: Graph, outputs: Iterable[str], cached: Collection[str]) -> list[str]:
    """The nodes to execute, in the server's own order: outputs as soon as they can be, else as they were found.

    Nodes before a cached one are not touched; a cached output is, to tell its old files.
    """
    waiting = _needs(graph, outputs, cached)
    order: list[str] = []
    while waiting:
        ready = [node_id for node_id, needs in waiting.items() if not needs]
        chosen = next((i for i in ready if NODES[graph[i]["class_type"]].output), ready[0])
        order.append(chosen)
        del waiting[chosen]
        for needs in waiting.values():
            needs.discard(chosen)
    return order


def _needs(graph: Graph, outputs: Iterable[str], cached: Collection[str]) -> dict[str, set[str]]:
    waiting: dict[str, set[str]] = {}
    for output in outputs:
        stack = [output]
        while stack:
            node_id = stack.pop()
            if node_id in waiting:
                continue
            before = [] if node_id in cached else [i for i in sources(graph[node_id]) if i not in cached]
            waiting[node_id] = set(before)
            stack += before
    return waiting
