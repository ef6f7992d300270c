"""The model of scaling: nothing is lost in it, it keeps to queueing theory, and to what the real cluster did."""

import math
from dataclasses import replace
from typing import Any

import pytest

from darkroom_simulation.day import Outcome, run
from darkroom_simulation.hpa import Autoscaler
from darkroom_simulation.parameters import Agent, Behavior, Nodes, Parameters, Policy, Prices, Seconds, Start
from darkroom_simulation.published import chart_values, defaults
from darkroom_simulation.traffic import DAY, Arrival, Traffic, steady

QUIET = Traffic(night_per_hour=2, noon_per_hour=60, bursts=3, burst_jobs=40)
USUAL = defaults()
AT_ONCE = Seconds(0)


def fixed(pods: int) -> Parameters:
    """So many pods, always there; an agent that costs no time and holds one message."""
    return replace(
        USUAL,
        scaling=replace(USUAL.scaling, min_replicas=pods, max_replicas=pods),
        start=Start(AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE),
        agent=Agent(ahead=0, receive_seconds=0, gap_seconds=0, store_seconds=0),
        nodes=Nodes(standing=pods),
    )


def shaken(**nodes: Any) -> Parameters:
    return replace(USUAL, nodes=replace(USUAL.nodes, **nodes))


def day(parameters: Parameters, traffic: Traffic = QUIET, seed: int = 1) -> Outcome:
    return run(parameters, traffic.arrivals(seed), seed)


def test_a_seed_gives_the_same_day() -> None:
    """And another one another."""
    first, again, other = (day(shaken(interruptions_per_hour=1), seed=seed) for seed in (1, 1, 2))
    assert (first.waits(), first.nodes) == (again.waits(), again.nodes)
    assert first.waits() != other.waits()


@pytest.mark.parametrize(
    "parameters",
    [
        USUAL,
        shaken(interruptions_per_hour=20),
        shaken(interruptions_per_hour=20, headroom=2, accelerators=4, spot_share=0.5),
        replace(USUAL, agent=replace(USUAL.agent, ahead=0)),
        replace(USUAL, scaling=replace(USUAL.scaling, min_replicas=2, max_replicas=3, counts_in_flight=False)),
    ],
    ids=["usual", "interrupted", "shared nodes", "no prefetch", "few pods"],
)
def test_nothing_is_lost_and_nothing_is_made(parameters: Parameters) -> None:
    """Every job runs after it was sent and ends once; never do more run than nodes have room for; nodes live once."""
    sent = QUIET.arrivals(1)
    outcome = run(parameters, sent, 1)
    assert [(job.sent, job.seconds) for job in outcome.jobs] == [(one.at, one.seconds) for one in sent]
    for job in outcome.jobs:
        assert job.started is not None
        assert job.ended is not None
        assert job.sent <= job.started < job.ended
        assert job.ended == pytest.approx(job.started + job.seconds + parameters.agent.store_seconds)
    most = parameters.scaling.max_replicas
    slots = parameters.nodes.accelerators
    assert all(one.busy <= one.nodes * slots and one.pods <= most for one in outcome.samples)
    assert all(node.begin <= node.end for node in outcome.nodes)
    assert outcome.busy_hours() <= outcome.node_hours() * slots
    assert (outcome.interruptions > 0) == (parameters.nodes.interruptions_per_hour > 0)


def test_the_bill_is_the_time_of_each_node_at_its_price() -> None:
    """Spot and On-Demand apart, the volume with both; never less than a minute."""
    prices = Prices(spot=1, on_demand=10, volume=0.1)
    outcome = day(replace(shaken(spot_share=0.5), prices=prices))
    hours = {
        spot: sum(one.end - one.begin for one in outcome.nodes if one.spot is spot) / 3600 for spot in (True, False)
    }
    assert all(hours.values())
    assert outcome.dollars(prices) == pytest.approx(hours[True] * 1.1 + hours[False] * 10.1)


@pytest.mark.parametrize(("pods", "load"), [(1, 0.5), (3, 0.6)])
def test_without_scaling_it_is_an_mmc_queue(pods: int, load: float) -> None:
    """The mean wait is Erlang's."""
    mean, offered = 4.0, load * pods
    seconds = 6000 * mean / offered
    waits = [
        wait
        for seed in range(1, 5)
        for wait in run(fixed(pods), steady(offered / mean, seconds, mean, seed), 1).waits()
    ]
    term = offered**pods / math.factorial(pods) / (1 - load)
    queued = term / (sum(offered**n / math.factorial(n) for n in range(pods)) + term)
    assert sum(waits) / len(waits) == pytest.approx(queued * mean / (pods * (1 - load)), rel=0.08)


def test_the_wait_from_zero_is_the_sum_of_a_cold_start() -> None:
    """Without chance: KEDA's look, Karpenter's batch, then each part once."""
    start = Start(Seconds(100), Seconds(20), Seconds(1), Seconds(40), Seconds(2))
    outcome = run(replace(USUAL, start=start), [Arrival(1000, 5)], 1)
    least = 1 + 100 + 20 + 1 + 40 + 2
    assert least <= outcome.wait(1) <= least + USUAL.scaling.polling_seconds + USUAL.agent.receive_seconds


def test_headroom_saves_node_and_image() -> None:
    """A pod takes the place of a sleeping one, whose node has started before."""
    start = Start(Seconds(100), Seconds(20), Seconds(1), Seconds(40), Seconds(2))
    outcome = run(replace(shaken(headroom=1), start=start), [Arrival(1000, 5)], 1)
    assert 43 <= outcome.wait(1) <= 43 + USUAL.scaling.polling_seconds + USUAL.agent.receive_seconds


def test_a_job_that_outlives_the_notice_comes_back() -> None:
    """And ends on another node; a short one is finished."""
    parameters = shaken(interruptions_per_hour=20)
    outcome = run(parameters, [Arrival(10, 400) for _ in range(20)], 1)
    assert max(job.attempts for job in outcome.jobs) > 1
    assert all(job.ended for job in outcome.jobs)
    assert max(job.attempts for job in day(parameters).jobs) == 1


def test_a_day_has_its_bursts_and_its_night() -> None:
    """As many jobs as curve and bursts make, in their order."""
    jobs = QUIET.arrivals(5)
    curve = sum(QUIET.per_hour(hour * 3600) for hour in range(24))
    assert len(jobs) == pytest.approx(curve + 3 * 40, rel=0.1)
    assert jobs == sorted(jobs, key=lambda one: one.at)
    assert jobs[-1].at < DAY
    assert QUIET.per_hour(14 * 3600) == pytest.approx(60)
    assert QUIET.per_hour(2 * 3600) == pytest.approx(2)


def test_the_chart_is_what_a_run_starts_from() -> None:
    """But for the length of a job, which a user tells."""
    scaling = chart_values()["scaling"]
    assert USUAL.scaling.target_wait_seconds == scaling["targetWaitSeconds"]
    assert USUAL.scaling.cooldown_seconds == scaling["cooldownSeconds"]
    assert USUAL.scaling.queue_length == scaling["targetWaitSeconds"] // 5
    assert USUAL.scaling.up.policies[1] == Policy("Pods", 8, 15)
    assert USUAL.prices.volume == pytest.approx((150 * 0.08 + 625 * 0.04 + 3000 * 0.005) / 730)


HPA = replace(
    USUAL.scaling,
    target_wait_seconds=50,
    job_seconds=5,
    max_replicas=100,
    up=Behavior(0, (Policy("Percent", 100, 15), Policy("Pods", 4, 15))),
    down=Behavior(60, (Policy("Percent", 50, 60),)),
)


@pytest.mark.parametrize(
    ("replicas", "backlog", "wanted"),
    [
        (2, 22, 3),
        (2, 21, 2),  # within the tolerance
        (2, 0, 1),
        (4, 1000, 8),  # twice as many, or four more
        (1, 1000, 5),
        (5, 10, 2),  # half of them, rounded down
    ],
)
def test_the_autoscaler_decides_as_kubernetes(replicas: int, backlog: int, wanted: int) -> None:
    """An average of ten jobs a pod, with limits."""
    assert Autoscaler(HPA).decide(0, replicas, backlog) == wanted


def test_the_autoscaler_remembers() -> None:
    """It keeps to the most that it wanted within the window, and counts what a period has already changed."""
    autoscaler = Autoscaler(HPA)
    assert autoscaler.decide(0, 2, 40) == 4
    assert autoscaler.decide(10, 4, 1000) == 6  # two pods at the period's begin, and four more
    assert autoscaler.decide(40, 6, 0) == 12  # a hundred were wanted half a minute ago: twice as many
    assert autoscaler.decide(110, 12, 0) == 6
    assert autoscaler.decide(140, 6, 0) == 6  # half of twelve is all for this minute
    assert autoscaler.decide(175, 6, 0) == 3
