"""S3 is away for a while: a real agent, AWS's rules, and a queue that gives up after two deliveries."""

import json
from contextlib import AsyncExitStack

from darkroom_local.emulator import CREDENTIALS
from darkroom_local.topology import RuntimeSpec, aws_client, make_topology
from tests.integration.world import run_agent
from tests.simulators import simulator
from tests.standin import Fault, standin

_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


async def test_an_outage_of_s3_sends_no_job_to_the_dead_letters() -> None:
    """What is in hand waits with its lease, the rest stays in the queue; all jobs end in their first attempt."""
    async with AsyncExitStack() as stack:
        aws = await stack.enter_async_context(standin())
        topology = await make_topology(aws.url, [RuntimeSpec("sd", "sdwebui")], "outage")
        runtime = await stack.enter_async_context(simulator("sdwebui", latency=0.05))
        sqs, sns = [await stack.enter_async_context(aws_client(name, aws.url)) for name in ("sqs", "sns")]
        queues = topology.of("sd")
        dead = await sqs.get_queue_attributes(QueueUrl=queues.dead_url, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": dead["Attributes"]["QueueArn"], "maxReceiveCount": "2"}
        await sqs.set_queue_attributes(QueueUrl=queues.queue_url, Attributes={"RedrivePolicy": json.dumps(policy)})
        own = {"AWS_ENDPOINT_URL": aws.url, "API_BASE_URL": runtime.url, "MAX_ATTEMPTS": "1", "WAIT_SECONDS": "1"}
        quick = {"VISIBILITY_SECONDS": "4", "HEARTBEAT_SECONDS": "1", "BACKOFF_BASE_SECONDS": "0.1"}
        agent = await run_agent(stack, {**topology.agent_environment("sd"), **CREDENTIALS, **own, **quick})
        await agent.says("agent.ready")
        aws.faults.add(Fault(kind="error", service="s3", status=503))
        names = [f"job-{number}" for number in range(8)]
        for name in names:
            body = {"id": name, "runtime": "sd", "task": "text-to-image", "input": {"prompt": name, "width": 64}}
            attributes = {"runtime": {"DataType": "String", "StringValue": "sd"}}
            await sns.publish(TopicArn=topology.jobs_arn, Message=json.dumps(body), MessageAttributes=attributes)
        await agent.says("store.unreachable", seconds=60)
        counts = (await sqs.get_queue_attributes(QueueUrl=queues.queue_url, AttributeNames=_COUNTS))["Attributes"]
        assert int(counts[_COUNTS[1]]) <= 3, "few are in hand"
        assert int(counts[_COUNTS[0]]) >= len(names) - 3, "the rest waits"
        aws.faults.clear()
        for name in names:
            assert (await agent.says_of(name, "job.completed", seconds=60))["attempt"] == 1
        answer = await sqs.get_queue_attributes(QueueUrl=queues.dead_url, AttributeNames=_COUNTS[:1])
        assert answer["Attributes"][_COUNTS[0]] == "0"
