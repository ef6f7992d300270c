"""Digests, sizes and architectures of images, as ECR tells them."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .aws import Aws
from .failures import Refused
from .images import Image, checked, image
from .references import Reference, parse

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef

# Those of one platform, and lists of such (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html).
_KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_PLATFORMS = {"x86_64": "amd64", "arm64": "arm64"}


def resolve(aws: Aws, texts: Iterable[str], also_in: Sequence[str] = ()) -> tuple[Image, ...]:
    """The images of these names.

    Raises:
        Refused: a name is wrong, or has no digest where no ECR can tell it.
        ClientError: ECR does not know one.
    """
    references = [parse(text) for text in texts]  # all are read before any is asked for
    return checked([_resolve(aws, one, also_in) for one in references])


def _resolve(aws: Aws, reference: Reference, also_in: Sequence[str]) -> Image:
    ecr = reference.ecr
    if ecr is None:
        if reference.digest is None:
            raise Refused(f"image {reference}: its registry is not asked for digests, so name it with one (…@sha256:…)")
        return image(reference, reference.digest, None, also_in)
    asked: ImageIdentifierTypeDef = (
        {"imageDigest": reference.digest} if reference.digest else {"imageTag": reference.tag or ""}
    )
    answer = aws.ecr_in(ecr.region).describe_images(
        registryId=ecr.account, repositoryName=reference.repository, imageIds=[asked]
    )
    [detail] = answer["imageDetails"]
    return image(reference, detail["imageDigest"], detail.get("imageSizeInBytes"), also_in)


def check_architecture(aws: Aws, images: Iterable[Image], arch: str) -> None:
    """See that images can run on the nodes, before an instance is paid for.

    Those of other registries, and those that are of one platform, are left to the pull: which one it is does not stand
    in the manifest.

    Raises:
        Refused: one has no manifest for this architecture.
    """
    for one in images:
        reference = parse(one.source)
        if (ecr := reference.ecr) is None:
            continue
        found = aws.ecr_in(ecr.region).batch_get_image(
            registryId=ecr.account,
            repositoryName=reference.repository,
            imageIds=[{"imageDigest": one.digest}],
            acceptedMediaTypes=_KINDS,
        )["images"]
        there = {platform for manifest in found for platform in _platforms(manifest["imageManifest"])}
        if there and _PLATFORMS[arch] not in there:
            raise Refused(
                f"image {one.names[0]} is for {', '.join(sorted(there))}, not for {_PLATFORMS[arch]}: "
                "build it for that platform, or give another --arch"
            )


def _platforms(manifest: str) -> set[str]:
    """Architectures in a list of manifests; none of a manifest that is no list. Attestations are of `unknown`."""
    listed = json.loads(manifest).get("manifests", ())
    return {one.get("platform", {}).get("architecture", "unknown") for one in listed} - {"unknown"}
