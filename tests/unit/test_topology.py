"""Topology: which messages a queue asks for, and what an agent is told."""

import pytest

from darkroom_agent.settings import from_environ
from darkroom_api.verdict import Failed, pause
from darkroom_api.webhook_settings import WebhookSettings
from darkroom_api.webhooks import MOST_SECONDS
from darkroom_local.topology import (
    MAX_RECEIVES,
    WEBHOOK_RECEIVES,
    WEBHOOK_VISIBILITY_SECONDS,
    RuntimeQueues,
    RuntimeSpec,
    Topology,
    WebhookQueue,
    filter_policy,
)

PLAIN = RuntimeSpec("sd", "sdwebui")
BULK = RuntimeSpec("sd", "comfyui", bulk=True)
WEBHOOKS = WebhookQueue("http://sqs/webhooks", "arn", "http://sqs/webhooks-dlq", "/darkroom/webhooks/", "whsec_x")


def test_a_runtime_without_bulk_queue_takes_every_priority() -> None:
    """A bulk job for a runtime that has no second queue must not fall through."""
    assert filter_policy(PLAIN, bulk=False) == {"runtime": ["sd"]}


def test_the_two_queues_of_a_runtime_exclude_each_other() -> None:
    """What the bulk queue takes, the other one refuses, and a job without a priority is a normal one."""
    assert filter_policy(BULK, bulk=True) == {"runtime": ["sd"], "priority": ["bulk"]}
    normal = filter_policy(BULK, bulk=False)
    assert normal == {"runtime": ["sd"], "priority": [{"anything-but": ["bulk"]}, {"exists": False}]}


def test_checkpoints_bring_the_predecessors_messages() -> None:
    """v1alpha1 messages name a checkpoint and no runtime: they come beside the others, not instead of them."""
    spec = RuntimeSpec("sd", "sdwebui", checkpoints=("a", "b"))
    assert filter_policy(spec, bulk=False) == {"$or": [{"runtime": ["sd"]}, {"sd_model_checkpoint": ["a", "b"]}]}


@pytest.mark.parametrize(
    ("spec", "bulk_url", "dynamic"),
    [
        (PLAIN, None, False),
        (BULK, "http://sqs/bulk", False),
        (RuntimeSpec("sd", "sdwebui", dynamic_model=True), None, True),
    ],
)
def test_the_agent_accepts_its_environment(spec: RuntimeSpec, bulk_url: str | None, dynamic: bool) -> None:
    """The variables are those that the agent reads, and its attempts end before the queue gives up."""
    queues = RuntimeQueues(spec, "http://sqs/queue", "http://sqs/dlq", bulk_url)
    settings = from_environ(
        Topology("jobs", "results", "bucket", "models", "queue-", (queues,), WEBHOOKS).agent_environment("sd")
    )
    assert (settings.queue_url, settings.bulk_queue_url) == ("http://sqs/queue", bulk_url)
    assert (settings.topic_arn, settings.bucket) == ("results", "bucket")
    assert (settings.runtime_name, settings.runtime_type, settings.dynamic_model) == ("sd", spec.type, dynamic)
    assert settings.attempts < MAX_RECEIVES


def test_a_webhook_is_tried_for_hours() -> None:
    """The webhook queue gives up after five to six hours on average, and no attempt outlives its visibility."""
    pauses = [pause(Failed("x"), receives, 0.5) for receives in range(1, WEBHOOK_RECEIVES)]
    assert 5 * 3600 < sum(pauses) < 6 * 3600
    assert MOST_SECONDS < WEBHOOK_VISIBILITY_SECONDS / 6
    topology = Topology("jobs", "results", "bucket", "models", "queue-", (), WEBHOOKS)
    assert WebhookSettings.from_environ(topology.webhook_environment()).secrets_path == WEBHOOKS.secrets_path
