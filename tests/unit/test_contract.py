"""The contract: what is accepted, what is refused and how that is said, and where things lie."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_contract.decode import ContractError, parse
from darkroom_contract.document import Artifact, JobDocument, artifact_name, cancel_key, document_key
from darkroom_contract.job import Job, JobRef, State, Task, decode_job, digest
from darkroom_contract.message import job_id_of, read_message
from darkroom_contract.notification import MAX_BYTES, encode_notification, notification_of

GOOD: dict[str, Any] = {"id": "a", "runtime": "sd", "task": "text-to-image", "input": {"prompt": "x"}}


def test_defaults() -> None:
    """What a message may leave out."""
    job = decode_job(GOOD)
    assert (job.timeout_seconds, job.ttl_seconds, job.priority, job.context) == (300, 21600, "normal", None)
    assert job.artifact_prefix == "sd/a/"
    assert decode_job({**GOOD, "prefix": "out/x/"}).artifact_prefix == "out/x/a/"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timeout_seconds": "soon"}, '$.timeout_seconds: expected integer ≤ 21600, got "soon"'),
    ({"timeout_seconds": 21601}, "$.timeout_seconds: expected integer ≤ 21600, got 21601"),
    ({"timeout_seconds": 0}, "$.timeout_seconds: expected integer ≥ 1, got 0"),
    ({"timeout_seconds": 1.5}, "$.timeout_seconds: expected integer ≤ 21600, got 1.5"),
    ({"ttl_seconds": None}, "$.ttl_seconds: expected integer ≤ 1209600, got null"),
    ({"input": []}, "$.input: expected object, got []"),
    ({"task": 3}, '$.task: expected one of "text-to-image", "image-to-image", "extra-single-image", "extra-batch-images", "pipeline", got 3'),  # noqa: E501
    ({"id": "a/b"}, '$.id: expected string of ≤ 128 characters matching ^[A-Za-z0-9][A-Za-z0-9._-]*$, got "a/b"'),
    ({"id": "a..b"}, '$.id: expected a name without `..`, empty parts or line breaks, got "a..b"'),
    ({"id": "a\n"}, '$.id: expected a name without `..`, empty parts or line breaks, got "a\\n"'),
    ({"prefix": "a//b"}, '$.prefix: expected a name without `..`, empty parts or line breaks, got "a//b"'),
    ({"prefix": "/a"}, '$.prefix: expected string of ≤ 512 characters matching ^[A-Za-z0-9][A-Za-z0-9._/-]*$, got "/a"'),  # noqa: E501
    ({"prefix": "jobs/x"}, '$.prefix: expected another prefix than jobs/ and inputs/, which are Darkroom\'s own, got "jobs/x/a/"'),  # noqa: E501
    ({"output": {"quality": 101}}, "$.output.quality: expected integer ≤ 100, got 101"),
    ({"output": {"format": "bmp"}}, '$.output.format: expected one of "png", "jpeg", "webp", "avif", got "bmp"'),
    ({"output": {"qualty": 1}}, "$.output.qualty: expected no such field (known: format, quality, metadata), got 1"),
    ({"webhook": {"url": "ftp://x"}}, '$.webhook.url: expected string of ≤ 2048 characters matching ^https?://, got "ftp://x"'),
    ({"webhook": {"url": "http://x", "events": ["done"]}},
     '$.webhook.events[0]: expected one of "queued", "running", "completed", "failed", "cancelled", "expired", got "done"'),  # noqa: E501
    ({"submitted_at": "yesterday"}, '$.submitted_at: expected RFC 3339 date and time with zone, got "yesterday"'),
    ({"submitted_at": "2026-01-01T00:00:00"},
     '$.submitted_at: expected RFC 3339 date and time with zone, got "2026-01-01T00:00:00"'),
    ({"context": "x" * 9000}, "$.context: expected at most 8192 bytes of JSON, got 9002 bytes"),
    ({"priority": "urgent"}, '$.priority: expected one of "normal", "bulk", got "urgent"'),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), WRONG)
def test_a_mistake_is_told_with_its_place(fields: dict[str, Any], said: str) -> None:
    """Where, what was expected, what came."""
    with pytest.raises(ContractError) as error:
        decode_job({**GOOD, **fields})
    assert str(error.value) == said


@pytest.mark.parametrize("field", ["id", "runtime", "task", "input"])
def test_a_missing_field_is_told(field: str) -> None:
    """Each required one."""
    with pytest.raises(ContractError, match=rf"^\$\.{field}: expected .*, got nothing$"):
        decode_job({name: value for name, value in GOOD.items() if name != field})


def test_an_unknown_field_is_refused() -> None:
    """A typing mistake must not be passed over in silence."""
    with pytest.raises(ContractError, match=r"^\$\.promt: expected no such field \(known: id, runtime, task"):
        decode_job({**GOOD, "promt": 1})


def test_the_digest_is_of_what_was_asked() -> None:
    """The same request has the same digest, whenever it was sent and however its keys are ordered."""
    job = decode_job(GOOD)
    later = decode_job({**dict(reversed(GOOD.items())), "submitted_at": "2026-01-01T00:00:00Z"})
    assert digest(job) == digest(later)
    assert digest(job) != digest(decode_job({**GOOD, "input": {"prompt": "y"}}))


def test_expiry_counts_from_submission() -> None:
    """Or from the queue's time where nobody said when."""
    sent = datetime(2026, 1, 1, tzinfo=UTC)
    assert decode_job({**GOOD, "ttl_seconds": 60}).expires_at(sent) == sent + timedelta(seconds=60)
    job = decode_job({**GOOD, "ttl_seconds": 60, "submitted_at": "2025-01-01T00:00:00Z"})
    assert job.expires_at(sent).year == 2025


def test_keys() -> None:
    """Sixteen ranges by hash; artifacts named by content."""
    assert document_key("first").startswith("jobs/")
    assert document_key("first").endswith("/first.json")
    assert len({document_key(f"job-{n}").split("/")[1] for n in range(500)}) == 16
    assert cancel_key("first") == document_key("first").replace(".json", ".cancel")
    assert artifact_name(0, "ab" * 32, "png") == "0-abababababab.png"


V1ALPHA2 = {
    "metadata": {"id": "t2i", "runtime": "sd", "tasktype": "text-to-image", "prefix": "output/", "context": {"a": 1}},
    "content": {"prompt": "x", "alwayson_scripts": {}},
}
V1ALPHA1: dict[str, Any] = {
    "alwayson_scripts": {
        "task": "image-to-image",
        "sd_model_checkpoint": "v1-5.safetensors",
        "id_task": "21123",
        "uid": "1",
        "save_dir": "outputs",
        "image_link": "https://example.com/a.png",
        "override_settings": {"CLIP_stop_at_last_layers": 2},
        "controlnet": {"args": []},
    },
    "prompt": "x",
}


def test_v1alpha2_is_read() -> None:
    """As the predecessor's Lambda published it."""
    job = read_message(json.dumps({"Type": "Notification", "Message": json.dumps(V1ALPHA2)}))
    assert isinstance(job, Job)
    assert (job.id, job.runtime, job.task, job.context) == ("t2i", "sd", Task.TEXT_TO_IMAGE, {"a": 1})
    assert job.artifact_prefix == "output/t2i/"
    assert job.input == V1ALPHA2["content"]


def _of_the_lambda(body: dict[str, Any]) -> dict[str, Any]:
    """What the predecessor's v1alpha1 Lambda publishes."""
    scripts = body["alwayson_scripts"]
    metadata = {"id": scripts["id_task"], "runtime": "legacy", "tasktype": scripts["task"], "prefix": "outputs"}
    return {"metadata": {**metadata, "context": {}}, "content": {**body, "s3_output_path": "bucket/outputs/21123"}}


@pytest.mark.parametrize("message", [V1ALPHA1, _of_the_lambda(V1ALPHA1)], ids=["as sent", "as its Lambda publishes it"])
def test_v1alpha1_is_read(message: dict[str, Any]) -> None:
    """Routing fields leave the request; what they meant goes where the runtime looks for it."""
    job = read_message(json.dumps(message))
    assert isinstance(job, Job)
    assert (job.id, job.task, job.artifact_prefix) == ("21123", Task.IMAGE_TO_IMAGE, "outputs/21123/")
    assert job.input == {
        "prompt": "x",
        "alwayson_scripts": {"controlnet": {"args": []}},
        "init_images": ["https://example.com/a.png"],
        "override_settings": {"CLIP_stop_at_last_layers": 2, "sd_model_checkpoint": "v1-5.safetensors"},
    }


@pytest.mark.parametrize(
    "name", ["text-to-image", "image-to-image", "extra-single-image", "extra-batch-images", "pipeline"]
)
def test_every_task_of_the_predecessor_is_accepted(name: str) -> None:
    """`pipeline` too, which its API refused."""
    job = read_message(json.dumps({"metadata": {"id": "a", "runtime": "sd", "tasktype": name}, "content": {}}))
    assert isinstance(job, Job)
    assert job.task == name


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"metadata": {"id": "a/b", "runtime": "sd", "tasktype": "pipeline"}, "content": {}},
            "$.metadata.id: expected",
        ),
        ({"metadata": {"id": "a", "runtime": "sd", "tasktype": "x"}, "content": {}}, "$.metadata.tasktype: expected"),
        (
            {"metadata": {"id": "a", "runtime": "sd"}, "content": {}},
            "$.metadata.tasktype: expected string, got nothing",
        ),
        (
            {"metadata": {"id": "a", "runtime": "sd", "tasktype": "x"}, "content": []},
            "$.content: expected object, got []",
        ),
        ({"metadata": [], "content": {}}, "$: expected object, got []"),
        ({"alwayson_scripts": {"id_task": "a", "task": "x"}}, "$.alwayson_scripts.task: expected one of"),
        ({"Type": "Notification"}, "$.Message: expected string, got nothing"),
        ({"job_ref": "https://x"}, "$.job_ref: expected"),
    ],
)
def test_mistakes_in_other_formats_are_told_where_they_were_written(body: Any, said: str) -> None:
    """By the sender's own field names."""
    with pytest.raises(ContractError) as error:
        read_message(json.dumps(body))
    assert str(error.value).startswith(said)


def test_a_reference_is_read() -> None:
    """For what is too large for the topic."""
    assert read_message('{"job_ref": "s3://bucket/jobs/ref/x"}') == JobRef(job_ref="s3://bucket/jobs/ref/x")


def test_the_id_of_a_wrong_message_is_found() -> None:
    """So that its job can be told to have failed."""
    assert job_id_of(json.dumps({**GOOD, "task": "x"})) == "a"
    assert job_id_of(json.dumps({**V1ALPHA2, "content": 3})) == "t2i"
    assert job_id_of(json.dumps(V1ALPHA1)) == "21123"
    assert job_id_of('{"id": "../x"}') is None
    assert job_id_of("nothing") is None


@given(
    st.text()
    | st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)).map(
        json.dumps
    )
)
def test_no_message_does_anything_but_be_read_or_refused(body: str | bytes) -> None:
    """Whatever comes: a job, or a ContractError."""
    with contextlib.suppress(ContractError):
        read_message(body)
    assert job_id_of(body) is None or isinstance(job_id_of(body), str)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '"\\ud800"', "\ud800", "\0", '{"a": 1e999}', b"\xff\xfe"])
def test_hostile_json_is_refused(text: str | bytes) -> None:
    """Depth, numbers without end, surrogates, NUL bytes."""
    with pytest.raises(ContractError, match=r"^\$: expected JSON"):
        parse(text)


def document_of(artifacts: int) -> JobDocument:
    one = Artifact(url="s3://b/" + "k" * 200, content_type="image/png", bytes=1, sha256="0" * 64)
    return JobDocument(id="a", runtime="sd", state=State.COMPLETED, artifacts=(one,) * artifacts, context={"k": 1})


def test_a_notification_always_fits_the_topic() -> None:
    """What is too long is left to the document; what the predecessor's subscribers need is never left out."""
    told = json.loads(encode_notification(notification_of(document_of(2), "s3://b/d")))
    assert {"id", "runtime", "status", "result", "image_url", "output_url", "context"} <= told.keys()
    assert len(told["artifacts"]) == 2
    for count in (600, 5000):
        text = encode_notification(notification_of(document_of(count), "s3://b/d"))
        assert len(text) <= MAX_BYTES
        assert json.loads(text)["context"] == {"k": 1}


def test_documents_and_messages_follow_their_schemas() -> None:
    """The published JSON Schemas accept what the code writes, and refuse what it refuses."""
    reference = Path(__file__).parents[2] / "docs" / "reference"
    validator = jsonschema.Draft202012Validator(json.loads((reference / "job-message.schema.json").read_text()))
    validator.validate(GOOD)
    for fields, _ in WRONG:
        if set(fields) & {"timeout_seconds", "task", "output"}:
            assert list(validator.iter_errors({**GOOD, **fields}))
    document = msgspec.json.decode(msgspec.json.encode(document_of(1)))
    jsonschema.validate(document, json.loads((reference / "job-document.schema.json").read_text()))
