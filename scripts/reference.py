"""Write what is made: docs/reference/ from the code, the values in the charts' READMEs, the docs' diagrams."""

import inspect
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import msgspec

from darkroom_agent import errors
from darkroom_agent.metrics import INSTRUMENTS, STAGES
from darkroom_agent.settings import Settings
from darkroom_agent.spans import ATTRIBUTES, EVENTS, SPANS
from darkroom_api import settings, webhook_settings
from darkroom_api.segments import NOTES, SEGMENTS
from darkroom_contract.document import JobDocument
from darkroom_contract.job import Job, JobRef
from darkroom_contract.notification import Notification
from darkroom_contract.webhook import WebhookEvent
from scripts.diagrams import diagrams
from scripts.reference_api import api
from scripts.reference_charts import readmes
from scripts.reference_cli import command_line, deploy_commands, snapshot_commands
from scripts.reference_messages import messages
from scripts.reference_terraform import terraform

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
GENERATED = "<!-- Made by `make reference`; change the code instead. -->"


def schema(model: Any, title: str) -> str:
    """A JSON Schema (draft 2020-12) of one of the contract's models."""
    made = msgspec.json.schema(model)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}, indent=2) + "\n"
    )


def environment() -> str:
    """Every variable of the agent and of both Lambdas."""
    lines = ["# Environment", "", GENERATED, "", "## The agent's environment", ""]
    lines += ["| variable | default | meaning |", "|---|---|---|"]
    for declared in fields(Settings):
        default = "**required**" if declared.default is MISSING else _shown(declared.default)
        lines.append(f"| `{declared.metadata['name']}` | {default} | {declared.metadata['help']} |")
    lines += [
        "",
        "Times are seconds, sizes bytes. Wrong values are refused at start, all of them in one message.",
        "",
        "With `POD_NAME` and `POD_NAMESPACE` (downward API) the agent marks its own pod while it is busy for longer",
        "than `POD_MARKS_AFTER_SECONDS`: `controller.kubernetes.io/pod-deletion-cost: 100`, so that scale-in takes",
        "idle pods first, and `karpenter.sh/do-not-disrupt: true`, so that Karpenter leaves the node. Its service",
        "account needs the verb `patch` on pods (charts/runtime gives it). Without that the agent says so once, and",
        "works all the same.",
        "",
        "Traces and metrics go to `OTEL_EXPORTER_OTLP_ENDPOINT` if it is set; OpenTelemetry's other standard variables",
        "(`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` …) mean what they always mean. AWS credentials come from the AWS",
        "SDK's usual chain (on EKS: Pod Identity).",
        "",
        *_variables("The jobs Lambda's environment", settings.VARIABLES),
        "",
        *_variables("The webhook Lambda's environment", webhook_settings.VARIABLES),
    ]
    return "\n".join(lines) + "\n"


def _variables(title: str, variables: Mapping[str, str]) -> list[str]:
    rows = (f"| `{name}` | {meaning} |" for name, meaning in variables.items())
    return [f"## {title}", "", "| variable | meaning |", "|---|---|", *rows]


def _shown(default: object) -> str:
    if default is None or default in ((), frozenset()):
        return "–"
    text = (
        str(default).lower() if isinstance(default, bool) else f"{default:g}" if isinstance(default, float) else default
    )
    return f"`{text}`"


def error_codes() -> str:
    """Every code that a job document's `error` can carry."""
    lines = ["# Error codes", "", GENERATED, "", "| code | tried again | meaning |", "|---|---|---|"]
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.Failure) and "code" in vars(kind):
            again = (
                "no"
                if not kind.retryable
                else f"at most {kind.most_attempts} attempts"
                if kind.most_attempts
                else "yes"
            )
            lines.append(f"| `{kind.code}` | {again} | {inspect.cleandoc(kind.__doc__ or '')} |")
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """Every metric of the agent, with its names in CloudWatch and Prometheus."""
    head = ("metric", "kind", "unit", "attributes", "meaning")
    lines = ["# Metrics", "", GENERATED, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in INSTRUMENTS:
        attributes = ", ".join(f"`{name}`" for name in one.attributes) or "–"
        lines.append(f"| `{one.name}` | {one.kind.value} | `{one.unit}` | {attributes} | {one.about} |")
    lines += [
        "",
        "All have the runtime's name beside, `darkroom.runtime`. In CloudWatch they stand in the namespace `Darkroom`",
        "under these names, histograms as sum, count, least and most. Prometheus has underscores for dots, then the",
        "unit, and `_total` for counters: `darkroom_stage_duration_seconds_bucket`, `darkroom_jobs_total`.",
        "",
        "Histograms of seconds have the boundaries",
        f"{', '.join(f'{bound:g}' for bound in STAGES.boundaries or ())}.",
        "",
        "[Observe: metrics](../how-to/observe-metrics.md) says how they are looked at, and what that costs.",
    ]
    return "\n".join(lines) + "\n"


def spans() -> str:
    """Every span of the agent and segment of the Lambdas, with what they tell."""
    lines = ["# Spans", "", GENERATED, "", "| span of the agent | meaning |", "|---|---|"]
    lines += (f"| `{name}` | {meaning} |" for name, meaning in SPANS.items())
    lines += ["", "| event | meaning |", "|---|---|"]
    lines += (f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items())
    lines += ["", "| attribute | meaning |", "|---|---|"]
    lines += (f"| `{name}` | {meaning} |" for name, meaning in ATTRIBUTES.items())
    lines += ["", "| segment of the functions | meaning |", "|---|---|"]
    lines += (f"| `darkroom-{name}` | {meaning} |" for name, meaning in SEGMENTS.items())
    lines += ["", "| annotation of a segment | meaning |", "|---|---|"]
    lines += (f"| `darkroom_{name}` | {meaning} |" for name, meaning in NOTES.items())
    lines += [
        "",
        "An attempt is below `darkroom-submit`, its stages below it; `darkroom-webhook` is below `notify`.",
        "[Observe: follow one job](../how-to/observe-traces.md) says how they are looked at.",
    ]
    return "\n".join(lines) + "\n"


def decisions() -> str:
    """The index of docs/decisions."""
    lines = ["# Decisions", "", GENERATED, "", "What was decided, why, and what else was looked at; a page each.", ""]
    for page in sorted((REFERENCE.parent / "decisions").glob("0*.md")):
        title = page.read_text().partition("\n")[0].lstrip("# 0123456789.:")
        lines.append(f"- [{title}]({page.name})")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """All generated pages by path."""
    made = {
        "job-message.schema.json": schema(Job, "Job message"),
        "job-ref.schema.json": schema(JobRef, "Job message by reference"),
        "job-document.schema.json": schema(JobDocument, "Job document"),
        "notification.schema.json": schema(Notification, "Notification"),
        "webhook.schema.json": schema(WebhookEvent, "Webhook"),
        "environment.md": environment(),
        "error-codes.md": error_codes(),
        "metrics.md": metrics(),
        "spans.md": spans(),
        "command-line.md": command_line(GENERATED),
        "bottlerocket-snapshot.md": snapshot_commands(GENERATED),
        "deploy.md": deploy_commands(GENERATED),
        "terraform.md": terraform(GENERATED),
        "api.md": api(GENERATED),
        "messages.md": messages(GENERATED),
    }
    made_elsewhere = {REFERENCE.parent / "decisions" / "index.md": decisions()}
    return {REFERENCE / name: text for name, text in made.items()} | made_elsewhere | readmes() | diagrams()


def main() -> int:
    """Write the pages; with --check only say whether they are up to date."""
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text() != text}
    if "--check" in sys.argv[1:]:
        root = REFERENCE.parents[1]
        for path in stale:
            print(f"{path.relative_to(root)} is out of date: run `make reference`")  # noqa: T201
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
