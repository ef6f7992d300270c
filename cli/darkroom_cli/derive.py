"""Finds what a caller may want to choose in a request: prompts, seeds, sizes, steps, images. Pure.

In a ComfyUI workflow a prompt is told from a negative one by walking from the samplers' links back to the texts; all
else by the names that inputs have in ComfyUI's own nodes and in most extensions.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from darkroom_contract.job import Task
from darkroom_contract.workflow import Parameter, ParameterType

from .node_definitions import Definitions, input_at

_SIDE = Parameter(type="integer", at=("",), minimum=64, maximum=4096)
# How each is offered, in this order. `at` and the default come from the request.
_KINDS: Mapping[str, Parameter] = {
    "prompt": Parameter(type="string", at=("",), required=True, max_length=2000, multiline=True, title="Prompt"),
    "negative": Parameter(type="string", at=("",), max_length=2000, title="Not in the picture"),
    "image": Parameter(type="image", at=("",), required=True, title="Picture"),
    "mask": Parameter(type="image", at=("",), required=True, title="Mask"),
    "width": msgspec.structs.replace(_SIDE, title="Width"),
    "height": msgspec.structs.replace(_SIDE, title="Height"),
    "size": Parameter(type="string", at=("",), max_length=11, title="Size"),
    "images": Parameter(type="integer", at=("",), minimum=1, maximum=8, title="Pictures"),
    "steps": Parameter(type="integer", at=("",), minimum=1, maximum=150, title="Steps"),
    "guidance": Parameter(type="number", at=("",), minimum=0, maximum=30, title="Guidance"),
    "strength": Parameter(type="number", at=("",), minimum=0, maximum=1, title="Strength"),
    "sampler": Parameter(type="string", at=("",), title="Sampler"),
    "scheduler": Parameter(type="string", at=("",), title="Scheduler"),
    "checkpoint": Parameter(type="string", at=("",), title="Checkpoint"),
    "seed": Parameter(type="integer", at=("",), minimum=0, maximum=0xFFFFFFFF, seed=True, title="Seed"),
}
_CHOSEN = frozenset({"sampler", "scheduler", "checkpoint"})
"""Offered only where the runtime's definitions say what there is to choose from."""

_FIELDS = {
    "prompt": "prompt",
    "negative_prompt": "negative",
    "mask": "mask",
    "image": "image",
    "width": "width",
    "height": "height",
    "size": "size",
    "batch_size": "images",
    "n": "images",
    "steps": "steps",
    "num_inference_steps": "steps",
    "cfg_scale": "guidance",
    "guidance_scale": "guidance",
    "denoising_strength": "strength",
    "seed": "seed",
}
_NODES = {
    "seed": "seed",
    "noise_seed": "seed",
    "steps": "steps",
    "cfg": "guidance",
    "guidance": "guidance",
    "denoise": "strength",
    "sampler_name": "sampler",
    "scheduler": "scheduler",
    "ckpt_name": "checkpoint",
    "unet_name": "checkpoint",
}
_LATENT = {"width": "width", "height": "height", "batch_size": "images"}
_LOADERS = {"LoadImage": "image", "LoadImageMask": "mask"}
_TEXTS = ("text", "text_g", "text_l", "clip_g", "clip_l", "t5xxl", "prompt", "value", "string")
_TYPES: Mapping[ParameterType, tuple[type, ...]] = {
    "string": (str,),
    "image": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Found:
    """Something to choose: its kind, where it stands, what stands there, and the node's title."""

    kind: str
    place: str
    value: Any
    about: str = ""


def derive(task: Task, request: Mapping[str, Any], definitions: Definitions | None = None) -> dict[str, Parameter]:
    """The parameters that a request offers. It has passed the contract's checks."""
    if task is not Task.PIPELINE:
        return _named(one for one in _of_fields(task, request) if _fits(one))
    graph = graph_of(request)
    named = _named(one for one in _of_graph(graph) if _fits(one) and (definitions or one.kind not in _CHOSEN))
    return {name: _narrowed(one, graph, definitions) for name, one in named.items()} if definitions else named


def graph_of(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The graph of a pipeline's request: the bare one, or the one in `prompt`."""
    inner = request.get("prompt")
    return inner if isinstance(inner, dict) and "class_type" not in inner else request


def _fits(found: Found) -> bool:
    return not isinstance(found.value, bool) and isinstance(found.value, _TYPES[_KINDS[found.kind].type])


def _of_fields(task: Task, request: Mapping[str, Any]) -> Iterator[Found]:
    if task in (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE) and "prompt" not in request:
        yield Found("prompt", "prompt", "")
    if task is Task.IMAGE_TO_IMAGE and not isinstance(request.get("image"), str):
        yield Found("image", "image.0" if "image" in request else "init_images.0", "")
    for name, value in request.items():
        if name in _FIELDS:
            yield Found(_FIELDS[name], name, value)


def _of_graph(graph: Mapping[str, Any]) -> Iterator[Found]:
    prompts, negatives = _texts(graph, "positive"), _texts(graph, "negative")
    for kind, places in (("prompt", prompts), ("negative", [one for one in negatives if one not in prompts])):
        for node_id, name in places:
            yield Found(kind, f"{node_id}.{name}", graph[node_id]["inputs"][name], _title(graph[node_id]))
    for node_id, node in graph.items():
        latent = _LATENT if "Latent" in node["class_type"] and "Empty" in node["class_type"] else {}
        for name, value in node.get("inputs", {}).items():
            what = _LOADERS.get(node["class_type"]) if name == "image" else {**_NODES, **latent}.get(name)
            # A denoise of 1 draws anew: it is text to image, and nothing to choose.
            if what and not (what == "strength" and value == 1):
                yield Found(what, f"{node_id}.{name}", value, _title(node))


def _texts(graph: Mapping[str, Any], role: str) -> list[tuple[str, str]]:
    """Node and input of each text that reaches a sampler in this role."""
    roots = [node["inputs"][role] for node in graph.values() if role in node.get("inputs", {})]
    if role == "positive":  # samplers that take a guider, as Flux's do
        roots += [
            node["inputs"]["conditioning"]
            for node in graph.values()
            if "Guider" in node["class_type"] and "conditioning" in node.get("inputs", {})
        ]
    found: list[tuple[str, str]] = []
    seen, waiting = set[str](), roots[::-1]
    while waiting:
        link = waiting.pop()
        if not _leads(link, graph) or link[0] in seen:
            continue
        seen.add(link[0])
        inputs = graph[link[0]].get("inputs", {})
        found += [(link[0], name) for name in _TEXTS if isinstance(inputs.get(name), str)]
        # Of a node that passes both on, only this role's; else all conditionings, and texts that come from elsewhere.
        onward = [role] if role in inputs else [n for n in inputs if n in _TEXTS or n.startswith("cond")]
        waiting += [inputs[name] for name in reversed(onward)]
    return found


def _leads(link: Any, graph: Mapping[str, Any]) -> bool:
    return isinstance(link, list) and bool(link) and isinstance(link[0], str) and link[0] in graph


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) else str(node["class_type"])


def _named(found: Iterable[Found]) -> dict[str, Parameter]:
    """Names for them: those of a kind with the same value (and all seeds) are one; others get their node's id."""
    groups: dict[str, list[list[Found]]] = {kind: [] for kind in _KINDS}
    for one in found:
        for group in groups[one.kind]:
            if one.kind == "seed" or group[0].value == one.value:
                group.append(one)
                break
        else:
            groups[one.kind].append([one])
    named: dict[str, Parameter] = {}
    for kind, several in groups.items():
        for group in several:
            named[_free_name(kind, group[0].place, named)] = _parameter(kind, group, alone=len(several) == 1)
    return named


def _free_name(kind: str, place: str, taken: Mapping[str, Any]) -> str:
    """The kind alone, with the node's id, or with its input too; a number where even that is taken."""
    node, *rest = (re.sub(r"[^a-z0-9]+", "_", step.lower())[:12] for step in place.split(".", 1))
    candidates = (kind, f"{kind}_{node}", "_".join([kind, node, *rest])[:40])
    return next((name for name in candidates if name not in taken), f"{kind}_n{len(taken)}")


def _parameter(kind: str, group: list[Found], *, alone: bool) -> Parameter:
    """As it is offered; what stands in the request is right, whatever is usual, so bounds give way to it."""
    first, offered = group[0], _KINDS[kind]
    default = None if offered.required or offered.seed else first.value
    low, high, longest = offered.minimum, offered.maximum, offered.max_length
    if isinstance(default, int | float):
        low = None if low is None else min(low, default)
        high = None if high is None else max(high, default)
    if isinstance(default, str) and longest is not None:
        longest = max(longest, len(default))
    return msgspec.structs.replace(
        offered,
        at=tuple(one.place for one in group),
        default=default,
        minimum=low,
        maximum=high,
        max_length=longest,
        title=offered.title if alone or not first.about else f"{offered.title} ({first.about})",
    )


def _narrowed(parameter: Parameter, graph: Mapping[str, Any], definitions: Definitions) -> Parameter:
    """The same within what the runtime takes at each of its places."""
    low, high, choices = parameter.minimum, parameter.maximum, parameter.choices
    for place in parameter.at:
        if parameter.type == "image" or (known := input_at(graph, place, definitions)) is None:
            continue
        low = low if low is None or known.minimum is None else max(low, known.minimum)
        high = high if high is None or known.maximum is None else min(high, known.maximum)
        if known.choices is not None:
            choices = tuple(one for one in known.choices if not choices or one in choices)
    return msgspec.structs.replace(parameter, minimum=low, maximum=high, choices=choices)
