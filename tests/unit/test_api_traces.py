"""The Lambdas' part of a job's trace: begun or continued, told to X-Ray, and sent on."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from darkroom_api.outbox import Outbound
from darkroom_api.segments import Segments, new_trace
from darkroom_api.sweep import SETTLED, sweep
from darkroom_contract.document import outbox_key
from darkroom_contract.job import now
from darkroom_contract.trace import TraceContext, of_xray
from tests.standin import Fault
from tests.telemetry import Daemon, Told, daemon
from tests.unit.api_world import ApiWorld, api_world
from tests.unit.web_host import answer
from tests.unit.webhook_world import WebhookWorld, webhook_world

TRACE, SPAN = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
XRAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"
JOB = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}, "id": "order-1"}


@pytest.fixture
def xray() -> Iterator[Daemon]:
    with daemon() as made:
        yield made


@pytest.fixture
def api(xray: Daemon) -> Iterator[ApiWorld]:
    with api_world(xray.address) as world:
        yield world


@pytest.fixture
async def world(xray: Daemon) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(xray.address) as made:
        yield made


def _sent_on(api: ApiWorld) -> TraceContext | None:
    """What the next message in the queue says of its trace."""
    asked = {"QueueUrl": api.heard_url, "MessageSystemAttributeNames": ["AWSTraceHeader"]}
    (message,) = api.clients.sqs.receive_message(**asked)["Messages"]  # type: ignore[arg-type]
    return of_xray(message.get("Attributes", {}).get("AWSTraceHeader"))


def _of(segment: Told) -> TraceContext:
    return TraceContext(trace_id=segment.trace_id, span_id=segment.span_id)


@pytest.mark.parametrize(
    "headers", [{"traceparent": f"00-{TRACE}-{SPAN}-01"}, {"X-Amzn-Trace-Id": XRAY}], ids=["w3c", "x-ray"]
)
def test_a_job_goes_on_in_its_callers_trace(api: ApiWorld, xray: Daemon, headers: dict[str, str]) -> None:
    """Answer, document, segment and message name it; the message's parent is the segment, the segment's the caller."""
    said = api.call("POST", "/v1/jobs", JOB, headers=headers)
    (segment,) = xray.segments(1)
    assert (segment.name, segment.trace_id, segment.parent_id) == ("darkroom-submit", TRACE, SPAN)
    assert segment.attributes == {"darkroom_job_id": "order-1", "darkroom_runtime": "webui"}
    assert segment.began <= segment.ended
    document = api.document("order-1")
    assert document is not None
    assert said.body["trace_id"] == document.trace_id == _of(segment).xray_id
    assert _sent_on(api) == _of(segment)


def test_the_callers_own_trace_comes_before_lambdas(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """API Gateway knows no traceparent and begins a trace of its own; botocore would send that one on."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "jobs")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-00000001-bd862e3fe1be46a994272793;Parent=0000000000000001;Sampled=1")
    assert api.call("POST", "/v1/jobs", JOB).body["trace_id"] == "1-00000001-bd862e3fe1be46a994272793"
    sent = _sent_on(api)
    assert sent is not None
    assert sent.xray_id == "1-00000001-bd862e3fe1be46a994272793"
    api.call("POST", "/v1/jobs", {**JOB, "id": "b"}, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    sent = _sent_on(api)
    assert sent is not None
    assert sent.trace_id == TRACE


def test_a_trace_begins_where_the_caller_has_none(api: ApiWorld, xray: Daemon) -> None:
    """Its id begins with the time, as X-Ray's do; nothing that is no trace disturbs it."""
    said = api.call("POST", "/v1/jobs", JOB, headers={"traceparent": "nonsense", "X-Amzn-Trace-Id": "Root=1-2-3"})
    (segment,) = xray.segments(1)
    assert segment.parent_id is None
    assert said.body["trace_id"] == _of(segment).xray_id
    assert abs(int(segment.trace_id[:8], 16) - segment.began) < 5


def test_what_is_not_sampled_is_sent_on_and_not_told(api: ApiWorld, xray: Daemon) -> None:
    """The first one has decided for all."""
    api.call("POST", "/v1/jobs", JOB, headers={"traceparent": f"00-{TRACE}-{SPAN}-00"})
    assert xray.segments(0) == []
    assert _sent_on(api) == TraceContext(trace_id=TRACE, span_id=SPAN, sampled=False)


def test_a_job_from_the_outbox_is_still_in_its_trace(api: ApiWorld) -> None:
    """A message that SNS did not take at once is sent by the sweep, in the trace of its request."""
    api.aws.faults.add(Fault(kind="error", operation="Publish"))
    api.call("POST", "/v1/jobs", JOB, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    api.aws.faults.clear()
    stored = api.door.store.read(outbox_key("order-1"))
    assert stored is not None
    assert sweep(api.door.store, api.door.topic, now() + 2 * SETTLED) == 1
    assert _sent_on(api) == msgspec.json.decode(stored.value, type=Outbound).trace


def test_the_predecessors_requests_are_traced_too(api: ApiWorld, xray: Daemon) -> None:
    """Their answers have no field for it; the document has."""
    metadata = {"id": "old", "runtime": "webui", "tasktype": "text-to-image", "prefix": "p", "context": {}}
    body = json.dumps({"task": {"metadata": metadata, "content": {"prompt": "x"}}})
    assert api.call("POST", "/v1alpha2", body, headers={"X-Amzn-Trace-Id": XRAY}).status == 200
    (segment,) = xray.segments(1)
    assert segment.trace_id == TRACE


@pytest.mark.parametrize("address", [None, "", "nowhere", "127.0.0.1:", "127.0.0.1:1"])
def test_a_daemon_that_is_not_there_disturbs_nobody(address: str | None) -> None:
    """Without one the context goes on as it came, for nobody would know a parent that was never told."""
    trace = new_trace()
    with Segments(address).segment("submit", trace, {}) as given:
        assert given.trace_id == trace.trace_id


async def test_each_attempt_of_a_webhook_is_told_in_its_jobs_trace(world: WebhookWorld, xray: Daemon) -> None:
    """With the job, the attempt and what became of it; several jobs of one event keep to their own traces."""
    world.receiver.answers.update({"/good": answer(), "/bad": answer(status="500 No")})
    world.trace_header = XRAY
    await world.job("a", "/good")
    world.trace_header = XRAY.replace("5759e988", "5759e989")
    await world.job("b", "/bad")
    world.trace_header = None
    await world.job("c", "/good")
    await world.serve()
    one, other = sorted(await asyncio.to_thread(xray.segments, 2), key=lambda segment: segment.trace_id)
    assert (one.name, one.trace_id, one.parent_id) == ("darkroom-webhook", TRACE, SPAN)
    assert one.attributes == {
        "darkroom_job_id": "a",
        "darkroom_runtime": "sd",
        "darkroom_state": "completed",
        "darkroom_attempt": 1,
        "darkroom_verdict": "delivered",
    }
    assert (other.trace_id, other.attributes["darkroom_job_id"], other.attributes["darkroom_verdict"]) == (
        "5759e989" + TRACE[8:],
        "b",
        "failed",
    )
    assert xray.segments(0) == []
