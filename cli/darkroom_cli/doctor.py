"""`darkroom doctor`: what of an installation does not work, why that matters, and what to do."""

import asyncio
from typing import Annotated

import httpx
import typer

from .client import base_of
from .config import Config, read_config
from .doctor_api import ApiReport, check_api
from .doctor_aws import check_credentials, check_parts, open_aws
from .failures import DarkroomError
from .finding import Finding, Verdict, report, skipped, wrong
from .terminal import AsJson, Endpoint, Key, errors, tell

_SECONDS = 10.0


def doctor(
    runtime: Annotated[
        list[str] | None, typer.Option(help="A runtime whose queues to look at; else all that the API tells.")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write no probe to the output bucket, which is deleted at once.")
    ] = False,
    as_json: AsJson = False,
    endpoint: Endpoint = None,
    api_key: Key = None,
) -> None:
    """Check an installation: API, key, topics, queues, buckets, runtimes.

    Says of each part what was seen, and of what does not work why that matters and what to do. What is not configured
    is skipped, and said to be. The exit status is 1 if something is wrong.

        darkroom doctor
        darkroom doctor --json | jq -r 'select(.verdict == "wrong") | .todo'
    """
    config = read_config(endpoint, api_key)
    with errors.status("looking at the API"):
        api = _api(config)
    with errors.status("looking at AWS"):
        findings = [*api.findings, *_aws(config, api, runtime, read_only=read_only)]
    tell(findings, report(findings), as_json=as_json)
    if any(one.verdict is Verdict.WRONG for one in findings):
        raise typer.Exit(1)


def api_client(endpoint: str, api_key: str | None) -> httpx.AsyncClient:
    """A client that tries once: what passes by itself is worth knowing."""
    base, headers = base_of(endpoint, api_key)
    return httpx.AsyncClient(base_url=base, headers=headers, timeout=_SECONDS)


def _api(config: Config) -> ApiReport:
    endpoint = config.endpoint
    if endpoint is None:
        return ApiReport((skipped("api", "`endpoint` is not set", "`terraform output -raw cli_config` has it"),))

    async def look() -> ApiReport:
        async with api_client(endpoint, config.api_key) as http:
            return await check_api(endpoint, http)

    try:
        return asyncio.run(look())
    except DarkroomError as error:
        todo = "mend `endpoint` or `api_key` in the config file or the environment"
        return ApiReport((wrong("api", str(error), "nothing can be submitted or looked at", todo),))


def _aws(config: Config, api: ApiReport, named: list[str] | None, *, read_only: bool) -> list[Finding]:
    known = (config.jobs_topic_arn, config.results_topic_arn, config.queue_url_prefix, config.output_bucket)
    if not any((*known, config.models_bucket)):
        todo = "`terraform output -raw cli_config` has their names; submitting needs none of them"
        return [skipped("aws", "no topic, queue or bucket is configured", todo)]
    try:
        aws = open_aws(config)
    except DarkroomError as error:
        return [wrong("credentials", str(error), "AWS cannot be looked at", "set AWS_PROFILE, and `region`")]
    who = check_credentials(aws)
    if who.verdict is not Verdict.FINE:
        return [who]
    told = api.runtimes or ()
    names, bulk = named or [one.name for one in told], {one.name for one in told if one.bulk}
    return [who, *check_parts(aws, config, names, bulk, read_only=read_only)]
