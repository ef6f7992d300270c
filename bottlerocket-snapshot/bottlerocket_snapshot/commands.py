"""Shell commands for the instance's control container, which has SSM's agent. Pure.

`apiclient exec admin sheltie` runs one program on the host (https://bottlerocket.dev/en/os/latest/#/concepts/host-containers/).
"""

import shlex
from collections.abc import Iterable

from .images import Image

_HOST = "apiclient exec admin sheltie"
_CTR = f"{_HOST} ctr --address /run/containerd/containerd.sock --namespace k8s.io"


def guard_command(seconds: int) -> list[str]:
    """The instance ends itself after so long, should the builder be gone by then: its shutdown terminates it."""
    return [f"sleep {seconds}", f"{_HOST} systemctl poweroff"]


def prepare_commands() -> list[str]:
    """Once the admin container runs, the kubelet goes: without a cluster it would only remove images."""
    waiting = "for try in $(seq 60); do apiclient exec admin true && break; sleep 2; done"
    return ["set -e", waiting, f"{_HOST} systemctl stop kubelet"]


def pull_commands(image: Image) -> list[str]:
    """Pull an image as kubelet would, and name it as pods do.

    `host-ctr` is Bottlerocket's own, with which it pulls its containers: it logs in to ECR with the instance's role, so
    that no token goes through SSM, whose history many may read.
    """
    label = "--label io.cri-containerd.image=managed"
    pull = f"{_HOST} host-ctr --containerd-socket /run/containerd/containerd.sock --namespace k8s.io pull-image {label}"
    names = [name for name in image.names if name != image.source]
    tags = [f"{_CTR} images tag --force {shlex.quote(image.source)} {shlex.quote(name)}" for name in names]
    return ["set -e", f"{pull} --source {shlex.quote(image.source)}", *tags]


def check_commands() -> list[str]:
    """Print the names of the images that are whole and unpacked, one a line."""
    return [f"{_CTR} images check --quiet"]


def missing(images: Iterable[Image], printed: str) -> list[str]:
    """Names that `check_commands` did not print."""
    there = {line.strip() for line in printed.splitlines()}
    return [name for one in images for name in one.names if name not in there]
