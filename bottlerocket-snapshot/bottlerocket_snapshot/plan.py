"""What is built and how: the instance, its volumes, its tags and the commands it is given. Pure."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .failures import Refused
from .images import Image, fingerprint, image_tags

type Variant = Literal["cpu", "gpu"]

BUILD = "darkroom:snapshot-build"  # the tag of all that a build makes; its value is the build's id
EXPIRES = "darkroom:expires"  # when a build must be over, RFC 3339; what is older was left behind
IMAGES = "darkroom:images"  # the fingerprint of the images
ARCH = "darkroom:arch"
BOTTLEROCKET = "darkroom:bottlerocket"
KMS_KEY = "darkroom:kms-key"  # the key as it was named; what EC2 tells is an ARN, which an alias cannot be held against
NAME = "darkroom-image-snapshot"

KUBERNETES_VERSION = "1.35"
BOTTLEROCKET_VERSION = "1.50.0"  # the runtime chart's: what a newer containerd wrote, an older one need not read

# Unpacked, a CUDA image takes 2 to 2.5 times its compressed size, and containerd keeps the compressed layers, too.
_ON_DISK = 3.5
_HEAD_ROOM = 1.2
_BASE_GIB = 6  # Bottlerocket's own containers and logs
_LEAST_GIB = 20  # Bottlerocket's default
_MOST_GIB = 16384
_GRACE = timedelta(minutes=15)  # a question before the build and the removing after it take their time, too
_GIB = 1024**3

# Pulling is network and decompression: 8 CPUs, up to 10 or 12.5 Gbit/s; in every region, China included.
_INSTANCE_TYPES: dict[tuple[str, Variant], str] = {
    ("x86_64", "cpu"): "m6i.2xlarge",
    ("arm64", "cpu"): "m6g.2xlarge",
    ("x86_64", "gpu"): "g4dn.2xlarge",
    ("arm64", "gpu"): "g5g.2xlarge",
}

# The name override keeps Bottlerocket from asking EC2 for one, which would need a permission (and without it the
# instance never comes up); kubelet has no cluster to join here. The admin container reaches containerd.
_USER_DATA = """\
[settings.host-containers.admin]
enabled = true

[settings.kubernetes]
hostname-override = "snapshot"
"""


@dataclass(frozen=True)
class Wish:
    """What was asked for, apart from the images. Sizes in GiB; `None` leaves it to the plan, or to AWS."""

    profile: str
    arch: str = "x86_64"
    variant: Variant = "cpu"
    kubernetes: str = KUBERNETES_VERSION
    bottlerocket: str = BOTTLEROCKET_VERSION
    instance_type: str | None = None
    volume_gib: int | None = None
    subnet: str | None = None
    kms_key: str | None = None
    timeout: timedelta = timedelta(minutes=60)


@dataclass(frozen=True)
class Plan:
    """What is built. `build` is its id, `expires` when it must be over."""

    wish: Wish
    images: tuple[Image, ...]
    instance_type: str
    volume_gib: int
    build: str
    expires: datetime

    @property
    def bottlerocket(self) -> str:
        """Bottlerocket's version, without a `v`."""
        return self.wish.bottlerocket.removeprefix("v")

    @property
    def ami_parameter(self) -> str:
        """The public parameter of SSM that tells the AMI (https://bottlerocket.dev/en/os/latest/#/install/quickstart/aws/)."""
        variant = f"aws-k8s-{self.wish.kubernetes}" + ("-nvidia" if self.wish.variant == "gpu" else "")
        return f"/aws/service/bottlerocket/{variant}/{self.wish.arch}/{self.bottlerocket}/image_id"

    @property
    def fingerprint(self) -> str:
        """What the images are called together."""
        return fingerprint(self.images, self.wish.arch)

    @property
    def build_tags(self) -> dict[str, str]:
        """Tags of all that is made."""
        return {"Name": NAME, BUILD: self.build, EXPIRES: self.expires.isoformat(timespec="seconds")}

    @property
    def snapshot_tags(self) -> dict[str, str]:
        """Tags of the snapshot; it does not expire."""
        told = {"Name": NAME, BUILD: self.build, IMAGES: self.fingerprint, ARCH: self.wish.arch}
        key = {KMS_KEY: self.wish.kms_key} if self.wish.kms_key else {}
        return {**told, BOTTLEROCKET: self.bottlerocket, **key, **image_tags(self.images)}

    @property
    def user_data(self) -> str:
        """Bottlerocket's settings, TOML."""
        return _USER_DATA


def plan(wish: Wish, images: tuple[Image, ...], build: str, at: datetime) -> Plan:
    """The plan for these images.

    Raises:
        Refused: a wish cannot be met.
    """
    for text, wanted, pattern in (
        (wish.arch, "--arch x86_64 or arm64", "x86_64|arm64"),
        (wish.kubernetes, "--kubernetes 1.35", r"1\.[0-9]{2}"),
        (wish.bottlerocket, "--bottlerocket 1.50.0, or latest", r"latest|v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-f]{8})?"),
    ):
        if not re.fullmatch(pattern, text):
            raise Refused(f"{text!r} is not known: write {wanted}")
    kind = wish.instance_type or _INSTANCE_TYPES[wish.arch, wish.variant]
    return Plan(wish, images, kind, _volume(wish, images), build, at + wish.timeout + _GRACE)


def _volume(wish: Wish, images: Iterable[Image]) -> int:
    """GiB of the data volume."""
    sizes = [one.size for one in images]
    known = sum(size for size in sizes if size is not None)
    needed = max(_LEAST_GIB, math.ceil(known * _ON_DISK * _HEAD_ROOM / _GIB) + _BASE_GIB)
    if wish.volume_gib is None:
        if None in sizes:
            unknown = next(one for one in images if one.size is None)
            raise Refused(f"image {unknown.names[0]}: its registry tells no size, so give --volume-size (GiB)")
        if needed > _MOST_GIB:
            raise Refused(f"{needed} GiB for the images: a volume has at most {_MOST_GIB}")
        return needed
    if wish.volume_gib < needed:
        raise Refused(f"--volume-size {wish.volume_gib}: these images need {needed} GiB")
    return wish.volume_gib
