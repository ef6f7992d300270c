"""The webhook Lambda's settings: every variable that it reads, parsed once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from darkroom_agent.guard import FetchPolicy


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """All of them. `policy` is where receivers may be, beside the public internet."""

    bucket: str
    secrets_path: str
    policy: FetchPolicy
    log_level: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "WebhookSettings":
        """Read them.

        Raises:
            ValueError: all mistakes in one message.
        """
        mistakes: list[str] = []

        def several[T](name: str, read: Callable[[str], T]) -> tuple[T, ...]:
            try:
                return tuple(read(one) for one in environ.get(name, "").replace(",", " ").split())
            except ValueError as error:
                mistakes.append(f"{name}: {error}")
                return ()

        if not environ.get("S3_BUCKET"):
            mistakes.append("S3_BUCKET is not set")
        path = environ.get("WEBHOOK_SECRETS_PATH") or "/darkroom/webhooks/"
        settings = cls(
            bucket=environ.get("S3_BUCKET", ""),
            secrets_path=path if path.endswith("/") else f"{path}/",
            policy=FetchPolicy(
                networks=several("WEBHOOK_ALLOWED_NETWORKS", ip_network),
                ports=frozenset(several("WEBHOOK_ALLOWED_PORTS", int)),
            ),
            log_level=environ.get("LOGLEVEL", "INFO"),
        )
        if mistakes:
            raise ValueError("the webhook sender cannot start:\n  " + "\n  ".join(mistakes))
        return settings
