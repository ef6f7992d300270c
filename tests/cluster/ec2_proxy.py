"""Stands between Karpenter and the emulator: notes every call, and makes up for what the emulator's EC2 lacks."""

import re
import urllib.parse
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from darkroom_local.topology import aws_client

PARAMETERS = "/emulated"
"""Where parameters lie that AWS owns: nobody may put one under /aws/."""
_HOP = {
    "connection",
    "transfer-encoding",
    "content-length",
    "keep-alive",
    "content-encoding",
    "accept-encoding",
    "host",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of AWS: its action, its parameters where they are a form (EC2, IAM), and the answer's status."""

    action: str
    parameters: dict[str, str]
    status: int


@dataclass(slots=True)
class Ec2Proxy:
    """What was called, and what is refused."""

    upstream: str
    url: str = ""
    refuse_spot: bool = False
    calls: list[Call] = field(default_factory=list)

    def of(self, action: str) -> list[Call]:
        """Calls of one action, dry runs apart."""
        return [call for call in self.calls if call.action == action and "DryRun" not in call.parameters]

    async def handle(self, request: web.Request, session: aiohttp.ClientSession) -> web.Response:
        """Pass a call on, mended where need be."""
        body = await request.read()
        action, parameters = _action(request, body)
        if self._refused(action, parameters):
            self.calls.append(Call(action, parameters, 200))
            return web.Response(text=no_capacity(parameters), content_type="text/xml")
        if action == "GetParameter":
            body = body.replace(b'"/aws/service/', f'"{PARAMETERS}/aws/service/'.encode())
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with session.request(
            request.method, self.upstream + request.path_qs, data=body, headers=headers
        ) as reply:
            answer = await reply.read()
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            status = reply.status
        if action == "CreateFleet" and b"<fleetInstanceSet>" in answer:
            await self._set_groups(parameters, re.findall(rb">(i-[0-9a-f]{8,17})<", answer))
        self.calls.append(Call(action, parameters, status))
        return web.Response(body=answer, status=status, headers=kept)

    def _refused(self, action: str, parameters: dict[str, str]) -> bool:
        capacity = parameters.get("TargetCapacitySpecification.DefaultTargetCapacityType")
        return self.refuse_spot and action == "CreateFleet" and "DryRun" not in parameters and capacity == "spot"

    async def _set_groups(self, parameters: dict[str, str], instances: list[bytes]) -> None:
        """Give instances the template's security groups: without them Karpenter sees drift, and replaces them."""
        name = parameters["LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName"]
        async with aws_client("ec2", self.upstream) as ec2:
            described = await ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
            data = described["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            groups = data.get("NetworkInterfaces", [{}])[0].get("Groups") or data.get("SecurityGroupIds")
            for instance in instances:
                await ec2.modify_instance_attribute(InstanceId=instance.decode(), Groups=groups)


def no_capacity(parameters: dict[str, str]) -> str:
    """CreateFleet's answer where there is no Spot capacity for any of the overrides (API reference of EC2)."""
    names = (re.fullmatch(r"(LaunchTemplateConfigs\.\d+\.)(Overrides\.\d+\.)InstanceType", name) for name in parameters)
    errors = "".join(_error(parameters, *found.groups()) for found in names if found)
    return (
        f'<CreateFleetResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>{uuid.uuid4()}</requestId>'
        f"<fleetId>fleet-{uuid.uuid4()}</fleetId><errorSet>{errors}</errorSet><fleetInstanceSet/></CreateFleetResponse>"
    )


def _error(parameters: dict[str, str], config: str, override: str) -> str:
    template = parameters[f"{config}LaunchTemplateSpecification.LaunchTemplateName"]
    chosen = {
        "instanceType": parameters[f"{config}{override}InstanceType"],
        "subnetId": parameters.get(f"{config}{override}SubnetId", ""),
        "availabilityZone": parameters.get(f"{config}{override}AvailabilityZone", ""),
    }
    overrides = "".join(f"<{name}>{value}</{name}>" for name, value in chosen.items())
    return (
        "<item><launchTemplateAndOverrides><launchTemplateSpecification>"
        f"<launchTemplateName>{template}</launchTemplateName><version>1</version></launchTemplateSpecification>"
        f"<overrides>{overrides}</overrides></launchTemplateAndOverrides><lifecycle>spot</lifecycle>"
        "<errorCode>InsufficientInstanceCapacity</errorCode>"
        "<errorMessage>There is no Spot capacity available that matches your request.</errorMessage></item>"
    )


def _action(request: web.Request, body: bytes) -> tuple[str, dict[str, str]]:
    if target := request.headers.get("X-Amz-Target"):
        return target.rpartition(".")[2], {}
    parameters: dict[str, str] = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    return parameters.get("Action", request.method), parameters


@asynccontextmanager
async def ec2_proxy(upstream: str) -> AsyncIterator[Ec2Proxy]:
    """Run one on loopback."""
    proxy = Ec2Proxy(upstream)
    async with aiohttp.ClientSession(auto_decompress=True) as session:

        async def handle(request: web.Request) -> Any:
            return await proxy.handle(request, session)

        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()
