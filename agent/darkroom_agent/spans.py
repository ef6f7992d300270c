"""The spans of a job in the agent, their attributes and events: the one table of their names.

Names follow OpenTelemetry's semantic conventions where these have one (messaging spans; `error.type`).
"""

from collections.abc import Mapping
from typing import Literal

type Stage = Literal[
    "receive", "admit", "prepare", "input", "wait", "run", "collect", "store", "artifact", "notify", "settle"
]

SPANS: Mapping[str, str] = {
    "process <queue>": "One attempt: all that the agent does with one delivery of a message. A later attempt is "
    "linked to the one before it.",
    "receive": "The message waits in the queue, from its sending to its receipt; first attempts only.",
    "admit": "The message is read, and the job document: is the job still wanted?",
    "prepare": "Inputs are fetched and put into the request.",
    "input": "One input image is fetched. Below `prepare`.",
    "wait": "The job waits for the GPU, and for a runtime that is up.",
    "run": "The runtime works; its steps are events.",
    "collect": "The results leave the runtime, and are converted if the job asks for it.",
    "store": "Artifacts and job document are written.",
    "artifact": "One artifact is written. Below `store`.",
    "notify": "The final state is published.",
    "settle": "The message is deleted, released or left to the dead-letter queue.",
}

EVENTS: Mapping[str, str] = {
    "progress": "Of `run`: a further tenth is done (`darkroom.progress`).",
    "step": "Of `run`: a step of the runtime begins (`darkroom.step`), with ComfyUI a node: its id and its class.",
}

ATTRIBUTES: Mapping[str, str] = {
    "messaging.system": "`aws_sqs`",
    "messaging.operation.type": "`process` or `receive`",
    "messaging.destination.name": "The queue",
    "messaging.message.id": "SQS's id of the message",
    "darkroom.runtime": "The runtime; an attribute of the resource",
    "darkroom.job.id": "The job",
    "darkroom.job.task": "Its task",
    "darkroom.job.tenant": "Its tenant",
    "darkroom.attempt": "Which delivery of the message it is, from 1",
    "darkroom.state": "How the attempt ended: a final state, or `retried`",
    "darkroom.model": "The checkpoint that the job asks for, where its runtime switches",
    "darkroom.input.field": "Which field of the job's input the image stands in",
    "darkroom.bytes": "Size of an input or artifact",
    "darkroom.content_type": "Its media type by its content",
    "darkroom.artifact.index": "Which artifact it is, from 0",
    "darkroom.fate": "What became of the message: `delete`, `release` or `leave`",
    "darkroom.progress": "0 … 1",
    "darkroom.step": "What the runtime begins to do",
    "error.type": "The error's code, as in the [job document](error-codes.md)",
}
