"""The endpoints beside the jobs': runtimes, named workflows, inputs, the contract itself, and the page."""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

import msgspec

from darkroom_contract.api import (
    INPUT_TYPES,
    MAX_INPUT_BYTES,
    InputRequest,
    InputTicket,
    RuntimeList,
    Upload,
    WorkflowList,
)
from darkroom_contract.decode import ContractError, convert, show

from .door import Door
from .http import Answer, Request, json_answer
from .ids import uuid7
from .page import page_file
from .problems import Problem
from .store import DOWNLOAD_SECONDS
from .workflows import view


def list_runtimes(door: Door, _: Request, __: str) -> Answer:
    """`GET /v1/runtimes`."""
    return json_answer(200, RuntimeList(runtimes=door.queues.views()))


def list_workflows(door: Door, _: Request, __: str) -> Answer:
    """`GET /v1/workflows`."""
    return json_answer(200, WorkflowList(workflows=door.workflows.all()))


def get_workflow(door: Door, _: Request, name: str) -> Answer:
    """`GET /v1/workflows/{name}`."""
    found = door.workflows.find(name)
    if found is None:
        raise Problem(404, "no-such-workflow", f"there is no workflow {show(name)}; GET /v1/workflows lists them")
    return json_answer(200, view(found))


def post_input(door: Door, request: Request, _: str) -> Answer:
    """`POST /v1/inputs`: leave to upload an image straight to the bucket."""
    asked = convert(request.json(), InputRequest)
    if asked.content_type not in INPUT_TYPES:
        known = ", ".join(show(kind) for kind in INPUT_TYPES)
        raise ContractError("$.content_type", f"one of {known}", show(asked.content_type))
    if not 0 < asked.bytes <= MAX_INPUT_BYTES:
        raise ContractError("$.bytes", f"integer 1 … {MAX_INPUT_BYTES}", show(asked.bytes))
    key = f"inputs/{uuid7(door.clock())}.{INPUT_TYPES[asked.content_type]}"
    ticket = InputTicket(
        url=f"s3://{door.store.bucket}/{key}",
        upload=Upload(
            method="PUT",
            url=door.store.upload_url(key, asked.content_type, asked.bytes),
            headers={"Content-Type": asked.content_type},
        ),
        expires_at=door.clock() + timedelta(seconds=DOWNLOAD_SECONDS),
    )
    return json_answer(201, ticket)


def get_openapi(_: Door, __: Request, ___: str) -> Answer:
    """`GET /v1/openapi.json`: this contract."""
    return Answer(200, _openapi(), {"Content-Type": "application/json", "Cache-Control": "max-age=300"})


def get_page(door: Door, request: Request, _: str) -> Answer:
    """`GET /` and `GET /assets/{name}`: the playground."""
    bucket = urlsplit(door.store.download_url(f"s3://{door.store.bucket}/_"))
    file = page_file(request.path, (f"{bucket.scheme}://{bucket.netloc}",))
    if file is None:
        raise Problem(404, "no-such-path", "the page has no such file")
    if request.headers.get("if-none-match") == file.etag:
        return Answer(304, "", file.headers)
    return Answer(200, file.body, {**file.headers, "Content-Type": file.content_type})


def to_page(_: Door, request: Request, __: str) -> Answer:
    """`GET` of a stage without its last slash: relative addresses of the page would lead beside it."""
    return Answer(308, "", {"Location": f"{request.base}/"})


@cache
def _openapi() -> str:
    import yaml  # noqa: PLC0415 (one request in a thousand needs it, and every cold start would pay)

    text = files("darkroom_api").joinpath("openapi.yaml").read_text()
    return msgspec.json.encode(yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))).decode()  # noqa: S506
