"""What becomes of each value of the predecessor's chart: a table. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

_TERRAFORM = "it names a resource of the old stack; Terraform's `runtime_values` name the new ones"
_IMAGE = "its images run as root and are set up by variables of their own: build Darkroom's from images/, or name yours"
_BUCKET = "models are mounted from their bucket, whatever volume that was; `models` says how"
_TRACES = "traces go to a collector by OTLP (`telemetry.otlpEndpoint`), not to a daemon in each pod"

_CHECKPOINTS = "Stable-diffusion"  # folder of its models bucket
_JOB_SECONDS = 10  # what charts/runtime takes a job for, if nothing is said


class Unusable(Exception):
    """A value has no place in charts/runtime; the message says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """What other values depend on."""

    type: str
    scaled: bool
    replicas: bool
    checkpoint: str | None
    arguments: str | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Of its chart's values; what they do not say is as its chart has it."""
        return cls(
            type=str(_at(values, "runtime.type") or "sdwebui").lower(),
            scaled=_at(values, "runtime.scaling.enabled") is not False,
            replicas=_at(values, "runtime.replicas") is not None,
            checkpoint=_at(values, "runtime.inferenceApi.modelFilename"),
            arguments=_at(values, "runtime.inferenceApi.commandArguments"),
        )


# Where a value goes, and what it is there; or the part of it that has no place, and why.
type Put = Iterable[tuple[str, Any]]
type Rule = Callable[[Any, Given], Put]


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _to(path: str, kind: Callable[[Any], Any] = lambda value: value) -> Rule:
    """The value itself, at a path, after a look at it."""

    def rule(value: Any, _: Given) -> Put:
        return [(path, kind(value))]

    return rule


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Unusable("this is no whole number") from None


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unusable("expected a map")
    return value


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(one) for name, one in _map(value).items()}


def _no(why: str) -> Rule:
    def rule(_: Any, __: Given) -> Put:
        raise Unusable(why)

    return rule


def _only(path: str, kind: Callable[[Any], Any] = lambda value: value, **wanted: bool | str) -> Rule:
    """As `_to`, where what is given is as wanted; else it had no effect."""

    def rule(value: Any, given: Given) -> Put:
        for name, want in wanted.items():
            if getattr(given, name) != want:
                raise Unusable(f"it has no effect where {name} is {getattr(given, name)}")
        return [(path, kind(value))]

    return rule


def _type(value: Any, _: Given) -> Put:
    if str(value).lower() not in {"sdwebui", "comfyui"}:
        raise Unusable("there are sdwebui and comfyui; `runtime.type` must be said")
    return [("runtime.type", str(value).lower())]


def _replicas(value: Any, given: Given) -> Put:
    if given.scaled:
        raise Unusable("KEDA sets it, within `scaling.minReplicas` and `scaling.maxReplicas`")
    return [("scaling.minReplicas", _number(value)), ("scaling.maxReplicas", max(1, _number(value)))]


def _scaling(_: Any, given: Given) -> Put:
    # Without scaling it has `runtime.replicas`, and those are 1 where nothing is said.
    return [] if given.scaled or given.replicas else [("scaling.minReplicas", 1), ("scaling.maxReplicas", 1)]


def _queue_length(value: Any, _: Given) -> Put:
    # A pod for so many messages: a wait of that many jobs.
    return [("scaling.jobSeconds", _JOB_SECONDS), ("scaling.targetWaitSeconds", _JOB_SECONDS * _number(value))]


def _checkpoint(value: Any, given: Given) -> Put:
    if given.type != "sdwebui":
        raise Unusable("a ComfyUI workflow names its own models")
    # With arguments it is one of them: the chart takes the one or the other.
    return [] if given.arguments else [("runtime.checkpoint", f"{_CHECKPOINTS}/{value}")]


def _arguments(value: Any, given: Given) -> Put:
    if given.type != "sdwebui":
        raise Unusable("its template for ComfyUI looked at another key, so that they had no effect; see `runtime.args`")
    first = f"--ckpt '/models/{_CHECKPOINTS}/{given.checkpoint}' " if given.checkpoint else ""
    return [("runtime.env.COMMANDLINE_ARGS", f"{first}{value}")]


def _environment(value: Any) -> dict[str, Any]:
    """Its values say a map, its template wants a list: both are taken."""
    if isinstance(value, dict):
        return {str(name): one if isinstance(one, dict) else str(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value):
        return {
            str(one["name"]): {"valueFrom": one["valueFrom"]} if "valueFrom" in one else str(one.get("value", ""))
            for one in value
        }
    raise Unusable("expected name and value of each variable")


def _runtime_environment(value: Any, _: Given) -> Put:
    return [("runtime.env", _environment(value))]


def _agent_environment(value: Any, _: Given) -> Put:
    for name, one in _environment(value).items():
        if name in _SET_BY_THE_CHART:
            yield name, Unusable("the chart sets it")
        elif isinstance(one, dict):
            yield name, Unusable("`agent.settings` are plain texts")
        else:
            yield "agent.settings", {name: one}


def _resources(value: Any, _: Given) -> Put:
    parts = {name: _map(_map(value).get(name) or {}) for name in ("requests", "limits")}
    found: list[tuple[str, Any]] = []
    for name, part in parts.items():
        plain = {key: str(one) for key, one in part.items() if "/" not in key}
        found += [(f"runtime.resources.{name}.{key}", one) for key, one in plain.items()]
        for key, one in part.items():
            if "/" in key:
                found += [("runtime.accelerator.resource", key), ("runtime.accelerator.count", _number(one))]
    if "memory" not in parts["limits"]:
        # The chart's own limit might be below what it asks for.
        found.append(("runtime.resources.limits.memory", None))
    return found


def _capacity(value: Any, _: Given) -> Put:
    kinds = [ours for theirs, ours in (("spot", "spot"), ("onDemand", "on-demand")) if _map(value).get(theirs, True)]
    if not kinds:
        raise Unusable("without Spot and On-Demand there are no nodes")
    return [("nodes.capacityTypes", kinds)]


def _limits(value: Any, _: Given) -> Put:
    return [("nodes.limits", _texts(value))]


def _consolidation(value: Any, _: Given) -> Put:
    return [("nodes.consolidationPolicy", "WhenEmptyOrUnderutilized" if value else "WhenEmpty")]


def _instance_store(value: Any, _: Given) -> Put:
    return [("nodes.instanceStore", value == "RAID0")]


def _user_data(value: Any, _: Given) -> Put:
    if "soci" in str(value):
        return [("imageCache.mode", "soci")]
    return [("nodes.bottlerocketSettings", str(value))]


def _persistence(value: Any, _: Given) -> Put:
    return [] if value else [("models.mode", "none")]


def _claim(value: Any, _: Given) -> Put:
    return [("models.mode", "claim"), ("models.claimName", value)]


_SET_BY_THE_CHART = {
    "AWS_DEFAULT_REGION", "SQS_QUEUE_URL", "SNS_TOPIC_ARN", "S3_BUCKET", "RUNTIME_NAME", "RUNTIME_TYPE", "API_BASE_URL",
    "DYNAMIC_SD_MODEL",
}  # fmt: skip
_NODES, _API, _AGENT, _KEPT = (
    "karpenter.nodeTemplate",
    "runtime.inferenceApi",
    "runtime.queueAgent",
    "runtime.persistence",
)

RULES: dict[str, Rule] = {
    "global.awsRegion": _no(_TERRAFORM),
    "global.stackName": _no("it named a stack of CloudFormation"),
    "global.runtime": _to("runtime.name", str),
    "karpenter.provisioner.labels": _to("nodes.labels", _texts),
    "karpenter.provisioner.annotations": _no("nodes have labels, and no annotations of the chart's"),
    "karpenter.provisioner.capacityType": _capacity,
    "karpenter.provisioner.instanceType": _to("nodes.instanceTypes"),
    "karpenter.provisioner.extraRequirements": _to("nodes.requirements"),
    "karpenter.provisioner.extraTaints": _to("nodes.taints"),
    "karpenter.provisioner.resourceLimits": _limits,
    "karpenter.provisioner.consolidation": _consolidation,
    "karpenter.provisioner.disruption.consolidateAfter": _to("nodes.consolidateAfter", str),
    "karpenter.provisioner.disruption.expireAfter": _to("nodes.expireAfter", str),
    f"{_NODES}.instanceProfile": _no("Karpenter makes the profile of the role `nodes.role`, which Terraform names"),
    f"{_NODES}.iamRole": _no(_TERRAFORM),
    f"{_NODES}.securityGroupSelector": _no("security groups are found by the tag `nodes.discoveryTag`"),
    f"{_NODES}.subnetSelector": _no("subnets are found by the tag `nodes.discoveryTag`"),
    f"{_NODES}.tags": _to("nodes.tags", _texts),
    f"{_NODES}.amiFamily": _no("nodes run Bottlerocket, in the version `nodes.bottlerocketVersion`"),
    f"{_NODES}.instanceStorePolicy": _instance_store,
    f"{_NODES}.osVolume": _no("the system's volume holds nothing that grows; its size is fixed"),
    f"{_NODES}.dataVolume.volumeSize": _to("nodes.volume.size", str),
    f"{_NODES}.dataVolume.volumeType": _no("volumes are gp3"),
    f"{_NODES}.dataVolume.deleteOnTermination": _no("a node's volume goes with it"),
    f"{_NODES}.dataVolume.iops": _to("nodes.volume.iops", _number),
    f"{_NODES}.dataVolume.throughput": _to("nodes.volume.throughput", _number),
    f"{_NODES}.dataVolume.snapshotID": _no(
        "it holds the old images: `bottlerocket-snapshot build` makes one of the new, for `imageCache.snapshotID`"
    ),
    f"{_NODES}.userData": _user_data,
    "runtime.type": _type,
    "runtime.labels": _to("pod.labels", _texts),
    "runtime.annotations": _to("pod.annotations", _texts),
    "runtime.serviceAccountName": _no("the AWS role is bound to the runtime's name (EKS Pod Identity)"),
    "runtime.replicas": _replicas,
    "runtime.scaling.enabled": _scaling,
    "runtime.scaling.queueLength": _queue_length,
    "runtime.scaling.cooldownPeriod": _to("scaling.cooldownSeconds", _number),
    "runtime.scaling.maxReplicaCount": _only("scaling.maxReplicas", _number, scaled=True),
    "runtime.scaling.minReplicaCount": _only("scaling.minReplicas", _number, scaled=True),
    "runtime.scaling.pollingInterval": _to("scaling.pollingSeconds", _number),
    "runtime.scaling.scaleOnInFlight": _no("it stood where it had no effect; jobs at work always count here"),
    "runtime.scaling.extraHPAConfig": _to("scaling.behavior"),
    f"{_API}.image": _no(_IMAGE),
    f"{_API}.modelFilename": _checkpoint,
    f"{_API}.modelMountPath": _no("Darkroom's images look below `models.mountPath`"),
    f"{_API}.commandArguments": _arguments,
    f"{_API}.extraEnv": _runtime_environment,
    f"{_API}.imagePullPolicy": _to("runtime.image.pullPolicy"),
    f"{_API}.resources": _resources,
    f"{_AGENT}.image": _no("the agent is Darkroom's"),
    f"{_AGENT}.extraEnv": _agent_environment,
    f"{_AGENT}.dynamicModel": _only("runtime.dynamicModel", type="sdwebui"),
    f"{_AGENT}.imagePullPolicy": _to("agent.image.pullPolicy"),
    f"{_AGENT}.s3Bucket": _no(_TERRAFORM),
    f"{_AGENT}.snsTopicArn": _no(_TERRAFORM),
    f"{_AGENT}.sqsQueueUrl": _no(_TERRAFORM),
    f"{_AGENT}.resources": _no("this agent holds results in memory: its own `agent.resources` are made for that"),
    f"{_AGENT}.xray": _no(_TRACES),
    f"{_AGENT}.XRay": _no(_TRACES),
    f"{_KEPT}.enabled": _persistence,
    f"{_KEPT}.existingClaim": _claim,
    **{
        f"{_KEPT}.{name}": _no(_BUCKET)
        for name in ("existingVolume", "labels", "annotations", "storageClass", "size", "accessModes")
    },
    f"{_KEPT}.s3.enabled": _no(_BUCKET),
    f"{_KEPT}.s3.modelBucket": _no(
        "`storage.existing_models_bucket` of Terraform takes it over, and names it in `models.bucket`"
    ),
}
