"""Images with their digests and sizes, and what a set of them is called. Pure.

What is in a snapshot is told by its tags, so that the same images are found again: `darkroom:images` is a fingerprint
of all of them, `darkroom:image-<n>` names each with its digest. EC2 takes 50 tags, values of at most 256 characters
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .failures import Refused
from .references import Reference, Registry

MOST = 30  # images a snapshot; other tags need room beside theirs
_LONGEST_TAG = 256


@dataclass(frozen=True)
class Image:
    """An image that goes into a snapshot.

    `names` are what pods may call it, the first as it was given. `size` is in bytes as the registry keeps it, that is
    compressed; None if the registry does not tell.
    """

    names: tuple[str, ...]
    repository: str
    digest: str
    size: int | None

    @property
    def source(self) -> str:
        """What to pull: the digest, so that a tag that moves meanwhile changes nothing."""
        return f"{self.repository}@{self.digest}"


def image(reference: Reference, digest: str, size: int | None, also_in: Iterable[str] = ()) -> Image:
    """An image by what its registry told; `also_in` are regions to which ECR replicates it, under their own names."""
    # Kubelet leaves the tag out where there is a digest.
    pods = replace(reference, tag=None) if reference.digest else reference
    names = [str(pods)]
    if (ecr := pods.ecr) is not None:
        names += [str(replace(pods, registry=str(Registry(ecr.account, one, ecr.suffix)))) for one in also_in]
    return Image(tuple(dict.fromkeys(names)), f"{reference.registry}/{reference.repository}", digest, size)


def checked(images: Iterable[Image]) -> tuple[Image, ...]:
    """Images in an order of their own, each once.

    Raises:
        Refused: there are too many, or a name is too long for a tag.
    """
    found = tuple(sorted(set(images), key=lambda one: (one.names, one.digest)))
    if not 1 <= len(found) <= MOST:
        raise Refused(f"{len(found)} images: a snapshot takes 1 to {MOST}")
    for one in found:
        if len(told := _told(one)) > _LONGEST_TAG:
            raise Refused(
                f"image {one.names[0]}: {len(told)} characters with its digest; a tag of EC2 has {_LONGEST_TAG}"
            )
    return found


def fingerprint(images: Iterable[Image], arch: str) -> str:
    """What a set of images is called: the same for the same names and digests on the same architecture."""
    lines = sorted(f"{name} {one.digest}" for one in images for name in one.names)
    return hashlib.sha256("\n".join([arch, *lines]).encode()).hexdigest()


def image_tags(images: Iterable[Image]) -> dict[str, str]:
    """The tags that name each image, with its digest."""
    return {f"darkroom:image-{number}": _told(one) for number, one in enumerate(images)}


def _told(one: Image) -> str:
    return one.names[0] if one.names[0].endswith(one.digest) else f"{one.names[0]}@{one.digest}"
