"""The AWS account of a deployment, as far as the emulator has none of it: identity, quotas, ECR, EKS.

One HTTP server for all; what it holds can be looked at and changed. The program `docker` of bin/ pushes into it.
"""

import base64
import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "000000000000"
_SERVICES = ("STS", "IAM", "ECR", "EKS", "EC2", "SERVICE_QUOTAS")


@dataclass
class Account:
    """What the account holds: images by `repository:tag`, the cluster's state, quotas, instances of Karpenter's."""

    url: str = ""
    images: dict[str, str] = field(default_factory=dict)
    cluster: str | None = "ACTIVE"
    quotas: dict[str, float] = field(default_factory=lambda: {"L-DB2E81BA": 0, "L-3819A6DF": 8})
    denied: set[str] = field(default_factory=set)
    instances: list[str] = field(default_factory=list)
    expired: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """How an AWS client finds it."""
        return {f"AWS_ENDPOINT_URL_{service}": self.url for service in _SERVICES}

    def json(self, operation: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """An operation of a service that speaks JSON: status and answer."""
        match operation:
            case "DescribeImages":
                name = f"{asked['repositoryName']}:{asked['imageIds'][0]['imageTag']}"
                if name not in self.images:
                    return 400, {"__type": "ImageNotFoundException", "message": name}
                return 200, {"imageDetails": [{"imageDigest": self.images[name]}]}
            case "GetAuthorizationToken":
                token = base64.b64encode(b"AWS:the-registrys-password").decode()
                return 200, {"authorizationData": [{"authorizationToken": token}]}
            case "GetServiceQuota":
                return 200, {"Quota": {"Value": self.quotas[asked["QuotaCode"]]}}
        return 400, {"__type": "UnknownOperationException", "message": operation}

    def query(self, asked: dict[str, str]) -> tuple[int, str]:
        """An operation of a service that speaks XML."""
        operation = asked["Action"]
        if self.expired:
            return 403, _error("ExpiredToken", "The security token included in the request is expired")
        match operation:
            case "GetCallerIdentity":
                arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session"
                inside = f"<Arn>{arn}</Arn><Account>{ACCOUNT}</Account><UserId>A:session</UserId>"
            case "GetRole":
                arn = f"arn:aws:iam::{ACCOUNT}:role/teams/deployer"
                inside = f"<Role><Arn>{arn}</Arn><RoleName>deployer</RoleName></Role>"
            case "SimulatePrincipalPolicy":
                actions = [value for name, value in asked.items() if name.startswith("ActionNames.member.")]
                inside = "<IsTruncated>false</IsTruncated><EvaluationResults>" + "".join(
                    f"<member><EvalActionName>{one}</EvalActionName>"
                    f"<EvalDecision>{'implicitDeny' if one in self.denied else 'allowed'}</EvalDecision></member>"
                    for one in actions
                )
                inside += "</EvaluationResults>"
            case "DescribeInstances":
                items = "".join(f"<item><instanceId>{one}</instanceId></item>" for one in self.instances)
                groups = f"<item><instancesSet>{items}</instancesSet></item>" if items else ""
                return 200, f"<{operation}Response><reservationSet>{groups}</reservationSet></{operation}Response>"
            case "DescribeInstanceTypes":
                vcpus = "<vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo>"
                item = f"<item><instanceType>g6.xlarge</instanceType>{vcpus}</item>"
                return 200, f"<{operation}Response><instanceTypeSet>{item}</instanceTypeSet></{operation}Response>"
            case _:
                return 400, _error("InvalidAction", operation)
        return 200, f"<{operation}Response><{operation}Result>{inside}</{operation}Result></{operation}Response>"


def _error(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


@contextmanager
def account() -> Iterator[Account]:
    """Serve one on a free port of loopback."""
    held = Account()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """EKS: a cluster."""
            if held.cluster is None:
                self._send(404, {"message": "no cluster"}, kind="ResourceNotFoundException")
            else:
                self._send(200, {"cluster": {"name": "deployed", "status": held.cluster}})

        def do_POST(self) -> None:
            """A push of `docker`, or an operation by its name in header or body."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/push":
                held.images[body.decode()] = f"sha256:{hashlib.sha256(body).hexdigest()}"
                self._send(200, {})
            elif target := self.headers.get("X-Amz-Target"):
                self._send(*held.json(target.rpartition(".")[2], json.loads(body)))
            else:
                self._send(*held.query(dict(urllib.parse.parse_qsl(body.decode()))))

        def _send(self, status: int, answer: Any, kind: str = "") -> None:
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    held.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
