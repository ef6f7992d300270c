"""The adapters: one file per runtime type, and the registry that knows them all."""

from collections.abc import Callable

from darkroom_agent.ports import Runtime, RuntimeLimits
from darkroom_agent.settings import Settings

from .comfyui import ComfyUI
from .openai import OpenAIImages
from .sdwebui import SDWebUI

REGISTRY: dict[str, Callable[[Settings, RuntimeLimits], Runtime]] = {
    "sdwebui": lambda settings, limits: SDWebUI(settings.base_url, limits, dynamic_model=settings.dynamic_model),
    "comfyui": lambda settings, limits: ComfyUI(settings.base_url, limits),
    "openai": lambda settings, limits: OpenAIImages(settings.base_url, limits, settings.api_key, settings.concurrency),
}


def make_runtime(settings: Settings, limits: RuntimeLimits) -> Runtime:
    """The adapter for the runtime type that the settings name."""
    return REGISTRY[settings.runtime_type](settings, limits)
