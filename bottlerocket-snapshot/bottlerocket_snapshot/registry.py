"""Digests and sizes of images, as ECR tells them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .aws import Aws
from .failures import Refused
from .images import Image, checked, image
from .references import Reference, parse

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef


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
