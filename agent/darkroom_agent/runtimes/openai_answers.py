"""What an answer of the OpenAI images API means, from sd.cpp's server, vLLM-Omni, SGLang or LocalAI. Pure."""

from typing import Any

from darkroom_agent.errors import (
    Failure,
    OutOfMemory,
    RuntimeBroken,
    RuntimeBusy,
    RuntimeFailed,
    RuntimeGone,
    RuntimeRefused,
)

from . import refusal
from .http import Reply
from .refusal import BROKEN, CLIENT, MEMORY, SERVER, Meaning

# The first that fits. Sources: the recordings of sd.cpp's server; vLLM's `EngineDeadError` (its engine is a process of
# its own, which may die behind a server that answers) and its 501 for what a model cannot do.
MEANINGS = (
    Meaning(OutOfMemory, SERVER, words=MEMORY),
    Meaning(RuntimeBroken, SERVER, words=(*BROKEN, "enginedead", "enginecore encountered")),
    Meaning(RuntimeBusy, (429, 503)),
    Meaning(RuntimeGone, (502, 504)),
    Meaning(RuntimeFailed, (408, 409, 425)),
    Meaning(RuntimeRefused, CLIENT),
    Meaning(RuntimeRefused, (501,)),
    Meaning(RuntimeRefused, (500,), words=("json.exception",)),  # sd.cpp's server
    Meaning(RuntimeFailed),
)


def failure_of(reply: Reply) -> Failure:
    """The failure that an answer other than 200 means."""
    return refusal.failure_of(reply, MEANINGS)


def images_of(answer: dict[str, Any]) -> list[str]:
    """The base64 images of an answer: `data[i].b64_json`.

    Raises:
        RuntimeFailed: there are none, or they are no text.
        RuntimeRefused: the server gives addresses instead, and would do so again.
    """
    entries = answer.get("data")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuntimeFailed("the runtime's answer has no list of images in `data`", response=response_of(answer))
    images = [entry.get("b64_json") for entry in entries]
    if any(image is None and isinstance(entry.get("url"), str) for entry, image in zip(entries, images, strict=True)):
        raise RuntimeRefused(
            "the runtime answered with addresses of images: it does not know response_format b64_json",
            response=response_of(answer),
        )
    texts = [image for image in images if isinstance(image, str)]
    if not texts or len(texts) < len(images):
        raise RuntimeFailed("the runtime answered without an image", response=response_of(answer))
    return texts


def response_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without images: `data` keeps what else is told of each, such as `revised_prompt`."""
    entries = answer.get("data")
    if not isinstance(entries, list):
        return {**answer, "data": None} if "data" in answer else answer
    told = [
        {name: value for name, value in entry.items() if name != "b64_json"} if isinstance(entry, dict) else None
        for entry in entries
    ]
    return {**answer, "data": told}


def serves_models(reply: Reply) -> bool:
    """Whether an answer to `GET /v1/models` is one: `{"data": [{"id": …}]}`."""
    try:
        answer = reply.json()
    except RuntimeFailed:
        return False
    return reply.status == 200 and isinstance(answer, dict) and isinstance(answer.get("data"), list)
