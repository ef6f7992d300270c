"""The body of an sdwebui request: where its images stand, and what it says of checkpoint and settings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from darkroom_agent.ports import FieldPath
from darkroom_contract.job import Task

CHECKPOINT = "sd_model_checkpoint"
"""The option, and the override, that names the checkpoint."""

_SINGLE = {Task.IMAGE_TO_IMAGE: "mask", Task.EXTRA_SINGLE_IMAGE: "image"}
_CONTROLNET_IMAGES = ("image", "mask", "input_image", "mask_image")


def image_fields(task: Task, body: dict[str, Any]) -> list[tuple[FieldPath, str]]:
    """`init_images` and `mask`, `image`, `imageList`, each where its task reads it, and ControlNet's units."""
    found: list[tuple[FieldPath, Any]] = []
    if task in _SINGLE:
        found.append(((_SINGLE[task],), body.get(_SINGLE[task])))
    if task is Task.IMAGE_TO_IMAGE:
        found += [(("init_images", i), image) for i, image in _items(body.get("init_images"))]
    if task is Task.EXTRA_BATCH_IMAGES:
        found += [
            (("imageList", i, "data"), one.get("data"))
            for i, one in _items(body.get("imageList"))
            if isinstance(one, dict)
        ]
    if task in (Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE):
        found += _controlnet(body.get("alwayson_scripts"))
    return [(path, value) for path, value in found if isinstance(value, str) and value]


def with_values(body: dict[str, Any], values: Mapping[FieldPath, Any]) -> dict[str, Any]:
    """The body with other values at these places; the original stays as it is."""
    changed = deepcopy(body) if values else dict(body)
    for path, value in values.items():
        inner: Any = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
    return changed


def overrides(body: dict[str, Any]) -> dict[str, Any]:
    """The options that the request overrides for itself."""
    settings = body.get("override_settings")
    return settings if isinstance(settings, dict) else {}


def checkpoint_of(body: dict[str, Any]) -> str | None:
    """The checkpoint that the request names, in its own words."""
    name = overrides(body).get(CHECKPOINT)
    return name if isinstance(name, str) and name else None


def _items(value: Any) -> Iterable[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else ()


def _controlnet(scripts: Any) -> Iterator[tuple[FieldPath, Any]]:
    """Images of ControlNet's units: `alwayson_scripts.controlnet.args[i].image`, as text or as `{image, mask}`."""
    for script, content in (scripts if isinstance(scripts, dict) else {}).items():
        if script.lower() != "controlnet" or not isinstance(content, dict):
            continue
        for i, unit in _items(content.get("args")):
            for name in _CONTROLNET_IMAGES if isinstance(unit, dict) else ():
                path, value = ("alwayson_scripts", script, "args", i, name), unit.get(name)
                yield path, value
                if isinstance(value, dict):
                    yield from (((*path, key), value.get(key)) for key in ("image", "mask"))
