"""The endpoints of jobs: submitting once, looking, waiting, cancelling; nothing is lost on the way to the topic."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from darkroom_api.ids import time_of
from darkroom_api.sweep import SETTLED, sweep
from darkroom_contract.document import Artifact, JobDocument, cancel_key, outbox_key
from darkroom_contract.job import Priority, State, digest
from tests.standin import Fault
from tests.unit.api_world import ApiWorld, api_world


@pytest.fixture
def api() -> Iterator[ApiWorld]:
    with api_world() as world:
        yield world


def _end(api: ApiWorld, job_id: str, state: State = State.COMPLETED) -> None:
    document = api.document(job_id)
    assert document is not None
    api.put_document(msgspec.structs.replace(document, state=state))


def test_a_job_is_stored_published_and_answered(api: ApiWorld) -> None:
    """202 with links; the document is queued; the message is the same job, with its time; the outbox is empty."""
    said = api.submit(context={"order": 1}, priority="bulk", webhook={"url": "https://example.com/hook"})
    job_id = said.body["id"]
    assert (said.status, said.body["state"]) == (202, "queued")
    assert said.body["links"] == {"self": f"/prod/v1/jobs/{job_id}", "page": f"/prod/#/jobs/{job_id}"}
    assert said.headers["Location"] == f"/prod/v1/jobs/{job_id}"
    (job,) = api.heard()
    document = api.document(job_id)
    assert document is not None
    assert (document.state, document.request_digest, document.context) == (State.QUEUED, digest(job), {"order": 1})
    assert (job.id, job.priority, job.submitted_at) == (job_id, Priority.BULK, document.submitted_at)
    assert document.webhook == job.webhook is not None
    assert api.keys("jobs/outbox/") == []


@pytest.mark.parametrize("url", ["http://10.9.1.2:9000/", "https://receiver.nowhere.example/"])
def test_a_webhook_may_lead_where_the_installation_allows(api: ApiWorld, url: str) -> None:
    """Networks and ports as the sender has them; what a name leads to is the sender's to find out."""
    assert api.submit(webhook={"url": url}).status == 202


def test_the_same_request_gets_the_same_answer_and_runs_once(api: ApiWorld) -> None:
    """An own id makes a request safe to repeat."""
    first, again = api.submit(id="order-1"), api.submit(id="order-1")
    assert (first.status, first.body) == (again.status, again.body)
    assert len(api.heard()) == 1
    assert api.keys("jobs/outbox/") == []


def test_another_request_under_an_id_is_refused(api: ApiWorld) -> None:
    """409, and the first one's document and message are untouched."""
    api.submit(id="order-1")
    other = api.submit(id="order-1", input={"prompt": "another"})
    assert (other.status, other.body["type"]) == (409, "/problems/id-taken")
    assert [job.input["prompt"] for job in api.heard()] == ["a lake"]
    assert api.keys("jobs/outbox/") == []


def test_an_idempotency_key_stands_for_an_id(api: ApiWorld) -> None:
    """The same key and request: the same job, listed by its time; another request: 409; another tenant: another job."""
    body = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}
    key = {"Idempotency-Key": "order-4711"}
    first = api.call("POST", "/v1/jobs", body, headers=key)
    assert api.call("POST", "/v1/jobs", body, headers=key).body == first.body
    assert time_of(first.body["id"]) is not None
    assert api.call("POST", "/v1/jobs", {**body, "priority": "bulk"}, headers=key).status == 409
    assert api.call("POST", "/v1/jobs", body, headers=key, key="key-a").body["id"] != first.body["id"]
    assert len(api.heard()) == 2


def test_many_at_once_under_one_id_run_once(api: ApiWorld) -> None:
    """Two different requests that race for an id: one is accepted, and only its message is published."""
    said: list[int] = []

    def submit(prompt: str) -> None:
        said.append(api.submit(id="race", input={"prompt": prompt}).status)

    threads = [threading.Thread(target=submit, args=(f"lake {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [202, 409, 409, 409, 409, 409]
    document = api.document("race")
    assert document is not None
    assert {digest(job) for job in api.heard()} == {document.request_digest}


def test_what_the_topic_did_not_take_is_sent_by_the_sweep(api: ApiWorld) -> None:
    """SNS is away: the job is accepted all the same, and published later, once."""
    api.aws.faults.add(Fault(kind="error", operation="Publish"))
    said = api.submit()
    assert said.status == 202
    assert api.heard() == []
    api.aws.faults.clear()
    soon = datetime.now(UTC)
    assert sweep(api.door.store, api.door.topic, soon) == 0, "a request may still be at work on it"
    later = soon + SETTLED + timedelta(seconds=5)
    assert sweep(api.door.store, api.door.topic, later) == 1
    assert [job.id for job in api.heard()] == [said.body["id"]]
    assert sweep(api.door.store, api.door.topic, later) == 0


def test_what_the_topic_did_not_take_is_sent_by_the_same_request(api: ApiWorld) -> None:
    """A client that tries again need not wait for the sweep."""
    api.aws.faults.add(Fault(kind="error", operation="Publish"))
    api.submit(id="order-1")
    api.aws.faults.clear()
    assert api.submit(id="order-1").status == 202
    assert [job.id for job in api.heard()] == ["order-1"]
    assert api.keys("jobs/outbox/") == []


@pytest.mark.parametrize("state", [State.RUNNING, State.COMPLETED])
def test_a_job_that_an_agent_has_is_not_sent_again(api: ApiWorld, state: State) -> None:
    """Its message did arrive, whatever became of the answer: neither the sweep nor the same request sends another."""
    api.submit(id="order-1")
    api.heard()
    document = api.document("order-1")
    assert document is not None
    _end(api, "order-1", state)
    left = {"id": "order-1", "message": "{}", "runtime": "webui", "priority": "normal", "tenant": None}
    left_behind = msgspec.json.encode({**left, "digest": document.request_digest})
    api.door.store.put(outbox_key("order-1"), left_behind)
    assert sweep(api.door.store, api.door.topic, datetime.now(UTC) + timedelta(minutes=5)) == 0
    api.door.store.put(outbox_key("order-1"), left_behind)
    assert api.submit(id="order-1").body["state"] == state
    assert api.heard() == []
    assert api.keys("jobs/outbox/") == []


def test_a_crash_before_the_document_is_healed(api: ApiWorld) -> None:
    """Only the outbox object was written: the job was never accepted; the sweep drops it, the same request runs it."""
    api.submit(id="order-1")
    (job,) = api.heard()
    outbound = {
        "id": "order-1",
        "message": "{}",
        "runtime": "webui",
        "priority": "normal",
        "tenant": None,
        "digest": "x",
    }
    api.door.store.delete("jobs/" + outbox_key("order-1").split("/")[2] + "/order-1.json")
    api.door.store.put(outbox_key("order-1"), msgspec.json.encode(outbound))
    assert api.submit(id="order-1").status == 202
    assert [digest(one) for one in api.heard()] == [digest(job)], "ours is published, not what lay there"
    api.door.store.put(outbox_key("never"), msgspec.json.encode({**outbound, "id": "never"}))
    assert sweep(api.door.store, api.door.topic, datetime.now(UTC) + timedelta(minutes=5)) == 0
    assert api.keys("jobs/outbox/") == []


def test_an_outage_of_the_store_is_said_and_loses_nothing(api: ApiWorld) -> None:
    """503 with Retry-After, and the same request is accepted afterwards."""
    api.aws.faults.add(Fault(kind="error", operation="PutObject"))
    said = api.submit(id="order-1")
    assert (said.status, said.body["type"], said.headers["Retry-After"]) == (503, "/problems/service-unavailable", "5")
    api.aws.faults.clear()
    assert api.submit(id="order-1").status == 202
    assert len(api.heard()) == 1


def test_a_job_too_large_for_the_topic_travels_by_reference(api: ApiWorld) -> None:
    """Megabytes of base64 are stored, and the message says where."""
    said = api.submit(input={"prompt": "a lake", "alwayson_scripts": {"x": {"args": ["a" * 3_000_000]}}})
    assert said.status == 202
    (job,) = api.heard()
    assert len(job.input["alwayson_scripts"]["x"]["args"][0]) == 3_000_000
    document = api.document(said.body["id"])
    assert document is not None
    assert document.request_digest == digest(job)


def test_a_job_shows_addresses_of_its_artifacts(api: ApiWorld) -> None:
    """An artifact has an address that needs no credentials; the webhook, which may hold a secret, is not shown."""
    api.submit(id="order-1", webhook={"url": "https://example.com/?key=secret"})
    document = api.document("order-1")
    assert document is not None
    artifact = Artifact(url="s3://outputs/webui/order-1/0-a.png", content_type="image/png", bytes=3, sha256="a")
    api.put_document(msgspec.structs.replace(document, state=State.COMPLETED, artifacts=(artifact,)))
    said = api.call("GET", "/v1/jobs/order-1")
    assert said.body["artifacts"][0]["download_url"].startswith(f"{api.aws.url}/outputs/webui/order-1/0-a.png?")
    assert "secret" not in str(said.body)


def test_a_queued_job_tells_what_it_waits_for(api: ApiWorld) -> None:
    """The depth of its queue and an estimate."""
    api.clients.sqs.send_message(QueueUrl=api.door.settings.queue_url("webui"), MessageBody="{}")
    api.submit(id="order-1")
    # one job of 10 s, and a start, for nothing is in anybody's hands
    assert api.call("GET", "/v1/jobs/order-1").body["queue"] == {"waiting": 1, "in_flight": 0, "wait_seconds": 190.0}
    _end(api, "order-1")
    assert "queue" not in api.call("GET", "/v1/jobs/order-1").body


@pytest.mark.parametrize("how", ["get", "post"])
def test_a_wait_ends_with_the_job(api: ApiWorld, how: str) -> None:
    """`wait` answers as soon as the job is final, long before its time is over."""
    api.submit(id="order-1")
    timer = threading.Timer(0.4, _end, (api, "order-1"))
    timer.start()
    started = time.monotonic()
    if how == "get":
        said = api.call("GET", "/v1/jobs/order-1", query={"wait": "20"})
    else:
        body = {"id": "order-1", "runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}
        said = api.call("POST", "/v1/jobs", body, headers={"Prefer": "respond-async, wait=20"})
    timer.join()
    assert (said.status, said.body["state"]) == (200, "completed")
    assert time.monotonic() - started < 10


def test_a_wait_that_is_over_gives_the_job_as_it_stands(api: ApiWorld) -> None:
    """202 for a submission, 200 for a look."""
    api.submit(id="order-1")
    assert api.call("GET", "/v1/jobs/order-1", query={"wait": "1"}).body["state"] == "queued"
    body = {"id": "order-1", "runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}
    assert api.call("POST", "/v1/jobs", body, headers={"Prefer": "wait=1"}).status == 202


def test_a_queued_job_is_cancelled_at_once(api: ApiWorld) -> None:
    """Its document becomes final; to cancel it again is no mistake."""
    api.submit(id="order-1")
    said = api.call("DELETE", "/v1/jobs/order-1")
    assert (said.status, said.body["state"]) == (200, "cancelled")
    assert "finished_at" in said.body
    assert api.call("DELETE", "/v1/jobs/order-1").status == 200


def test_a_running_job_is_asked_to_stop(api: ApiWorld) -> None:
    """The agent's mark is left, the document is the agent's."""
    api.submit(id="order-1")
    _end(api, "order-1", State.RUNNING)
    said = api.call("DELETE", "/v1/jobs/order-1")
    assert (said.status, said.body["state"]) == (202, "running")
    assert api.keys(cancel_key("order-1")) == [cancel_key("order-1")]


def test_a_job_that_ended_is_not_cancelled(api: ApiWorld) -> None:
    """409, and it stays what it is."""
    api.submit(id="order-1")
    _end(api, "order-1")
    assert api.call("DELETE", "/v1/jobs/order-1").status == 409
    document = api.document("order-1")
    assert document is not None
    assert document.state is State.COMPLETED


def test_a_tenant_sees_its_own_jobs_alone(api: ApiWorld) -> None:
    """The key tells the tenant; another's job is as unknown as one that never was; without a key all are seen."""
    body = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}
    of_ann = api.call("POST", "/v1/jobs", body, key="key-a").body["id"]
    of_b = api.call("POST", "/v1/jobs", body, key="key-b").body["id"]
    assert {job.id: job.tenant for job in api.heard()} == {of_ann: "ann", of_b: "key-b"}
    for method in ("GET", "DELETE"):
        assert api.call(method, f"/v1/jobs/{of_ann}", key="key-b").status == 404
    assert [job["id"] for job in api.call("GET", "/v1/jobs", key="key-b").body["jobs"]] == [of_b]
    assert {job["id"] for job in api.call("GET", "/v1/jobs").body["jobs"]} == {of_ann, of_b}


def test_jobs_are_listed_newest_first_page_by_page(api: ApiWorld) -> None:
    """Pages meet without gaps or doubles, filters hold, `since` bounds, a list has no responses."""
    moments = [datetime(2026, 11, day, 12, minute, tzinfo=UTC) for day in (1, 20, 24) for minute in (0, 1, 30)]
    made = []
    for index, moment in enumerate(moments):
        job_id = _id_at(moment, index)
        made.append(job_id)
        state = State.FAILED if index % 2 else State.COMPLETED
        api.put_document(JobDocument(id=job_id, runtime="webui", state=state, response={"long": 1}))
    api.put_document(JobDocument(id="own-name", runtime="webui", state=State.COMPLETED))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2", "since": "2026-01-01T00:00:00Z", **({"cursor": cursor} if cursor else {})}
        page = api.call("GET", "/v1/jobs", query=query).body
        assert all("response" not in job for job in page["jobs"])
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    since = {"since": "2026-11-20T12:01:00Z"}
    assert [job["id"] for job in api.call("GET", "/v1/jobs", query=since).body["jobs"]] == made[:3:-1]
    failed = {"since": "2026-01-01T00:00:00Z", "state": "failed"}
    assert [job["id"] for job in api.call("GET", "/v1/jobs", query=failed).body["jobs"]] == made[1::2][::-1]
    assert api.call("GET", "/v1/jobs", query={"runtime": "comfy"}).body == {"jobs": [], "next": None}


def _id_at(moment: datetime, index: int) -> str:
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{index:012x}"


def test_input_images_have_a_way_into_the_bucket(api: ApiWorld) -> None:
    """The ticket's address takes just that upload, and its `url` names what was sent."""
    said = api.call("POST", "/v1/inputs", {"content_type": "image/png", "bytes": 4})
    assert said.status == 201
    assert said.body["url"].startswith("s3://outputs/inputs/")
    assert said.body["url"].endswith(".png")
    assert said.body["upload"]["method"] == "PUT"


def test_the_runtimes_are_told_with_their_queues(api: ApiWorld) -> None:
    """Name, type, depth; the bulk queue where there is one; an age that is not known is null."""
    api.clients.sqs.send_message(QueueUrl=api.door.settings.queue_url("webui", bulk=True), MessageBody="{}")
    empty = {"waiting": 0, "in_flight": 0, "oldest_seconds": None}
    assert api.call("GET", "/v1/runtimes").body["runtimes"] == [
        {"name": "comfy", "type": "comfyui", "bulk": False, "queue": empty, "bulk_queue": None},
        {"name": "flux", "type": "openai", "bulk": False, "queue": empty, "bulk_queue": None},
        {"name": "webui", "type": "sdwebui", "bulk": True, "queue": empty, "bulk_queue": {**empty, "waiting": 1}},
    ]
