"""Every kind of malformed message leaves the agent running, and ends in the DLQ or as a failed job that says why."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from darkroom_local.emulator import Emulator

from .world import World, world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad-input")


@pytest.fixture
async def sd(emulator: Emulator, folder: Path) -> AsyncIterator[World]:
    async with world(emulator, folder, latency=0) as made:
        yield made


GOOD: dict[str, Any] = {"runtime": "sd", "task": "text-to-image", "input": {"prompt": "x", "width": 64, "height": 64}}


def deep(levels: int) -> str:
    return (
        '{"id": "deep", "runtime": "sd", "task": "text-to-image", "input": '
        + '{"a":' * levels
        + "1"
        + "}" * levels
        + "}"
    )


# Nobody can say which job these are: they go to the DLQ as they are.
UNREADABLE = {
    "not JSON": "this is no JSON",
    "half an object": '{"id": "half", "runtime"',
    "an array": "[1, 2, 3]",
    "a number": "17",
    "no id": json.dumps(GOOD),
    "an id with a slash": json.dumps({**GOOD, "id": "a/b"}),
    "an id that climbs": json.dumps({**GOOD, "id": ".."}),
    "an id of 10,000 characters": json.dumps({**GOOD, "id": "x" * 10_000}),
    "an id with a NUL byte": json.dumps({**GOOD, "id": "a\0b"}),
    "an id that is an object": json.dumps({**GOOD, "id": {}}),
    "a gigantic number": '{"id": "n", "input": {"seed": ' + "9" * 5000 + "}}",
    "nesting without end": "[" * 50_000,
    "a lone surrogate": '{"id": "\\ud800"}',
    "an envelope without Message": json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x"}),
    "an envelope with an object": json.dumps({"Type": "Notification", "Message": {"id": "a"}}),
    "job_ref to nowhere, without id": json.dumps({"job_ref": "s3://nobody-has-this/x"}),
}

# These name their job: it fails at once, with what is wrong and where.
FAILED: dict[str, tuple[dict[str, Any], str | None]] = {
    "wrong type of a time": ({"timeout_seconds": "soon"}, '$.timeout_seconds: expected integer ≤ 21600, got "soon"'),
    "a time below": ({"timeout_seconds": 0}, "$.timeout_seconds: expected integer ≥ 1, got 0"),
    "unknown task": ({"task": "paint"}, "$.task: expected one of"),
    "a task of another runtime type": ({"task": "pipeline"}, '$.task: the runtime "sd" (sdwebui) can'),
    "another runtime": ({"runtime": "flux"}, '$.runtime: this queue serves the runtime "sd"'),
    "input is no object": ({"input": "x"}, '$.input: expected object, got "x"'),
    "a prefix that climbs": ({"prefix": "../../etc"}, "$.prefix: expected"),
    "a prefix over job documents": ({"prefix": "jobs/0"}, "$.prefix: expected another prefix than jobs/"),
    "an unknown field": ({"promt": 1}, "$.promt: expected no such field"),
    "an unknown output format": ({"output": {"format": "bmp"}}, "$.output.format: expected one of"),
    "a large context": ({"context": "x" * 9000}, "$.context: expected at most 8192 bytes"),
    "job_ref elsewhere": ({"job_ref": "s3://nobody-has-this/x"}, None),
    "a sampler that is not there": (
        {"input": {"sampler_name": "Oiler"}},
        "$.input.sampler_name: the runtime does not know",
    ),
    "an image that is none": (
        {"task": "image-to-image", "input": {"init_images": ["%%%"]}},
        "$.input.init_images[0]: ",
    ),
    "a file URL": (
        {"task": "image-to-image", "input": {"init_images": ["file:///etc/passwd"]}},
        "$.input.init_images[0]: ",
    ),
}


async def test_what_nobody_can_read_goes_to_the_dlq_unaltered(sd: World) -> None:
    """All of them through one agent, which then still runs a good job."""
    agent = await sd.agent()
    queue = sd.topology.of("sd").queue_url
    for body in UNREADABLE.values():
        await sd.clients["sqs"].send_message(QueueUrl=queue, MessageBody=body.replace("\0", "\\u0000"))
    dead = {await sd.dead() for _ in UNREADABLE}
    assert dead == {body.replace("\0", "\\u0000") for body in UNREADABLE.values()}
    assert agent.process.returncode is None
    await sd.job("good")
    assert (await sd.notified("good"))["status"] == "completed"


async def test_what_names_its_job_fails_and_says_why(sd: World) -> None:
    """A failed document and notification with the mistake and its place; the message is done with."""
    agent = await sd.agent()
    for number, (wrong, _) in enumerate(FAILED.values()):
        body = {**GOOD, "id": f"wrong-{number}", **wrong}
        if "job_ref" in wrong:
            body = {"id": f"wrong-{number}", **wrong}
        await sd.publish(json.dumps(body))
    await sd.publish(deep(500))
    for number, (_, said) in enumerate(FAILED.values()):
        told = await sd.notified(f"wrong-{number}")
        assert told["status"] == "failed"
        assert not told["error"]["retryable"]
        assert told["error"]["message"].startswith(said or "$.job_ref: ")
        assert (await sd.document(f"wrong-{number}")).state == "failed"
    assert "levels of nesting" in (await sd.notified("deep"))["error"]["message"]
    await sd.job("good")
    assert (await sd.notified("good"))["status"] == "completed"
    assert agent.process.returncode is None
    assert set((await sd.waiting()).values()) == {0}
