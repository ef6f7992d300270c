"""What the pod costs an hour, by its node's labels."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from darkroom_agent.gpu_time import GpuTime
from darkroom_agent.price import PriceUnknown, learn_price, price_of
from darkroom_agent.settings import Settings, SettingsError, from_environ

from .test_pod_marks import certificate
from .world import REQUIRED

PRICES = {"g5.12xlarge": {"on-demand": 5.672, "spot": 2.0}}
GPU = "nvidia.com/gpu"


def node(labels: dict[str, str], gpus: Any = "4") -> bytes:
    """A Node object, as far as it matters."""
    return json.dumps({"kind": "Node", "metadata": {"labels": labels}, "status": {"capacity": {GPU: gpus}}}).encode()


KARPENTERS = {"node.kubernetes.io/instance-type": "g5.12xlarge", "karpenter.sh/capacity-type": "on-demand"}
EKS = {"node.kubernetes.io/instance-type": "g5.12xlarge", "eks.amazonaws.com/capacityType": "SPOT"}


def test_a_pod_pays_for_its_accelerators() -> None:
    """Of a node with four it pays a quarter for one; Karpenter's nodes and EKS's node groups say what they are."""
    assert price_of(node(KARPENTERS), PRICES, GPU, 1) == pytest.approx(5.672 / 4)
    assert price_of(node(EKS), PRICES, GPU, 2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (node({}), "no label node.kubernetes.io/instance-type"),
        (node({"node.kubernetes.io/instance-type": "g5.12xlarge"}), "no label karpenter.sh/capacity-type"),
        (node({**KARPENTERS, "node.kubernetes.io/instance-type": "g7.xlarge"}), "no price for g7.xlarge, on-demand"),
        (node({**KARPENTERS, "karpenter.sh/capacity-type": "reserved"}), "no price for g5.12xlarge, reserved"),
        (node(KARPENTERS, gpus="0"), "has 0 of nvidia.com/gpu, the pod 1"),
        (node(KARPENTERS, gpus={"a": 1}), "has 0 of"),
        (b"<html>", "is no node"),
        (b'{"metadata": {"labels": 7}}', "is no node"),
        (b"[" * 100_000, "is no node"),
    ],
)
def test_a_price_is_never_guessed(body: bytes, said: str) -> None:
    """What is missing is told."""
    with pytest.raises(PriceUnknown, match=said):
        price_of(body, PRICES, GPU, 1)


@asynccontextmanager
async def kubernetes(folder: Path, *answers: tuple[int, bytes]) -> AsyncIterator[tuple[Settings, list[str]]]:
    """An API that answers so, one after the other; settings that lead to it, and what it was asked."""
    asked: list[str] = []
    left = list(answers)

    async def get(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path} {request.headers['Authorization']}")
        status, body = left.pop(0)
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/{path:.*}", get)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=certificate(folder), shutdown_timeout=0.1)
    (folder / "token").write_text("secret")
    environ = {
        **REQUIRED,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "SERVICE_ACCOUNT_FOLDER": str(folder),
        "NODE_NAME": "ip-10-0-1-2",
        "NODE_PRICES": json.dumps(PRICES),
        "ACCELERATOR_RESOURCE": GPU,
    }
    try:
        yield from_environ(environ), asked
    finally:
        await server.close()


async def test_the_node_is_asked_for_once(tmp_path: Path) -> None:
    """By its name, with the service account's token."""
    gpu = GpuTime(0)
    async with kubernetes(tmp_path, (200, node(KARPENTERS))) as (settings, asked):
        await learn_price(gpu, settings)
    assert gpu.price == pytest.approx(5.672 / 4)
    assert asked == ["GET /api/v1/nodes/ip-10-0-1-2 Bearer secret"]


async def test_a_refusal_is_told_once_and_asked_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that is given later is enough; until then there is no price."""
    monkeypatch.setattr("darkroom_agent.price._FIRST_PAUSE", 0.01)
    gpu, no = GpuTime(0), (403, b'{"message": "nodes is forbidden"}')
    with structlog.testing.capture_logs() as lines:
        async with kubernetes(tmp_path, no, no, (200, node(KARPENTERS))) as (settings, asked):
            await learn_price(gpu, settings)
    assert len(asked) == 3
    told = [(line["event"], line.get("error")) for line in lines]
    assert told == [("price.unknown", "Kubernetes answered 403: nodes is forbidden"), ("price.known", None)]
    assert gpu.price is not None


async def test_a_node_without_a_price_is_told_and_left_alone(tmp_path: Path) -> None:
    """It will have none later either."""
    gpu = GpuTime(0)
    with structlog.testing.capture_logs() as lines:
        async with kubernetes(tmp_path, (200, node({}))) as (settings, _):
            await learn_price(gpu, settings)
    assert [line["event"] for line in lines] == ["price.unknown"]
    assert gpu.price is None


async def test_a_price_of_the_pod_needs_no_kubernetes() -> None:
    """And where nothing is set, nothing is asked and nothing said."""
    gpu = GpuTime(0)
    await learn_price(gpu, from_environ({**REQUIRED, "POD_PRICE": "0.4"}))
    assert gpu.price == 0.4
    with structlog.testing.capture_logs() as lines:
        await learn_price(gpu := GpuTime(0), from_environ(REQUIRED))
    assert (gpu.price, lines) == (None, [])


@pytest.mark.parametrize(
    "environ",
    [
        {"POD_PRICE": "0"},
        {"POD_PRICE": "nan"},
        {"POD_PRICE": "cheap"},
        {"NODE_PRICES": "{"},
        {"NODE_PRICES": '{"g5.xlarge": 1}'},
        {"NODE_PRICES": '{"g5.xlarge": {"spot": 0}}'},
    ],
)
def test_a_wrong_price_is_refused_at_start(environ: dict[str, str]) -> None:
    """By the variable's name."""
    with pytest.raises(SettingsError, match=f"{next(iter(environ))}: expected"):
        from_environ({**REQUIRED, **environ})
