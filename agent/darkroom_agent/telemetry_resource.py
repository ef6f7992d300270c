"""Who tells: the resource that spans and metrics of one agent share."""

from opentelemetry.sdk.resources import Resource


def resource(runtime_name: str) -> Resource:
    """The agent of one runtime; OTEL_RESOURCE_ATTRIBUTES adds what the chart knows (pod, node)."""
    return Resource.create({"service.name": "darkroom-agent", "darkroom.runtime": runtime_name})
