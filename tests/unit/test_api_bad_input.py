"""Bad requests: each gets a 4xx problem document that says what is wrong and where, and nothing is written."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from darkroom_api.problems import pointer
from darkroom_contract.api import MAX_BODY_BYTES
from tests.unit.api_world import ApiWorld, api_world

GOOD: dict[str, Any] = {"runtime": "webui", "task": "text-to-image", "input": {"prompt": "a lake"}}


@pytest.fixture(scope="module")
def api() -> Iterator[ApiWorld]:
    with api_world() as world:
        yield world


def _nothing_happened(api: ApiWorld) -> None:
    assert api.keys("") == []
    assert api.heard() == []


WRONG_TYPES: list[tuple[str, Any]] = [
    (field, value)
    for field, values in dict[str, tuple[Any, ...]](
        {
            "id": (1, None, [], {}, True, "", "a/b", "a..b", "a\nb", "é", "x" * 129),
            "runtime": (1, None, [], {}, "", "nobody", "a/b"),
            "task": (1, None, [], "paint", "pipeline"),
            "input": (1, None, [], "text"),
            "prefix": (1, [], "/a", "a/../b", "jobs/x", "inputs", "x" * 600),
            "context": ({"x": "a" * 9000},),
            "timeout_seconds": ("soon", 0, 21601, 1.5, [], True, None),
            "ttl_seconds": ("soon", 0, 1209601, [], None),
            "priority": (1, "urgent", None),
            "output": (1, [], {"format": "bmp"}, {"quality": 0}, {"quality": 101}, {"size": 3}),
            "webhook": (1, [], {}, {"url": "ftp://x"}, {"url": 1}, {"url": "https://x", "events": ["done"]}),
            "tenant": ("ann", None),
            "submitted_at": ("2026-11-24T12:00:00Z", None),
            "nonsense": (1, None),
            "params": ({},),
        }
    ).items()
    for value in values
]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "http"),
        ("http://", "URL"),
        ("https://ann:secret@example.com/", "user name or password"),
        ("https://example.com:22/", "the port 22 is not allowed"),
        ("http://127.0.0.1/", "may not be connected to"),
        ("http://0x7f.1/", "may not be connected to"),
        ("http://10.0.0.5/", "may not be connected to"),
        ("http://[::1]/", "may not be connected to"),
        ("http://[::ffff:192.168.0.1]/", "may not be connected to"),
        ("http://[fe80::1]/", "may not be connected to"),
        ("http://169.254.169.254/latest/meta-data", "may not be connected to"),
        ("http://[fd00:ec2::254]/", "may not be connected to"),
        ("https://example.com/a b", "blanks"),
    ],
)
def test_a_webhook_that_could_never_be_sent_is_refused(api: ApiWorld, url: str, why: str) -> None:
    """By the guard's own rule, before anything is stored; what the URL may hold is not repeated."""
    said = api.submit(webhook={"url": url})
    assert (said.status, said.body["errors"][0]["pointer"]) == (422, "#/webhook/url")
    assert why in said.body["errors"][0]["detail"]
    assert "secret" not in json.dumps(said.body)
    _nothing_happened(api)


@pytest.mark.parametrize(("field", "value"), WRONG_TYPES)
def test_each_field_with_each_wrong_value(api: ApiWorld, field: str, value: Any) -> None:
    """422, with a pointer to that field."""
    said = api.call("POST", "/v1/jobs", {**GOOD, field: value})
    assert said.status == 422, said.body
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.body["errors"][0]["pointer"].split("/")[1] == field
    _nothing_happened(api)


@pytest.mark.parametrize("field", ["runtime", "task", "input"])
def test_each_field_left_out(api: ApiWorld, field: str) -> None:
    """422, with a pointer to where it is missing."""
    said = api.call("POST", "/v1/jobs", {name: value for name, value in GOOD.items() if name != field})
    assert (said.status, said.body["errors"][0]["pointer"]) == (422, f"#/{field}")
    _nothing_happened(api)


@pytest.mark.parametrize("body", ["", "{", "nonsense", '{"a": NaN}', "\ud800", "[" * 100_000, '{"id": 1e999999}'])
def test_what_is_no_json(api: ApiWorld, body: str) -> None:
    """400."""
    said = api.call("POST", "/v1/jobs", body)
    assert (said.status, said.body["status"]) in {(400, 400), (422, 422)}
    _nothing_happened(api)


@pytest.mark.parametrize("body", ["[]", "1", "null", '"text"', "{}"])
def test_json_that_is_no_job(api: ApiWorld, body: str) -> None:
    """422."""
    assert api.call("POST", "/v1/jobs", body).status == 422
    _nothing_happened(api)


def test_bytes_that_are_no_text(api: ApiWorld) -> None:
    """400, also where the base64 that API Gateway promises is none."""
    coded = base64.b64encode(b"\xff\xfe{}").decode()
    assert api.call("POST", "/v1/jobs", coded, isBase64Encoded=True).status == 400
    assert api.call("POST", "/v1/jobs", "%%%", isBase64Encoded=True).status == 400


def test_a_body_that_is_too_large(api: ApiWorld) -> None:
    """413, and what to do instead."""
    said = api.call("POST", "/v1/jobs", '"' + "a" * MAX_BODY_BYTES + '"')
    assert said.status == 413
    assert "/v1/inputs" in said.body["detail"]
    _nothing_happened(api)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_content_type(api: ApiWorld, kind: str) -> None:
    """415."""
    assert api.call("POST", "/v1/jobs", GOOD, headers={"Content-Type": kind}).status == 415
    _nothing_happened(api)


def test_json_with_a_charset_is_json(api: ApiWorld) -> None:
    """Parameters of the content type are nobody's mistake."""
    said = api.call(
        "POST",
        "/v1/inputs",
        {"content_type": "image/png", "bytes": 1},
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert said.status == 201


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/jobs"), ("POST", "/v1/jobs/x"), ("DELETE", "/v1/runtimes")])
def test_another_method(api: ApiWorld, method: str, path: str) -> None:
    """405, with the methods that are taken."""
    said = api.call(method, path)
    assert said.status == 405
    assert said.headers["Allow"]


@pytest.mark.parametrize("path", ["/v2/jobs", "/v1/jobs/", "/v1/jobs/a/b", "/v1", "/.env", "//", "/v1/jobs/%2e%2e"])
def test_a_path_where_nothing_is(api: ApiWorld, path: str) -> None:
    """404."""
    said = api.call("GET", path)
    assert (said.status, said.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("job_id", ["a%2Fb", "..", "%00", "a%0d%0aX-Evil: 1", "x" * 5000, "%ff", "never"])
def test_an_id_that_no_job_can_have(api: ApiWorld, job_id: str) -> None:
    """404, without a look into the bucket's other corners and without a header of the caller's making."""
    for method in ("GET", "DELETE"):
        said = api.call(method, f"/v1/jobs/{job_id}")
        assert said.status == 404
        assert "X-Evil" not in said.headers
    _nothing_happened(api)


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "made-up"},
        {"cursor": "../../etc"},
        {"cursor": "é"},
        {"cursor": base64.urlsafe_b64encode(b"jobs").decode()},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"limit": "٣"},
        {"limit": "9" * 5000},
        {"since": "yesterday"},
        {"since": "2026-11-24T12:00:00"},
        {"since": "0001-01-01T00:00:00Z"},
        {"state": "done"},
        {"stat": "failed"},
    ],
)
def test_a_list_with_wrong_parameters(api: ApiWorld, query: dict[str, str]) -> None:
    """422, and which one it is."""
    said = api.call("GET", "/v1/jobs", query=query)
    assert (said.status, said.body["errors"][0]["parameter"]) == (422, next(iter(query)))


@pytest.mark.parametrize("wait", ["-1", "26", "soon", "1.5", ""])
def test_a_wait_that_cannot_be(api: ApiWorld, wait: str) -> None:
    """422 as a parameter; as a preference it is passed over, as RFC 7240 says."""
    assert api.call("GET", "/v1/jobs/x", query={"wait": wait}).status == 422


@pytest.mark.parametrize("key", ["", "a" * 256, "a\x00b"])
def test_an_idempotency_key_that_cannot_be(api: ApiWorld, key: str) -> None:
    """422."""
    said = api.call("POST", "/v1/jobs", GOOD, headers={"Idempotency-Key": key})
    assert (said.status, said.body["errors"][0]["parameter"]) == (422, "Idempotency-Key")
    _nothing_happened(api)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content_type": "text/html", "bytes": 3}, "content_type"),
        ({"content_type": "image/svg+xml", "bytes": 3}, "content_type"),
        ({"content_type": "image/png", "bytes": 0}, "bytes"),
        ({"content_type": "image/png", "bytes": 50_000_001}, "bytes"),
        ({"content_type": "image/png", "bytes": "3"}, "bytes"),
        ({"content_type": "image/png"}, "bytes"),
        ({"bytes": 3}, "content_type"),
        ({"content_type": "image/png", "bytes": 3, "key": "jobs/x"}, "key"),
    ],
)
def test_an_upload_that_may_not_be(api: ApiWorld, body: dict[str, Any], field: str) -> None:
    """422; nobody chooses a key of the bucket."""
    said = api.call("POST", "/v1/inputs", body)
    assert (said.status, said.body["errors"][0]["pointer"]) == (422, f"#/{field}")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1alpha2", {}, "#/task"),
        ("/v1alpha2", {"task": 1}, "#/task"),
        ("/v1alpha2", {"task": {"metadata": {}}}, "#/task/content"),
        (
            "/v1alpha2",
            {"task": {"metadata": {"id": "a", "runtime": "webui"}, "content": {}}},
            "#/task/metadata/tasktype",
        ),
        (
            "/v1alpha2",
            {"task": {"metadata": {"id": "a", "runtime": "no", "tasktype": "text-to-image"}, "content": {}}},
            "#/task/metadata/runtime",
        ),
        ("/v1alpha1", {"prompt": "a dog"}, "#/task"),
        ("/v1alpha1", {"task": {"prompt": "a dog"}}, "#/task/alwayson_scripts/id_task"),
        ("/v1alpha1", {"alwayson_scripts": {}}, "#/alwayson_scripts/id_task"),
        (
            "/v1alpha1",
            {"alwayson_scripts": {"id_task": "1", "task": "x", "sd_model_checkpoint": "sharp.safetensors"}},
            "#/alwayson_scripts/task",
        ),
        (
            "/v1alpha1",
            {"task": {"alwayson_scripts": {"id_task": "1", "task": "text-to-image", "sd_model_checkpoint": "no"}}},
            "#/task/alwayson_scripts/sd_model_checkpoint",
        ),
    ],
)
def test_a_predecessors_request_that_is_wrong(api: ApiWorld, path: str, body: dict[str, Any], field: str) -> None:
    """400, as its Lambda has it for every mistake, with a pointer to where its sender wrote it."""
    said = api.call("POST", path, body)
    assert (said.status, said.body["errors"][0]["pointer"]) == (400, field)
    _nothing_happened(api)


def test_a_mistake_of_ours_tells_no_details(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 without a stack trace: that is in the log."""
    monkeypatch.setattr("darkroom_api.jobs.find", lambda *_: 1 / 0)
    said = api.call("GET", "/v1/runtimes")
    assert (said.status, said.body["detail"]) == (500, "a mistake of ours; it is in the log")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", "#"),
        ("$.input.steps", "#/input/steps"),
        ("$.events[2]", "#/events/2"),
        ('$.input["6"].inputs["a/b~c"]', "#/input/6/inputs/a~1b~0c"),
    ],
)
def test_a_path_becomes_a_pointer(path: str, expected: str) -> None:
    """RFC 6901, with its escapes."""
    assert pointer(path) == expected


def test_each_runtime_type_has_its_checks(api: ApiWorld) -> None:
    """What one type takes another refuses."""
    edit = {
        "runtime": "flux",
        "task": "image-to-image",
        "input": {"prompt": "x", "init_images": ["s3://outputs/a.png"]},
    }
    assert api.call("POST", "/v1/jobs", edit).body["errors"][0]["pointer"] == "#/input/image"
    graph = {"runtime": "flux", "task": "pipeline", "input": {}}
    assert "a task that runtimes of type openai do" in str(api.call("POST", "/v1/jobs", graph).body)
    _nothing_happened(api)
