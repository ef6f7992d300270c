"""What there is in CloudWatch: the agent's metrics as the collector of charts/platform hands them on, and AWS's own."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from opentelemetry.sdk.metrics.export import Metric

from .exported import CloudWatchMetric, cloudwatch

_VALUES = Path(__file__).parents[1] / "charts/platform/values.yaml"

# (namespace, dimensions) → names; the pages are where AWS documents them.
AWS_METRICS = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", frozenset({"QueueName"})): {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfEmptyReceives",
        "NumberOfMessagesDeleted",
        "NumberOfMessagesReceived",
        "NumberOfMessagesSent",
        "SentMessageSize",
    },
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", frozenset({"FunctionName"})): {
        "ConcurrentExecutions",
        "Duration",
        "Errors",
        "Invocations",
        "Throttles",
    },
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    ("AWS/ApiGateway", frozenset({"ApiName"})): {"4XXError", "5XXError", "Count", "IntegrationLatency", "Latency"},
}


def exported(told: Iterable[Metric]) -> set[CloudWatchMetric]:
    """The agent's metrics in CloudWatch: names with their dimensions, in the namespace `Darkroom`."""
    values = yaml.safe_load(_VALUES.read_text())
    rules = values["collector"]["alternateConfig"]["exporters"]["awsemf"]["metric_declarations"]
    # The GPU exporter's are there where it is installed: https://docs.nvidia.com/datacenter/dcgm/latest/dcgm-api/
    gpus = {("DCGM_FI_DEV_GPU_UTIL", frozenset({"darkroom.runtime"}))}
    return cloudwatch(told, rules) | gpus
