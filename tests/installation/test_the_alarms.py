"""Terraform's alarms, applied: each has its page, watches what is measured, and goes off when it happens.

What is not measured here is AWS's own clockwork: its periods of a minute, and who is told.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from darkroom_agent.errors import RuntimeFailed, RuntimeRefused
from darkroom_agent.ports import OutputFile, Prepared, Report, Result
from darkroom_local.topology import aws_client
from tests.cloudwatch import AWS_METRICS, exported
from tests.measured import measured, metrics_of, points, reader_of
from tests.metric_math import Series, evaluate
from tests.terraform.modules import ROOT
from tests.unit.world import PNG, World, message

from .applied import Applied

PAGES = ROOT.parent / "docs/how-to/alarms"
MINUTE = 60


def alarms(applied: Applied) -> dict[str, dict[str, Any]]:
    """Every alarm by its name, without what all names begin with."""
    found = applied.managed("aws_cloudwatch_metric_alarm")
    return {one["alarm_name"].partition("-")[2]: one for one in found}


def watched(alarm: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics of an alarm by their ids: namespace, name, dimensions, statistic."""
    if alarm["metric_name"]:
        fields = ("namespace", "metric_name", "dimensions", "period")
        return {"it": {**{name: alarm[name] for name in fields}, "stat": alarm["statistic"]}}
    return {one["id"]: one["metric"][0] for one in alarm["metric_query"] if one["metric"]}


def goes_off(alarm: Mapping[str, Any], measures: Mapping[str, Sequence[float | None]]) -> bool:
    """Whether an alarm is on after these periods: of each metric one value a period, None where there is none."""
    times = [MINUTE * index for index in range(max(len(values) for values in measures.values()))]
    series: dict[str, Series] = {
        name: {time: value for time, value in zip(times, values, strict=True) if value is not None}
        for name, values in measures.items()
    }
    assert series.keys() == watched(alarm).keys()
    for query in sorted(alarm["metric_query"], key=lambda one: one["return_data"]):
        if query["expression"]:
            series[query["id"]] = evaluate(query["expression"], series, times)
    shown = next((one["id"] for one in alarm["metric_query"] if one["return_data"]), "it")
    last = times[-alarm["evaluation_periods"] :]
    assert alarm["comparison_operator"] == "GreaterThanThreshold"
    assert alarm["treat_missing_data"] == "notBreaching"
    beyond: int = sum(series[shown].get(time, 0) > alarm["threshold"] for time in last)
    needed: int = alarm["datapoints_to_alarm"] or alarm["evaluation_periods"]
    return beyond >= needed


def page(alarm: Mapping[str, Any]) -> Path:
    """The page that an alarm's description ends with."""
    found = re.search(r" (docs/how-to/alarms/[a-z-]+\.md)$", alarm["alarm_description"])
    assert found, alarm["alarm_description"]
    return ROOT.parent / found[1]


def test_every_alarm_has_its_page_and_every_page_its_alarm(applied: Applied) -> None:
    """The page says what it means, what to look at, what to do, and is in the table of the overview."""
    pages = {page(alarm) for alarm in alarms(applied).values()}
    assert pages == set(PAGES.glob("*.md"))
    overview = (PAGES.parent / "observe-metrics.md").read_text()
    for one in pages:
        headings = re.findall(r"^## (.+)$", one.read_text(), re.MULTILINE)
        assert headings == ["What it means", "What to look at", "What to do"], one.name
        assert f"(alarms/{one.name})" in overview


def test_every_alarm_watches_what_is_measured(applied: Applied) -> None:
    """The agent's metrics as a flow makes them and the collector hands them on; AWS's as its documentation has them."""
    there = exported(asyncio.run(measured()).values())
    for name, alarm in alarms(applied).items():
        for metric in watched(alarm).values():
            dimensions = frozenset(metric["dimensions"])
            if metric["namespace"] == "Darkroom":
                assert (metric["metric_name"], dimensions) in there, name
            else:
                assert metric["metric_name"] in AWS_METRICS[metric["namespace"], dimensions], name


def test_a_job_that_waits_too_long(applied: Applied) -> None:
    """For three minutes beyond the age; a queue that nobody uses says nothing."""
    alarm = alarms(applied)["sd-age"]
    assert goes_off(alarm, {"it": [840, 901, 961, 1021]})
    assert not goes_off(alarm, {"it": [901, 961, 5]})
    assert not goes_off(alarm, {"it": [None, None, None]})


async def test_a_message_that_no_pod_takes(applied: Applied) -> None:
    """As a real queue counts it: in work is what somebody has received, and then there is a pod."""
    alarm, url = alarms(applied)["sd-no-pod"], applied.topology.of("sd").queue_url
    async with aws_client("sqs", applied.emulator.url) as sqs:

        async def in_work() -> float:
            names = ["ApproximateNumberOfMessagesNotVisible"]
            return float((await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names))["Attributes"][names[0]])

        await sqs.send_message(QueueUrl=url, MessageBody="waits")
        ages = [300.0, 361.0, 421.0, 481.0]
        assert goes_off(alarm, {"age": ages, "work": [await in_work()] * 4})
        assert not goes_off(alarm, {"age": ages[:3], "work": [await in_work()] * 3}), "within its budget"
        answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
        assert not goes_off(alarm, {"age": ages, "work": [await in_work()] * 4})
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=answer["Messages"][0]["ReceiptHandle"])
    assert not goes_off(alarm, {"age": [None] * 3, "work": [None] * 3})


@pytest.mark.parametrize("name", ["sd", "bulky", "webhooks"])
async def test_a_dead_letter(applied: Applied, name: str) -> None:
    """The first one is enough, and it is over when the queue is empty."""
    alarm = alarms(applied)[f"{name}-dead-letters"]
    (metric,) = watched(alarm).values()
    async with aws_client("sqs", applied.emulator.url) as sqs:
        url = (await sqs.get_queue_url(QueueName=metric["dimensions"]["QueueName"]))["QueueUrl"]

        async def waiting() -> float:
            names = ["ApproximateNumberOfMessages"]
            return float((await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names))["Attributes"][names[0]])

        assert not goes_off(alarm, {"it": [await waiting()]})
        await sqs.send_message(QueueUrl=url, MessageBody="poison")
        assert goes_off(alarm, {"it": [await waiting()]})
        answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
        await sqs.delete_message(QueueUrl=url, ReceiptHandle=answer["Messages"][0]["ReceiptHandle"])


async def _ended(kinds: Sequence[str]) -> dict[str, list[float | None]]:
    """What two periods count in each of which these jobs run: `done`, `failed` by the service, `refused`, `again`."""
    world = World(MAX_ATTEMPTS="2")
    reader = reader_of(world)

    async def work(prepared: Prepared, report: Report) -> Result:
        kind = prepared.job.id.partition("-")[0]
        if kind == "refused":
            raise RuntimeRefused("no such sampler")
        if kind == "failed" or (kind == "again" and prepared.attempt == 1):
            raise RuntimeFailed("out of order")
        return Result((OutputFile(PNG),), {})

    world.runtime.work = work
    await world.settled(*(message(f"{kind}-{index}") for index, kind in enumerate(kinds)))
    counted = {tuple(about): point.value for about, point in points(metrics_of(reader)["darkroom.jobs"]).items()}

    def total(**wanted: str) -> list[float | None]:
        found = sum(value for about, value in counted.items() if wanted.items() <= dict(about).items())
        return [found or None] * 2

    return {"all": total(), "service": total(fault="service"), "retried": total(state="retried")}


async def test_jobs_that_fail_by_the_services_fault(applied: Applied) -> None:
    """Counted by real agents; what the caller asked wrongly, or what came right in the end, wakes nobody."""
    alarm = alarms(applied)["sd-failures"]
    assert goes_off(alarm, await _ended(["done"] * 4 + ["failed"]))
    assert not goes_off(alarm, await _ended(["done"] * 19 + ["failed"]))
    assert not goes_off(alarm, await _ended(["done"] * 4 + ["refused"] * 6))
    assert not goes_off(alarm, await _ended(["again"] * 6))
    assert not goes_off(alarm, await _ended(["failed"])), "one of one says nothing"
    assert not goes_off(alarm, {"all": [None] * 2, "service": [None] * 2, "retried": [None] * 2})


def test_leases_that_are_lost(applied: Applied) -> None:
    """Again and again; a node that vanished once is no reason."""
    alarm = alarms(applied)["sd-lease-losses"]
    (lost,) = points(asyncio.run(measured())["darkroom.lease.losses"]).values()
    assert goes_off(alarm, {"it": [lost.value, None, lost.value]})
    assert not goes_off(alarm, {"it": [None, None, lost.value]})


@pytest.mark.parametrize("name", [f"{one}-{kind}" for one in ("jobs", "webhooks") for kind in ("errors", "throttles")])
def test_functions_that_fail_or_are_refused(applied: Applied, name: str) -> None:
    """In three of five minutes."""
    alarm = alarms(applied)[name]
    assert goes_off(alarm, {"it": [1, None, 2, 0, 1]})
    assert not goes_off(alarm, {"it": [1, None, 0, 0, 1]})


def test_an_api_that_fails(applied: Applied) -> None:
    """More than one request in a hundred, in three of five minutes."""
    alarm = alarms(applied)["api-errors"]
    assert goes_off(alarm, {"it": [0.02, 0, 0.5, 0.011, 0]})
    assert not goes_off(alarm, {"it": [0.02, 0, 0.01, 0.01, 0.02]})
