"""The jobs Lambda's settings: every variable that it reads, parsed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

from darkroom_agent.guard import FetchPolicy
from darkroom_contract.decode import ContractError, convert, parse
from darkroom_contract.job import RuntimeName, Tenant

from . import webhook_policy

VARIABLES = {
    "S3_BUCKET": "The output bucket. Required.",
    "MODELS_BUCKET": "The bucket with `workflows/<name>.json`. Required.",
    "JOBS_TOPIC_ARN": "The jobs topic. Required.",
    "QUEUE_URL_PREFIX": "What a queue's URL begins with; the runtime's name follows, and `-bulk` for its bulk queue. "
    "Required.",
    "RUNTIMES": "JSON, runtime to `type` and, if wanted, `bulk`, `checkpoints` (whose v1alpha1 requests it takes), "
    "`job_seconds`, `target_wait_seconds`, `max_replicas`, `cold_start_seconds` (for the estimate of a wait).",
    "TENANTS": "JSON, API key id to tenant. A key that is not named is a tenant of its own.",
    "CORS_ORIGINS": "Origins whose pages may call the API, with commas between them; `*` is all.",
    **webhook_policy.VARIABLES,
    "AWS_XRAY_DAEMON_ADDRESS": "X-Ray's daemon, `host:port`; Lambda sets it. Without it no segments are sent.",
    "LOGLEVEL": "DEBUG, INFO, WARNING or ERROR (default INFO).",
}
"""Every variable, for the reference."""

type RuntimeType = Literal["sdwebui", "comfyui", "openai"]


class RuntimeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the API knows of an installed runtime; seconds and pods serve the estimate of a wait.

    `checkpoints`: whose v1alpha1 requests it takes, for those name a checkpoint and no runtime.
    """

    type: RuntimeType
    bulk: bool = False
    checkpoints: tuple[str, ...] = ()
    job_seconds: Annotated[float, Meta(gt=0)] = 10.0
    target_wait_seconds: Annotated[float, Meta(gt=0)] = 60.0
    max_replicas: Annotated[int, Meta(ge=1)] = 10
    cold_start_seconds: Annotated[float, Meta(ge=0)] = 180.0


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them, as `docs/reference/environment.md` lists them. `webhooks` is where they may be sent."""

    bucket: str
    models_bucket: str
    jobs_topic_arn: str
    queue_url_prefix: str
    runtimes: dict[str, RuntimeSettings]
    tenants: dict[str, str]
    cors_origins: tuple[str, ...]
    webhooks: FetchPolicy
    log_level: str
    xray_daemon: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read them.

        Raises:
            ValueError: all mistakes in one message.
        """
        mistakes: list[str] = []

        def text(name: str) -> str:
            if not environ.get(name):
                mistakes.append(f"{name} is not set")
            return environ.get(name, "")

        def json[T](name: str, model: type[T]) -> T | None:
            try:
                return convert(parse(environ.get(name) or "{}"), model)
            except ContractError as error:
                mistakes.append(f"{name}: {error}")
                return None

        settings = cls(
            bucket=text("S3_BUCKET"),
            models_bucket=text("MODELS_BUCKET"),
            jobs_topic_arn=text("JOBS_TOPIC_ARN"),
            queue_url_prefix=text("QUEUE_URL_PREFIX"),
            runtimes=json("RUNTIMES", dict[RuntimeName, RuntimeSettings]) or {},
            tenants=json("TENANTS", dict[str, Tenant]) or {},
            cors_origins=tuple(one.strip() for one in environ.get("CORS_ORIGINS", "").split(",") if one.strip()),
            webhooks=webhook_policy.policy_of(environ, mistakes),
            log_level=environ.get("LOGLEVEL", "INFO"),
            xray_daemon=environ.get("AWS_XRAY_DAEMON_ADDRESS"),
        )
        if mistakes:
            raise ValueError("the jobs API cannot start:\n  " + "\n  ".join(mistakes))
        return settings

    def queue_url(self, runtime: str, *, bulk: bool = False) -> str:
        """A runtime's queue, as Terraform names it."""
        return f"{self.queue_url_prefix}{runtime}{'-bulk' if bulk else ''}"
