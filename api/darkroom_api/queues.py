"""How full the queues are, and how long a job may wait for its turn."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from darkroom_contract.api import QueueState, RuntimeView, Wait
from darkroom_contract.job import Priority, now

from .aws import aws_call
from .problems import Problem
from .settings import RuntimeSettings, Settings

if TYPE_CHECKING:
    from .aws import Clients

_FRESH_SECONDS = 2.0  # a depth is good for so long: many who look ask SQS once
_ONE_MINUTE = 60


class Queues:
    """The runtimes' queues, asked for their depth."""

    def __init__(self, clients: "Clients", settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._known: dict[str, tuple[float, QueueState]] = {}
        self._known_ages: tuple[float, dict[str, float]] = (float("-inf"), {})

    def depth(self, runtime: str, *, bulk: bool = False) -> QueueState | None:
        """What SQS says of a queue ("approximate" by its own word); None where it cannot be asked."""
        url = self._settings.queue_url(runtime, bulk=bulk)
        asked_at, state = self._known.get(url, (0.0, None))
        if state is not None and time.monotonic() - asked_at < _FRESH_SECONDS:
            return state
        try:
            with aws_call("asking the queue"):
                answer = self._clients.sqs.get_queue_attributes(
                    QueueUrl=url,
                    AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
                )
        except Problem:
            return None  # a job can be looked at without it
        numbers = answer["Attributes"]
        state = QueueState(
            waiting=int(numbers["ApproximateNumberOfMessages"]),
            in_flight=int(numbers["ApproximateNumberOfMessagesNotVisible"]),
        )
        self._known[url] = (time.monotonic(), state)
        return state

    def wait(self, runtime: str, priority: Priority) -> Wait | None:
        """What a queued job waits for."""
        settings = self._settings.runtimes.get(runtime)
        if settings is None:
            return None
        state = self.depth(runtime, bulk=settings.bulk and priority is Priority.BULK)
        if state is None:
            return None
        return Wait(
            waiting=state.waiting, in_flight=state.in_flight, wait_seconds=round(wait_seconds(settings, state), 1)
        )

    def views(self) -> tuple[RuntimeView, ...]:
        """All runtimes, with the ages of their oldest messages."""
        if time.monotonic() - self._known_ages[0] > _ONE_MINUTE:
            self._known_ages = (time.monotonic(), self._ages())
        ages = self._known_ages[1]

        def state(name: str, *, bulk: bool) -> QueueState | None:
            depth = self.depth(name, bulk=bulk)
            url = self._settings.queue_url(name, bulk=bulk)
            return depth and QueueState(
                waiting=depth.waiting, in_flight=depth.in_flight, oldest_seconds=ages.get(url.rpartition("/")[2])
            )

        return tuple(
            RuntimeView(
                name=name,
                type=settings.type,
                bulk=settings.bulk,
                queue=state(name, bulk=False),
                bulk_queue=state(name, bulk=True) if settings.bulk else None,
            )
            for name, settings in sorted(self._settings.runtimes.items())
        )

    def _ages(self) -> dict[str, float]:
        """Age of the oldest message by queue name. Only CloudWatch knows it, a minute or two late."""
        names = [
            self._settings.queue_url(name, bulk=bulk).rpartition("/")[2]
            for name, settings in self._settings.runtimes.items()
            for bulk in ((False, True) if settings.bulk else (False,))
        ]
        if not names:
            return {}
        try:
            with aws_call("asking CloudWatch"):
                answer = self._clients.cloudwatch.get_metric_data(
                    StartTime=now() - timedelta(minutes=5),
                    EndTime=now(),
                    ScanBy="TimestampDescending",
                    MetricDataQueries=[
                        {
                            "Id": f"q{index}",
                            "MetricStat": {
                                "Metric": {
                                    "Namespace": "AWS/SQS",
                                    "MetricName": "ApproximateAgeOfOldestMessage",
                                    "Dimensions": [{"Name": "QueueName", "Value": name}],
                                },
                                "Period": _ONE_MINUTE,
                                "Stat": "Maximum",
                            },
                        }
                        for index, name in enumerate(names)
                    ],
                )
        except Problem:
            return {}  # the depths are worth an answer without it
        results = {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}
        return {name: results[f"q{index}"][0] for index, name in enumerate(names) if results.get(f"q{index}")}


def wait_seconds(settings: RuntimeSettings, state: QueueState) -> float:
    """An estimate: the work that waits, over the pods that scaling allows for it, and a start where none runs.

    Scaling aims at `target_wait_seconds`, so that a longer wait means that all pods are at work.
    """
    work = state.waiting * settings.job_seconds
    at_full_scale = work / settings.max_replicas
    wait = max(at_full_scale, min(work, settings.target_wait_seconds))
    return wait + (settings.cold_start_seconds if state.in_flight == 0 else 0.0)
