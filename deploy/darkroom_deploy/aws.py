"""What is asked of AWS directly: who we are, quotas, images, buckets; and what its refusals mean."""

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from .failures import DeployError, NotAllowed, Refused
from .hints import hint

_ABSENT = {
    *("NoSuchEntity", "ImageNotFoundException", "RepositoryNotFoundException", "ResourceNotFoundException"),
    *("NoSuchBucket", "NoSuchResourceException", "404"),
}  # fmt: skip
_DELETED_AT_ONCE = {"bucket": 1000, "repository": 100}  # as S3 and ECR take them


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: account, partition, and the role or user that EKS knows (not the session)."""

    account: str
    partition: str
    arn: str


class Aws:
    """One account in one region, with the caller's own credentials."""

    def __init__(self, region: str | None = None) -> None:
        """Without a region that of the environment or the profile."""
        with aws_call():
            # boto3 itself reads AWS_DEFAULT_REGION alone; Terraform and the AWS CLI take AWS_REGION first.
            self._session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
            if not self._session.region_name:
                raise NoRegionError
        self.region: str = self._session.region_name
        self._clients: dict[str, Any] = {}

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 6})
            self._clients[service] = self._session.client(service, config=config)  # type: ignore[call-overload]
        return self._clients[service]

    def caller(self) -> Caller:
        """Who we are.

        Raises:
            NotAllowed: there are no credentials, or they are no longer good.
        """
        with aws_call():
            told = self._client("sts").get_caller_identity()
        arn: str = told["Arn"]
        partition = arn.split(":")[1]
        if ":assumed-role/" in arn:
            arn = self._role_arn(arn.split("/")[1], f"arn:{partition}:iam::{told['Account']}:role")
        return Caller(told["Account"], partition, arn)

    def _role_arn(self, role: str, otherwise: str) -> str:
        # The session's name has lost the role's path, which EKS wants.
        try:
            arn: str = self._client("iam").get_role(RoleName=role)["Role"]["Arn"]
        except (ClientError, BotoCoreError):
            return f"{otherwise}/{role}"
        return arn

    def quota(self, code: str) -> float:
        """A quota of EC2 in vCPUs, as it is applied to the account."""
        quotas = self._client("service-quotas")
        with aws_call():
            try:
                found = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)
            except ClientError as error:
                if code_of(error) not in _ABSENT:
                    raise
                found = quotas.get_aws_default_service_quota(ServiceCode="ec2", QuotaCode=code)
        return float(found["Quota"]["Value"])

    def denied(self, arn: str, actions: Sequence[str]) -> list[str]:
        """Those of the actions that the identity may not do, by IAM's simulator (which knows no organisation's rules).

        Raises:
            NotAllowed: it may not ask.
        """
        with aws_call():
            pages = self._client("iam").get_paginator("simulate_principal_policy")
            answers = [
                one
                for page in pages.paginate(PolicySourceArn=arn, ActionNames=list(actions))
                for one in page["EvaluationResults"]
            ]
        return [one["EvalActionName"] for one in answers if one["EvalDecision"] != "allowed"]

    def vcpus(self, types: Sequence[str]) -> dict[str, int]:
        """Instance type → its vCPUs."""
        with aws_call():
            pages = self._client("ec2").get_paginator("describe_instance_types")
            listed = [one for page in pages.paginate(InstanceTypes=list(types)) for one in page["InstanceTypes"]]
        return {one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for one in listed}

    def image_digest(self, repository: str, tag: str) -> str | None:
        """Digest of an image in ECR, if it is there."""
        with aws_call():
            try:
                found = self._client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
        digest: str = found["imageDetails"][0]["imageDigest"]
        return digest

    def registry_password(self) -> str:
        """The password of user AWS at the registry, good for twelve hours."""
        with aws_call():
            (given,) = self._client("ecr").get_authorization_token()["authorizationData"]
        return base64.b64decode(given["authorizationToken"]).decode().partition(":")[2]

    def model_digest(self, bucket: str, key: str) -> str | None:
        """SHA-256 of a model in the bucket, as `darkroom models` keeps it; None if it is not there."""
        with aws_call():
            try:
                found = self._client("s3").head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
        digest: str | None = found["Metadata"].get("sha256")
        return digest

    def cluster_status(self, name: str) -> str | None:
        """A cluster's state, `ACTIVE` for one that works; None if there is none."""
        with aws_call():
            try:
                found = self._client("eks").describe_cluster(name=name)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
        status: str = found["cluster"]["status"]
        return status

    def nodes_left(self, cluster: str) -> list[str]:
        """Instances that Karpenter started for a cluster and that still run."""
        filters = [
            {"Name": f"tag:kubernetes.io/cluster/{cluster}", "Values": ["owned"]},
            {"Name": "tag-key", "Values": ["karpenter.sh/nodepool"]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
        ]
        with aws_call():
            pages = self._client("ec2").get_paginator("describe_instances").paginate(Filters=filters)
            return [one["InstanceId"] for page in pages for group in page["Reservations"] for one in group["Instances"]]

    def objects(self, bucket: str, at_most: int = 1000) -> int:
        """How many objects and old versions a bucket holds; it is not counted beyond `at_most`."""
        with aws_call():
            try:
                page = self._client("s3").list_object_versions(Bucket=bucket, MaxKeys=at_most)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return 0
                raise
        return len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))

    def empty_bucket(self, bucket: str) -> None:
        """Delete every version of every object."""
        s3 = self._client("s3")
        with aws_call():
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                if keys:
                    wrong = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors")
                    if wrong:
                        raise DeployError(f"s3://{bucket}/{wrong[0]['Key']} was not deleted: {wrong[0]['Message']}")

    def images(self, repository: str) -> list[str]:
        """Digests of a repository's images."""
        with aws_call():
            try:
                pages = self._client("ecr").get_paginator("list_images").paginate(repositoryName=repository)
                return sorted({one["imageDigest"] for page in pages for one in page["imageIds"]})
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return []
                raise

    def empty_repository(self, repository: str) -> None:
        """Delete every image of a repository."""
        digests, most = self.images(repository), _DELETED_AT_ONCE["repository"]
        with aws_call():
            for start in range(0, len(digests), most):
                ids = [{"imageDigest": one} for one in digests[start : start + most]]
                self._client("ecr").batch_delete_image(repositoryName=repository, imageIds=ids)


def code_of(error: ClientError) -> str:
    """What AWS calls an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def aws_call() -> Iterator[None]:
    """Make what AWS refuses one of our failures.

    Raises:
        Refused: nothing says in which region.
        NotAllowed: no credentials, expired ones, or not enough of them.
        DeployError: anything else, after the client's own tries.
    """
    try:
        yield
    except NoRegionError as error:
        raise Refused("in which region? Set AWS_REGION, or a region in the profile (`aws configure`)") from error
    except ClientError as error:
        said = f"{error.operation_name}: {code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"
        advice = hint(said)
        message = f"{said}; {advice}" if advice else said
        raise (NotAllowed if _of_identity(said) else DeployError)(message) from error
    except BotoCoreError as error:
        said = str(error)
        advice = hint(said)
        message = f"AWS: {said}" + (f"; {advice}" if advice else "")
        raise (NotAllowed if _of_identity(said) else DeployError)(message) from error


def _of_identity(said: str) -> bool:
    words = ("credential", "Token", "token", "profile", "SignatureDoesNotMatch", "AccessDenied", "Unauthorized", "SSO")
    return any(word in said for word in words)
