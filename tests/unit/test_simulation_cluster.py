"""The model does as the cluster on one machine did: with that run's settings and parts, it ends as the run ended."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from darkroom_simulation.day import Outcome, run
from darkroom_simulation.parameters import Behavior, Parameters, Seconds, Start
from darkroom_simulation.published import defaults
from darkroom_simulation.traffic import Arrival

MEASURED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs/discussion/scaling-times.json").read_text())
SETTINGS, PARTS = MEASURED["settings"], MEASURED["cold_start_seconds"]
BEGIN = 100.0


def parameters() -> Parameters:
    """The run's: a node with room for four that has the images; the HPA looks every 2 s; pods leave at once."""
    usual = defaults()
    started = sum(PARTS[part] for part in ("scheduled", "runtime_started", "runtime_ready", "agent_started"))
    first_receive = PARTS["first_job"] - SETTINGS["each_seconds"] - usual.agent.store_seconds
    return replace(
        usual,
        scaling=replace(
            usual.scaling,
            job_seconds=SETTINGS["jobSeconds"],
            target_wait_seconds=SETTINGS["targetWaitSeconds"],
            max_replicas=SETTINGS["maxReplicas"],
            polling_seconds=SETTINGS["pollingSeconds"],
            cooldown_seconds=SETTINGS["cooldownSeconds"],
            down=Behavior(0, ()),
            sync_seconds=2,
        ),
        start=Start(Seconds(0), Seconds(0), Seconds(0), Seconds(started), Seconds(first_receive)),
        nodes=replace(usual.nodes, standing=1, accelerators=4),
    )


@pytest.fixture(scope="module")
def simulated() -> list[Outcome]:
    """The same run with other chance: when KEDA and the HPA look, and when polls end."""
    jobs = [Arrival(BEGIN, SETTINGS["each_seconds"]) for _ in range(SETTINGS["jobs"])]
    return [run(parameters(), jobs, seed) for seed in range(8)]


def test_the_first_result_comes_as_it_did(simulated: list[Outcome]) -> None:
    """Within 10 %."""
    found = mean(min(job.ended or 0 for job in one.jobs) - BEGIN for one in simulated)
    assert found == pytest.approx(min(MEASURED["jobs_ended_at"]), rel=0.1)


def test_all_jobs_end_as_they_did(simulated: list[Outcome]) -> None:
    """Within 10 %."""
    found = mean(max(job.ended or 0 for job in one.jobs) - BEGIN for one in simulated)
    assert found == pytest.approx(MEASURED["all_jobs_seconds"], rel=0.1)


def test_the_last_pod_leaves_as_it_did(simulated: list[Outcome]) -> None:
    """Within 10 %."""
    found = mean(one.idle_again - BEGIN for one in simulated)
    assert found == pytest.approx(MEASURED["no_pod_again_seconds"], rel=0.1)


def test_as_many_pods_are_made(simulated: list[Outcome]) -> None:
    """The most at once."""
    most = max(
        sum(pod["created"] <= at < (pod["told_to_leave"] or pod["gone"]) for pod in MEASURED["pods"])
        for at in (pod["created"] for pod in MEASURED["pods"])
    )
    assert {max(sample.pods for sample in one.samples) for one in simulated} == {most}
