"""The webhook Lambda's settings: every variable that it reads, parsed once."""

from collections.abc import Mapping
from dataclasses import dataclass

from darkroom_agent.guard import FetchPolicy

from . import webhook_policy

VARIABLES = {
    "S3_BUCKET": "The output bucket. Required.",
    "WEBHOOK_SECRETS_PATH": "Path in SSM's Parameter Store under which the signing secrets lie (default "
    "`/darkroom/webhooks/`).",
    **webhook_policy.VARIABLES,
    "AWS_XRAY_DAEMON_ADDRESS": "X-Ray's daemon, `host:port`; Lambda sets it. Without it no segments are sent.",
    "LOGLEVEL": "DEBUG, INFO, WARNING or ERROR (default INFO).",
}
"""Every variable, for the reference."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """All of them. `policy` is where receivers may be, beside the public internet."""

    bucket: str
    secrets_path: str
    policy: FetchPolicy
    log_level: str
    xray_daemon: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "WebhookSettings":
        """Read them.

        Raises:
            ValueError: all mistakes in one message.
        """
        mistakes = [] if environ.get("S3_BUCKET") else ["S3_BUCKET is not set"]
        path = environ.get("WEBHOOK_SECRETS_PATH") or "/darkroom/webhooks/"
        settings = cls(
            bucket=environ.get("S3_BUCKET", ""),
            secrets_path=path if path.endswith("/") else f"{path}/",
            policy=webhook_policy.policy_of(environ, mistakes),
            log_level=environ.get("LOGLEVEL", "INFO"),
            xray_daemon=environ.get("AWS_XRAY_DAEMON_ADDRESS"),
        )
        if mistakes:
            raise ValueError("the webhook sender cannot start:\n  " + "\n  ".join(mistakes))
        return settings
