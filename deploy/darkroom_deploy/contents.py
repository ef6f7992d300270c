"""What would be lost with an installation: buckets and repositories. Pure, from Terraform's state."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_KINDS = {"aws_s3_bucket": "bucket", "aws_ecr_repository": "repository"}


@dataclass(frozen=True, slots=True)
class Holder:
    """A bucket or a repository; `addresses` are those of all in Terraform's state that belongs to it."""

    kind: str
    name: str
    addresses: tuple[str, ...]


def holders(state: str) -> tuple[Holder, ...]:
    """Buckets and repositories in `terraform show -json`."""
    root = json.loads(state or "{}").get("values", {}).get("root_module", {})
    resources = [one for one in _resources(root) if one["mode"] == "managed"]
    return tuple(
        _holder(kind, str(found["values"].get("bucket") or found["values"].get("name")), resources)
        for found in resources
        if (kind := _KINDS.get(found["type"])) is not None
    )


def _holder(kind: str, name: str, resources: Sequence[Mapping[str, Any]]) -> Holder:
    parts = [one for one in resources if name in _belongs_to(kind, one)]
    # Without the key that encrypts it, what is kept could not be read any more.
    said = json.dumps([one["values"] for one in parts])
    arns = {one["values"]["arn"] for one in resources if one["type"] == "aws_kms_key" and one["values"]["arn"] in said}
    ids = {arn.rpartition("/")[2] for arn in arns}
    keys = [
        one
        for one in resources
        if (one["type"] == "aws_kms_key" and one["values"]["arn"] in arns)
        or (one["type"] == "aws_kms_alias" and one["values"]["target_key_id"] in ids | arns)
    ]
    return Holder(kind, name, tuple(sorted(one["address"] for one in (*parts, *keys))))


def _belongs_to(kind: str, resource: Mapping[str, Any]) -> set[Any]:
    """What a resource names as its bucket or repository: access rules must stay with what is kept."""
    values = resource["values"]
    if kind == "bucket":
        return {values.get("bucket")} if resource["type"].startswith("aws_s3_") else set()
    if resource["type"] == "aws_ecr_repository":
        return {values.get("name")}
    return {values.get("repository")} if resource["type"].startswith("aws_ecr_") else set()


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)
