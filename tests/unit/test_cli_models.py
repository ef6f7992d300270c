"""`darkroom models` against a stand-in for S3: sent, taken up, checked, listed, removed."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from darkroom_cli import main, model_upload
from darkroom_cli.aws import s3_client
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_cli.model_upload import part_size
from tests.standin import Fault, RunningStandin
from tests.unit.api_world import standin_in_a_thread

type Run = Callable[..., Any]
MIB = 1024 * 1024
HEADER = b'{"__metadata__":{}}'
MODEL = len(HEADER).to_bytes(8, "little") + HEADER + bytes(range(256)) * (4 * MIB // 256) + b"end"
DIGEST = hashlib.sha256(MODEL).hexdigest()
KEY = "checkpoints/a.safetensors"
URL = "https://models.example/a.safetensors"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RunningStandin]:
    """A stand-in with the bucket `models`; parts have 1 MiB."""
    with standin_in_a_thread() as running:
        monkeypatch.setattr(model_upload, "_PART_BYTES", MIB)
        monkeypatch.setattr(model_upload, "_PART_BYTES_UNKNOWN", MIB)
        monkeypatch.setattr(model_upload, "_COPY_BYTES", MIB)
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("DARKROOM_MODELS_BUCKET", "models")
        monkeypatch.setenv("DARKROOM_CONFIG", str(tmp_path / "none.toml"))
        monkeypatch.setenv("COLUMNS", "200")
        s3_client(None).create_bucket(Bucket="models")
        yield running


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "a.safetensors").write_bytes(MODEL)
    return str(tmp_path / "a.safetensors")


@pytest.fixture
def run(aws: RunningStandin) -> Run:
    """Run `darkroom models …`; its stdout. A failure of ours is raised as it would end the process."""

    def command(*arguments: str, status: int = 0, answers: str | None = None) -> str:
        result = CliRunner().invoke(main.app, ["models", *arguments], input=answers)
        if isinstance(result.exception, DarkroomError):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    return command


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """https://models.example has the model, and tells no size; what it was asked."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=iter([MODEL[:10], MODEL[10:]]))

    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **options: real(**options, transport=httpx.MockTransport(handle)))
    return asked


def stored(aws: RunningStandin, key: str = KEY) -> tuple[bytes, str | None]:
    """An object's bytes and the digest that it names."""
    found = aws.inner.s3.buckets["models"].objects[key]
    return found.data, found.headers.get("x-amz-meta-sha256")


def calls(aws: RunningStandin, operation: str) -> int:
    found = aws.calls.get(f"{operation} models")
    return found.count if found else 0


def test_a_file_is_put_with_its_digest(run: Run, aws: RunningStandin, file: str) -> None:
    """In parts, its SHA-256 as metadata from the beginning; the same again sends nothing."""
    told = json.loads(run("add", file, "--as", "checkpoints/", "--json"))
    assert told == {"key": KEY, "bytes": len(MODEL), "sha256": DIGEST}
    assert stored(aws) == (MODEL, DIGEST)
    assert (calls(aws, "UploadPart"), calls(aws, "UploadPartCopy")) == (5, 0)
    assert DIGEST in run("add", file, "--as", KEY)
    assert calls(aws, "CreateMultipartUpload") == 1


def test_an_interrupted_upload_goes_on_where_it_was(run: Run, aws: RunningStandin, file: str) -> None:
    """Credentials end after two parts; the same command then sends the others alone."""
    aws.faults.add(Fault(kind="expired", operation="UploadPart", skip=2))
    with pytest.raises(NotReachable, match="credentials have expired"):
        run("add", file, "--as", KEY)
    assert KEY not in aws.inner.s3.buckets["models"].objects
    aws.faults.clear()
    sent = calls(aws, "UploadPart")
    run("add", file, "--as", KEY)
    assert stored(aws) == (MODEL, DIGEST)
    assert calls(aws, "UploadPart") - sent == 3
    assert calls(aws, "CreateMultipartUpload") == 1
    assert aws.inner.s3.buckets["models"].uploads == {}


def test_a_file_that_changed_is_not_mixed_up(run: Run, aws: RunningStandin, file: str) -> None:
    """Parts that are there with another checksum are sent again, and the object names the new digest."""
    aws.faults.add(Fault(kind="expired", operation="UploadPart", skip=2))
    with pytest.raises(NotReachable):
        run("add", file, "--as", KEY)
    aws.faults.clear()
    changed = MODEL[: 8 + len(HEADER)] + bytes(len(MODEL))  # every part is another, whichever two are there
    Path(file).write_bytes(changed)
    run("add", file, "--as", KEY)
    assert stored(aws) == (changed, hashlib.sha256(changed).hexdigest())


def test_another_tools_upload_is_left_alone(run: Run, aws: RunningStandin, file: str) -> None:
    """One without SHA-256 checksums cannot be taken up."""
    other = s3_client(None).create_multipart_upload(Bucket="models", Key=KEY)["UploadId"]
    run("add", file, "--as", KEY)
    assert stored(aws) == (MODEL, DIGEST)
    assert list(aws.inner.s3.buckets["models"].uploads) == [other]


def test_a_url_is_put_without_a_file(run: Run, aws: RunningStandin, web: list[httpx.Request]) -> None:
    """Its digest is known at the end only, and written to the object then, inside S3."""
    run("add", URL, "--as", KEY)
    assert stored(aws) == (MODEL, DIGEST)
    assert calls(aws, "UploadPartCopy") == 5


def test_an_expected_digest_is_kept_to(run: Run, aws: RunningStandin, web: list[httpx.Request], file: str) -> None:
    """Else nothing is stored, and nothing is left to pay for."""
    for source in (URL, file):
        with pytest.raises(Refused, match=f"its SHA-256 is {DIGEST}, not {'0' * 64}; nothing was stored"):
            run("add", source, "--as", KEY, "--sha256", "0" * 64)
    bucket = aws.inner.s3.buckets["models"]
    assert (bucket.objects, bucket.uploads) == ({}, {})
    run("add", URL, "--as", KEY, "--sha256", f"sha256:{DIGEST.upper()}")
    assert stored(aws) == (MODEL, DIGEST)
    assert calls(aws, "UploadPartCopy") == 0


def test_a_token_goes_along(run: Run, web: list[httpx.Request], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, for a command line is seen by others."""
    monkeypatch.setenv("MODELS_TOKEN", "t0ken")
    run("add", URL, "--as", KEY, "--token-env", "MODELS_TOKEN")
    assert {request.headers["Authorization"] for request in web} == {"Bearer t0ken"}
    with pytest.raises(Refused, match="the environment has no NO_TOKEN"):
        run("add", URL, "--as", KEY, "--token-env", "NO_TOKEN")


def test_a_token_is_for_one_host_alone(run: Run, aws: RunningStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site may send the reader on to where its files lie, which is another's."""
    seen: dict[str, str | None] = {}

    def handle(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers.get("Authorization")
        if request.url.host == "models.example":
            return httpx.Response(302, headers={"Location": "https://files.example/a"})
        return httpx.Response(200, content=MODEL)

    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **options: real(**options, transport=httpx.MockTransport(handle)))
    monkeypatch.setenv("MODELS_TOKEN", "t0ken")
    run("add", URL, "--as", KEY, "--token-env", "MODELS_TOKEN")
    assert seen == {"models.example": "Bearer t0ken", "files.example": None}
    assert stored(aws)[0] == MODEL


def test_ctrl_c_keeps_what_was_sent(run: Run, aws: RunningStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    """130, as shells have it; the parts stay for the next try."""

    def broken() -> Iterator[bytes]:
        yield MODEL[: 2 * MIB]
        raise KeyboardInterrupt

    bodies: Iterator[bytes | Iterator[bytes]] = iter([b"", broken(), b"", MODEL])
    real, answer = httpx.Client, lambda _: httpx.Response(200, content=next(bodies))
    monkeypatch.setattr(httpx, "Client", lambda **options: real(**options, transport=httpx.MockTransport(answer)))
    run("add", URL, "--as", KEY, status=130)
    (upload,) = aws.inner.s3.buckets["models"].uploads.values()
    assert sorted(upload.parts) == [1, 2]
    run("add", URL, "--as", KEY)
    assert stored(aws) == (MODEL, DIGEST)


def test_what_is_there_is_replaced_only_if_wanted(run: Run, aws: RunningStandin, file: str) -> None:
    """It asks, on stderr."""
    s3_client(None).put_object(Bucket="models", Key=KEY, Body=b"old")
    run("add", file, "--as", KEY, answers="n\n", status=1)
    assert stored(aws) == (b"old", None)
    run("add", file, "--as", KEY, answers="y\n")
    assert stored(aws) == (MODEL, DIGEST)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--as", "workflows/a.json"), "is for named workflows"),
        (("--as", "../a.safetensors"), "write it as folder/name"),
        (("--as", "/a.safetensors"), "write it as folder/name"),
        (("--as", "a//b"), "write it as folder/name"),
        (("--as", KEY, "--sha256", "abc"), "64 hex digits"),
        (("--as", "a.ckpt"), "pickle"),
    ],
)
def test_a_wrong_request_sends_nothing(
    run: Run, aws: RunningStandin, file: str, arguments: tuple[str, ...], reason: str
) -> None:
    """It says what to write instead."""
    with pytest.raises(Refused, match=reason):
        run("add", file, *arguments)
    assert calls(aws, "CreateMultipartUpload") == 0


def test_a_model_over_http_needs_its_digest(run: Run) -> None:
    """For anybody on the way can change it."""
    with pytest.raises(Refused, match="give its --sha256, or take https"):
        run("add", "http://models.example/a.safetensors", "--as", KEY)


def test_models_are_listed_and_removed(run: Run, aws: RunningStandin, file: str) -> None:
    """Named workflows are none of them; of several, all must be there before one is removed."""
    s3 = s3_client(None)
    s3.put_object(Bucket="models", Key="workflows/portrait.json", Body=b"{}")
    s3.put_object(Bucket="models", Key="vae/[old].bin", Body=b"old")
    run("add", file, "--as", KEY)
    assert [
        (one["key"], one["bytes"], one["sha256"]) for one in map(json.loads, run("list", "--json").splitlines())
    ] == [
        (KEY, len(MODEL), DIGEST),
        ("vae/[old].bin", 3, None),
    ]
    shown = run("list", "vae/")
    assert "vae/[old].bin" in shown
    assert KEY not in shown
    with pytest.raises(NotFound, match=r"vae/no; nothing was removed"):
        run("remove", KEY, "vae/no", "--yes")
    with pytest.raises(Refused, match="is a named workflow"):
        run("remove", "workflows/portrait.json", "--yes")
    run("remove", KEY, answers="n\n", status=1)
    assert KEY in aws.inner.s3.buckets["models"].objects
    run("remove", KEY, answers="y\n")
    assert sorted(aws.inner.s3.buckets["models"].objects) == ["vae/[old].bin", "workflows/portrait.json"]


def test_unfinished_uploads_are_removed(run: Run, aws: RunningStandin, file: str) -> None:
    """They show nowhere else, and are paid for."""
    aws.faults.add(Fault(kind="expired", operation="UploadPart", skip=1))
    with pytest.raises(NotReachable):
        run("add", file, "--as", KEY)
    aws.faults.clear()
    run("abort", "vae/")
    run("abort", answers="n\n", status=1)
    assert len(aws.inner.s3.buckets["models"].uploads) == 1
    run("abort", "--yes")
    assert aws.inner.s3.buckets["models"].uploads == {}


def test_a_bucket_that_is_not_there_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a bucket that nobody named."""
    with pytest.raises(NotFound, match="s3://nowhere is not there"):
        run("list", "--bucket", "nowhere")
    monkeypatch.delenv("DARKROOM_MODELS_BUCKET")
    with pytest.raises(Refused, match=r"which bucket\? Give --bucket"):
        run("list")


def test_credentials_that_are_missing_are_said(aws: RunningStandin, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to see who one is."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(NotReachable, match="sts get-caller-identity"):
        run("list")


@given(st.integers(1, 5 * 1024**4))
def test_parts_are_few_enough(size: int) -> None:
    """S3 takes 10,000, whole MiB here, and the same each time, or nothing could be taken up."""
    assert size / part_size(size) <= 10_000
    assert part_size(size) % MIB == 0
    assert part_size(size) >= 5 * MIB
