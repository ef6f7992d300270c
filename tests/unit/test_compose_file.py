"""docker-compose.yml has the names and addresses that the set-up makes."""

from pathlib import Path
from typing import Any

import yaml
from scripts.images import versions

from darkroom_local.flow import RUNTIMES
from darkroom_local.topology import Topology, make_topology
from tests.standin.server import Standin, listen

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
# What is of containers alone.
OTHERWISE = {"VISIBILITY_SECONDS"}


async def topology() -> Topology:
    """As the set-up makes it."""
    standin = Standin()
    runner, url = await listen(standin)
    try:
        return await make_topology(url, RUNTIMES)
    finally:
        await runner.cleanup()
        standin.sqs.close()


def last(value: str) -> str:
    """The name at the end of an address or an ARN."""
    return value.rpartition("/")[2].rpartition(":")[2]


async def test_agents_are_told_what_the_set_up_makes() -> None:
    """Each variable of the topology, by the name at its end: hosts differ."""
    made = await topology()
    for spec in RUNTIMES:
        told = SERVICES[f"{spec.name}-agent"]["environment"]
        for name, value in made.agent_environment(spec.name).items():
            assert name in OTHERWISE or last(told[name]) == last(value), f"{spec.name}-agent: {name}"


async def test_the_api_is_told_what_the_set_up_makes() -> None:
    """Buckets, topic, the beginning of queues' names; its runtimes are those that have agents."""
    made, told = await topology(), SERVICES["api"]["environment"]
    for name, value in made.api_environment().items():
        if name == "RUNTIMES":
            runtimes = yaml.safe_load(told[name])
            assert {key: (one["type"], one.get("bulk", False)) for key, one in runtimes.items()} == {
                spec.name: (spec.type, spec.bulk) for spec in RUNTIMES
            }
        else:
            assert last(told[name]) == last(value), name


async def test_webhooks_come_from_the_queue_that_the_set_up_makes() -> None:
    """By its URL and its ARN; the secrets lie where it puts them."""
    made = await topology()
    _, url, arn = SERVICES["webhooks"]["command"]
    assert (last(url), last(arn)) == (last(made.webhooks.queue_url), last(made.webhooks.queue_arn))
    assert SERVICES["webhooks"]["environment"]["WEBHOOK_SECRETS_PATH"] == made.webhooks.secrets_path


def test_the_emulator_is_the_one_of_versions_toml() -> None:
    """The last that needs no account."""
    assert SERVICES["aws"]["image"] == versions()["localstack"]


def test_nothing_listens_beyond_this_machine() -> None:
    """Every published port is loopback's."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
