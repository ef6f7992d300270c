"""The agent's settings: every environment variable it reads, declared once. Nothing else reads the environment.

`docs/reference/environment.md` is generated from the table below.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from darkroom_contract.job import MAX_TIMEOUT_SECONDS

from . import values
from .values import Prices, WarmUp

RUNTIME_TYPES = ("sdwebui", "comfyui", "openai")
_MIB = 1024 * 1024


class SettingsError(ValueError):
    """The environment is wrong: the message lists every mistake, one a line."""


def setting(name: str, parse: Callable[[str], Any], about: str, default: Any = MISSING) -> Any:
    """Declare one variable: its name, how its text becomes a value, what it means, what it is when unset."""
    about_it = {"name": name, "parse": parse, "help": about}
    return field(metadata=about_it) if default is MISSING else field(default=default, metadata=about_it)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Times are seconds, sizes bytes."""

    queue_url: str = setting("SQS_QUEUE_URL", values.text, "Queue that jobs come from.")
    topic_arn: str = setting("SNS_TOPIC_ARN", values.text, "Topic that results are told to.")
    bucket: str = setting("S3_BUCKET", values.text, "Bucket for artifacts and job documents.")
    runtime_name: str = setting("RUNTIME_NAME", values.text, "Name of the runtime, as jobs ask for it.")
    runtime_type: str = setting("RUNTIME_TYPE", values.choice(*RUNTIME_TYPES), "API that the runtime speaks.")
    base_url: str = setting("API_BASE_URL", values.url, "Where the runtime listens.", "http://localhost:8080")
    api_key: str | None = setting(
        "RUNTIME_API_KEY", values.secret, "Sent to the runtime as `Authorization: Bearer …` (openai).", None
    )
    dynamic_model: bool = setting(
        "DYNAMIC_SD_MODEL", values.flag, "Switch the checkpoint when a job names another (sdwebui).", False
    )
    region: str | None = setting("AWS_DEFAULT_REGION", values.text, "AWS region; unset: as the AWS SDK finds it.", None)
    endpoint_url: str | None = setting(
        "AWS_ENDPOINT_URL", values.text, "Another endpoint for AWS, for emulators.", None
    )

    concurrency: int = setting(
        "RUNTIME_CONCURRENCY", values.integer(1, 64), "Jobs to run at once, where the server batches them (openai).", 1
    )
    prefetch: int = setting(
        "PREFETCH",
        values.integer(0, 100),
        "Most messages to hold ready beside the running ones; fewer if jobs are long.",
        10,
    )
    hold: float = setting(
        "HOLD_SECONDS",
        values.seconds(1, 3600),
        "A fetched message that could not start within this time goes back.",
        30.0,
    )
    wait: int = setting(
        "WAIT_SECONDS",
        values.integer(1, 20),
        "Long poll of an idle agent, and so its longest farewell; with messages in hand it polls for 2 s at most.",
        5,
    )
    visibility: int = setting("VISIBILITY_SECONDS", values.integer(2, 43_200), "Length of the lease on a message.", 60)
    heartbeat: float = setting(
        "HEARTBEAT_SECONDS",
        values.seconds(0.5, 21_600),
        "The lease is extended this often; at most half the visibility.",
        20.0,
    )
    attempts: int = setting(
        "MAX_ATTEMPTS",
        values.integer(1, 999),
        "Attempts before a job fails; the queue's maxReceiveCount must be higher.",
        4,
    )
    backoff_base: float = setting(
        "BACKOFF_BASE_SECONDS", values.seconds(0, 900), "Pause after the first failed attempt.", 5.0
    )
    backoff_cap: float = setting(
        "BACKOFF_CAP_SECONDS", values.seconds(0, 43_200), "Longest pause between attempts.", 300.0
    )
    job_seconds: int = setting(
        "MAX_JOB_SECONDS",
        values.integer(1, MAX_TIMEOUT_SECONDS),
        "Upper bound of any job's timeout_seconds.",
        MAX_TIMEOUT_SECONDS,
    )
    grace: float = setting(
        "GRACE_SECONDS", values.seconds(1, 86_400), "Time to leave after SIGTERM, all in all.", 110.0
    )
    bulk_queue_url: str | None = setting(
        "SQS_BULK_QUEUE_URL", values.text, "Second queue, for jobs of priority bulk.", None
    )
    bulk_every: int = setting(
        "BULK_EVERY", values.integer(2, 1000), "The bulk queue comes first in one of so many turns.", 10
    )

    running_after: float = setting(
        "RUNNING_AFTER_SECONDS", values.seconds(0, 3600), "A job that runs longer gets a `running` document.", 2.0
    )
    progress: float = setting("PROGRESS_SECONDS", values.seconds(0.5, 3600), "Progress is written this often.", 5.0)
    cancel_poll: float = setting(
        "CANCEL_POLL_SECONDS", values.seconds(0.2, 3600), "A cancel is looked for this often.", 2.0
    )

    mark_file: str | None = setting(
        "RUNTIME_MARK_FILE",
        values.text,
        "File that asks for a restart of the runtime; its liveness probe looks for it.",
        None,
    )
    warm_up: WarmUp | None = setting(  # noqa: RUF009 (a frozen field, not a shared default)
        "WARMUP_JOB", values.warm_up, "JSON {task, input} of the job that warms a runtime up.", None
    )
    recycle_jobs: int = setting(
        "RECYCLE_AFTER_JOBS", values.integer(0, 10**9), "Restart the runtime after so many jobs; 0: never.", 0
    )
    recycle_bytes: int = setting(
        "RECYCLE_ABOVE_BYTES", values.integer(0, 10**13), "Restart the runtime when it uses more memory; 0: never.", 0
    )
    stall: float = setting(
        "STALL_SECONDS",
        values.seconds(1, 21_600),
        "A running job without any progress for so long is taken for wedged.",
        180.0,
    )
    interrupt: float = setting(
        "INTERRUPT_SECONDS", values.seconds(0.5, 600), "How long an interrupted job may take to stop.", 30.0
    )
    poll: float = setting(
        "POLL_SECONDS", values.seconds(0.1, 60), "Between two looks at a runtime's progress (sdwebui).", 1.0
    )

    input_buckets: tuple[str, ...] = setting(
        "ALLOWED_INPUT_BUCKETS", values.names, "Buckets that inputs may come from, beside S3_BUCKET.", ()
    )
    input_hosts: tuple[str, ...] = setting(
        "ALLOWED_INPUT_HOSTS",
        values.names,
        "The only hosts that inputs may come from (`.example.com`: with subdomains).",
        (),
    )
    input_networks: tuple[IPv4Network | IPv6Network, ...] = setting(
        "ALLOWED_INPUT_NETWORKS", values.networks, "Private networks (CIDR) that inputs may come from.", ()
    )
    input_ports: frozenset[int] = setting(
        "ALLOWED_INPUT_PORTS",
        values.ports,
        "Ports that inputs may come from, beside 80, 443, 8080 and 8443.",
        frozenset(),
    )
    input_bytes: int = setting("MAX_INPUT_BYTES", values.integer(1, 2**40), "Largest input image.", 32 * _MIB)
    inputs: int = setting("MAX_INPUTS", values.integer(1, 10_000), "Most input images of a job.", 64)
    input_seconds: float = setting("INPUT_SECONDS", values.seconds(1, 3600), "Time to fetch one input.", 30.0)
    output_bytes: int = setting(
        "MAX_OUTPUT_BYTES", values.integer(1, 2**40), "Largest answer of a runtime.", 256 * _MIB
    )

    alive_file: str | None = setting(
        "ALIVE_FILE",
        values.text,
        "File written while the agent lives, for `python -m darkroom_agent.alive` to look at.",
        None,
    )
    pod_name: str | None = setting(
        "POD_NAME", values.text, "Own pod, to be marked while it is busy; unset: no marks.", None
    )
    pod_namespace: str | None = setting("POD_NAMESPACE", values.text, "Namespace of the own pod.", None)
    pod_price: float | None = setting(
        "POD_PRICE", values.price, "What the pod costs, USD an hour, for the cost of jobs; unset: by NODE_PRICES.", None
    )
    node_prices: Prices | None = setting(  # noqa: RUF009 (a frozen field, not a shared default)
        "NODE_PRICES",
        values.prices,
        "JSON {instance type: {on-demand | spot: USD an hour}}; the pod's part is by its accelerators.",
        None,
    )
    node_name: str | None = setting("NODE_NAME", values.text, "Own node, whose labels say what it is.", None)
    accelerator: str | None = setting(
        "ACCELERATOR_RESOURCE", values.text, "Extended resource that the pod computes on, as `nvidia.com/gpu`.", None
    )
    accelerators: int = setting("ACCELERATORS", values.integer(1, 1000), "How many of them the pod has.", 1)
    pod_marks_after: float = setting(
        "POD_MARKS_AFTER_SECONDS",
        values.seconds(0.1, 3600),
        "A pod busy (or idle) for so long is marked (or not).",
        5.0,
    )
    kubernetes_host: str | None = setting(
        "KUBERNETES_SERVICE_HOST", values.text, "Kubernetes' API; every pod has this by itself.", None
    )
    kubernetes_port: int = setting("KUBERNETES_SERVICE_PORT", values.integer(1, 65_535), "Its port.", 443)
    service_account: str = setting(
        "SERVICE_ACCOUNT_FOLDER",
        values.text,
        "Where the pod's token and the API's CA certificate lie.",
        "/var/run/secrets/kubernetes.io/serviceaccount",
    )

    log_level: str = setting(
        "LOGLEVEL", values.choice("debug", "info", "warning", "error"), "Least severity that is logged.", "info"
    )


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset.

    Raises:
        SettingsError: with every mistake in one message.
    """
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    for declared in fields(Settings):
        name, parse = declared.metadata["name"], declared.metadata["parse"]
        text = environ.get(name, "").strip()
        if text:
            try:
                found[declared.name] = parse(text)
            except ValueError as error:
                got = "" if parse is values.secret else f", got {text!r}"
                mistakes.append(f"{name}: {error}{got}")
        elif declared.default is MISSING:
            mistakes.append(f"{name}: must be set. {declared.metadata['help']}")
    if not mistakes:
        settings = Settings(**found)
        mistakes = _contradictions(settings)
    if mistakes:
        raise SettingsError("\n".join(["the environment is not usable:", *(f"  {mistake}" for mistake in mistakes)]))
    return settings


def _contradictions(settings: Settings) -> list[str]:
    """What is wrong only together."""
    mistakes = []
    if settings.heartbeat * 2 > settings.visibility:
        mistakes.append(
            f"HEARTBEAT_SECONDS: {settings.heartbeat:g} must be at most half of VISIBILITY_SECONDS "
            f"({settings.visibility}), or one late heartbeat loses the lease"
        )
    if settings.backoff_base > settings.backoff_cap:
        mistakes.append("BACKOFF_BASE_SECONDS: must not be above BACKOFF_CAP_SECONDS")
    if settings.bulk_queue_url == settings.queue_url:
        mistakes.append("SQS_BULK_QUEUE_URL: must be another queue than SQS_QUEUE_URL")
    if settings.dynamic_model and settings.runtime_type != "sdwebui":
        mistakes.append("DYNAMIC_SD_MODEL: only sdwebui switches checkpoints; a ComfyUI workflow loads its own")
    if settings.api_key is not None and settings.runtime_type != "openai":
        mistakes.append("RUNTIME_API_KEY: is for openai alone; the others take user:password@ in API_BASE_URL")
    if settings.concurrency > 1 and settings.runtime_type != "openai":
        mistakes.append(
            f"RUNTIME_CONCURRENCY: {settings.concurrency} is for openai alone; {settings.runtime_type} runs one job at "
            "a time, and others would wait inside it, where they cannot be moved to another pod"
        )
    if (settings.recycle_jobs or settings.recycle_bytes) and settings.mark_file is None:
        mistakes.append("RUNTIME_MARK_FILE: must be set for RECYCLE_AFTER_JOBS and RECYCLE_ABOVE_BYTES to have effect")
    return mistakes


def describe_settings() -> str:
    """Every variable with its default and meaning, for `--help`."""
    lines = ["usage: python -m darkroom_agent", "", "Configured by environment variables alone:", ""]
    for declared in fields(Settings):
        default = "required" if declared.default is MISSING else _shown(declared.default)
        lines += [f"  {declared.metadata['name']}  ({default})", f"      {declared.metadata['help']}"]
    lines += ["", "Telemetry: OTEL_EXPORTER_OTLP_ENDPOINT and OpenTelemetry's other standard variables."]
    return "\n".join(lines)


def _shown(default: object) -> str:
    if default is None or default in ((), frozenset()):
        return "unset"
    return (
        str(default).lower()
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )
