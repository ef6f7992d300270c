"""The auditor: looks at what is left in queues, topic and bucket, and shares no code with the agent."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .jobs import Sent

_FINAL = {"completed", "failed", "cancelled", "expired"}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `violations` should be empty."""

    states: dict[str, int]
    attempts: dict[int, int]
    notifications: int
    artifacts: int
    dead: int
    violations: list[str] = field(default_factory=list)


async def audit(url: str, bucket: str, sent: list[Sent]) -> Report:
    """Check every job of the campaign against the stand-in's state."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/_state") as reply:
            state = await reply.json()
        objects = state["buckets"][bucket]
        documents = {}
        for key in objects:
            if key.startswith("jobs/") and key.endswith(".json"):
                async with session.get(f"{url}/{bucket}/{key}") as reply:
                    documents[key] = json.loads(await reply.read())
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for topic in state["topics"].values():
        for one in topic["published"]:
            message = json.loads(one["message"]) if one["message"].startswith("{") else {}
            if "output_url" in message:
                told[message["id"]].append(message)
    waiting, dead = _bodies(state["queues"])
    violations = _unreadable(sent, waiting, dead)
    for one in sent:
        if one.id is not None:
            violations += [f"{one.id}: {what}" for what in _job(one, documents, objects, told, waiting, dead, bucket)]
    states: dict[str, int] = defaultdict(int)
    attempts: dict[int, int] = defaultdict(int)
    for document in documents.values():
        states[document["state"]] += 1
        attempts[document.get("attempt", 0)] += 1
    artifacts = sum(not key.startswith(("jobs/", "inputs/")) for key in objects)
    count = sum(len(one) for one in told.values())
    return Report(dict(states), dict(sorted(attempts.items())), count, artifacts, len(dead), violations)


def _bodies(queues: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Bodies that still wait in a queue, and those in a dead-letter queue; of an SNS envelope, what is inside."""
    waiting: list[str] = []
    dead: list[str] = []
    for name, queue in queues.items():
        for message in queue["messages"]:
            body = json.loads(message["body"])["Message"]
            (dead if name.endswith("-dlq") else waiting).append(body)
    return waiting, dead


def _unreadable(sent: list[Sent], waiting: list[str], dead: list[str]) -> list[str]:
    lost = [one.body for one in sent if one.id is None and one.body not in dead]
    return [f"{body!r} is not in the dead-letter queue{' but waits' if body in waiting else ''}" for body in lost]


def _job(
    one: Sent,
    documents: dict[str, Any],
    objects: dict[str, Any],
    told: dict[str, list[dict[str, Any]]],
    waiting: list[str],
    dead: list[str],
    bucket: str,
) -> list[str]:
    assert one.id is not None
    found: list[str] = []
    key = f"jobs/{hashlib.sha256(one.id.encode()).hexdigest()[0]}/{one.id}.json"
    document = documents.get(key)
    if document is None or document["state"] not in _FINAL:
        where = "dead-letter queue" if one.body in dead else "queue" if one.body in waiting else "nowhere"
        found.append(f"lost: its document is {document and document['state']}, its message is in {where}")
        return found
    named = {artifact["url"].removeprefix(f"s3://{bucket}/"): artifact for artifact in document.get("artifacts", ())}
    for artifact_key, artifact in named.items():
        if artifact_key not in objects:
            found.append(f"artifact {artifact_key} is named and not there")
        elif objects[artifact_key]["sha256"] != artifact["sha256"]:
            found.append(f"artifact {artifact_key} has another sha256 than its document says")
    strays = [k for k in objects if k.startswith(f"{one.runtime}/{one.id}/") and k not in named]
    found += [f"artifact {stray} is left by a lost attempt" for stray in strays]
    notifications = told.get(one.id, [])
    if not notifications:
        found.append("no notification")
    for notification in notifications:
        same = (document["state"], document.get("attempt", 0), [a["url"] for a in document.get("artifacts", ())])
        if (notification["status"], notification["attempt"], notification["image_url"]) != same:
            found.append(f"a notification says {notification['status']} of attempt {notification['attempt']}, the "
                         f"document {document['state']} of attempt {document.get('attempt')}")  # fmt: skip
    if document["state"] == "completed" and not named:
        found.append("completed without an artifact")
    if one.body in waiting:
        found.append("its message still waits")
    return found
