"""What is built, from what was asked for: names, fingerprints, sizes, commands, tags."""

import tomllib
from datetime import timedelta
from typing import Any

import pytest

from bottlerocket_snapshot import commands, images, plan
from bottlerocket_snapshot.failures import Refused
from bottlerocket_snapshot.images import Image, checked, fingerprint, image
from bottlerocket_snapshot.plan import Plan, Wish
from bottlerocket_snapshot.references import parse
from tests.unit.snapshot.world import AT, ECR

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
GB = 10**9


def _image(name: str = f"{ECR}/comfyui:1", digest: str = A, size: int | None = 5 * GB) -> Image:
    return image(parse(name), digest, size)


def _plan(*those: Image, **wish: Any) -> Plan:
    return plan.plan(Wish(profile="p", **wish), those or (_image(),), "b", AT)


@pytest.mark.parametrize(
    ("text", "repository", "ecr"),
    [
        (f"{ECR}/darkroom/comfyui:1.2", "darkroom/comfyui", "eu-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a:1", "a", "cn-north-1"),
        (f"public.ecr.aws/eks/pause:3.10@{A}", "eks/pause", None),
        (f"docker.io/library/python@{A}", "library/python", None),
        ("localhost:5000/a_b/c__d-e.f:V_1-x", "a_b/c__d-e.f", None),
    ],
)
def test_names_of_images_are_read(text: str, repository: str, ecr: str | None) -> None:
    """As pods name them; ECR tells account and region, in China too."""
    found = parse(text)
    assert (str(found), found.repository) == (text, repository)
    assert (found.ecr.region if found.ecr else None) == ecr


@pytest.mark.parametrize(
    "text",
    [
        *("", "python:3", "library/python:3", f"{ECR}/a", f"{ECR}/A:1", f"{ECR}/a:1 b", f"{ECR}/a:1;reboot"),
        *(f"{ECR}/a:$(id)", f"{ECR}/a@sha256:12", f"{ECR}/a:1\n", f"https://{ECR}/a:1", f"{ECR}/../a:1", f"-{ECR}/a:1"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """Nothing that could be more than a name reaches a shell; the message shows it."""
    with pytest.raises(Refused, match="image '"):
        parse(text)


def test_a_digest_is_the_name_where_there_is_one() -> None:
    """Kubelet leaves the tag out then."""
    assert _image(f"{ECR}/a:1@{A}").names == (f"{ECR}/a@{A}",)


def test_replicas_have_names_of_their_own() -> None:
    """ECR replicates to a registry of the same account; other registries have no replicas."""
    made = image(parse(f"{ECR}/a:1"), A, 1, ["eu-central-1", "eu-west-1"])
    assert made.names == (f"{ECR}/a:1", f"{ECR.replace('eu-west-1', 'eu-central-1')}/a:1")
    assert image(parse(f"quay.io/a@{A}"), A, 1, ["eu-central-1"]).names == (f"quay.io/a@{A}",)


def test_a_fingerprint_is_of_names_digests_and_architecture() -> None:
    """In any order; each of them changes it."""
    one, two = _image(), _image(f"{ECR}/agent:1", B)
    told = fingerprint([one, two], "x86_64")
    assert told == fingerprint([two, one], "x86_64")
    others = [
        fingerprint([one], "x86_64"),
        fingerprint([one, two], "arm64"),
        fingerprint([one, _image(f"{ECR}/agent:1", A)], "x86_64"),
        fingerprint([one, _image(f"{ECR}/agent:2", B)], "x86_64"),
    ]
    assert len({told, *others}) == 5


def test_an_image_named_twice_is_one() -> None:
    """So that a list made of many releases can be given as it is."""
    assert len(checked([_image(), _image()])) == 1


def test_what_tags_cannot_hold_is_refused() -> None:
    """EC2 has 50 tags of 256 characters."""
    with pytest.raises(Refused, match="31 images"):
        checked(_image(f"{ECR}/a:{number}") for number in range(images.MOST + 1))
    with pytest.raises(Refused, match="characters"):
        checked([_image(f"{ECR}/{'a' * 200}:1")])
    most = _plan(*checked(_image(f"{ECR}/a:{number}") for number in range(images.MOST)))
    assert len(most.snapshot_tags) <= 50
    assert all(len(value) <= 256 for value in most.snapshot_tags.values())


@pytest.mark.parametrize(("gigabytes", "gib"), [(0.1, 20), (5, 26), (9.35, 43), (50, 202)])
def test_the_volume_has_room_for_what_is_unpacked(gigabytes: float, gib: int) -> None:
    """3.5 times the compressed size and a fifth more, at least Bottlerocket's own 20 GiB."""
    assert _plan(_image(size=int(gigabytes * GB))).volume_gib == gib


def test_a_volume_may_be_larger_but_not_too_small() -> None:
    """The message says what is needed."""
    assert _plan(volume_gib=100).volume_gib == 100
    with pytest.raises(Refused, match="need 26 GiB"):
        _plan(volume_gib=25)


def test_an_unknown_size_needs_a_volume_size() -> None:
    """Nobody can compute with it."""
    unknown = _image(f"quay.io/a@{A}", size=None)
    with pytest.raises(Refused, match=r"quay\.io/a.*--volume-size"):
        _plan(unknown)
    assert _plan(unknown, volume_gib=50).volume_gib == 50


@pytest.mark.parametrize(
    ("wish", "parameter", "kind"),
    [
        ({}, "aws-k8s-1.35/x86_64/1.50.0", "m6i.2xlarge"),
        ({"bottlerocket": "latest"}, "aws-k8s-1.35/x86_64/latest", "m6i.2xlarge"),
        ({"arch": "arm64"}, "aws-k8s-1.35/arm64/1.50.0", "m6g.2xlarge"),
        ({"variant": "gpu", "kubernetes": "1.34"}, "aws-k8s-1.34-nvidia/x86_64/1.50.0", "g4dn.2xlarge"),
        ({"variant": "gpu", "arch": "arm64"}, "aws-k8s-1.35-nvidia/arm64/1.50.0", "g5g.2xlarge"),
        ({"bottlerocket": "v1.51.0", "instance_type": "c7i.large"}, "aws-k8s-1.35/x86_64/1.51.0", "c7i.large"),
    ],
)
def test_bottlerocket_is_as_wished(wish: dict[str, Any], parameter: str, kind: str) -> None:
    """Variant, architecture and version make the name of SSM's public parameter."""
    made = _plan(**wish)
    assert made.ami_parameter == f"/aws/service/bottlerocket/{parameter}/image_id"
    assert made.instance_type == kind


@pytest.mark.parametrize("wish", [{"arch": "riscv"}, {"kubernetes": "v1.35"}, {"bottlerocket": "1.50/../x"}])
def test_what_bottlerocket_has_not_is_refused(wish: dict[str, Any]) -> None:
    """Before anything is asked of AWS; the message shows how to write it."""
    with pytest.raises(Refused, match="write --"):
        _plan(**wish)


def test_user_data_is_bottlerockets() -> None:
    """TOML with the admin container, which alone reaches containerd."""
    data = tomllib.loads(_plan().user_data)
    assert data["settings"]["host-containers"]["admin"]["enabled"] is True


def test_tags_tell_what_is_in_it_and_until_when_the_rest_may_live() -> None:
    """A snapshot does not expire."""
    made = _plan(timeout=timedelta(minutes=30))
    assert made.build_tags["darkroom:expires"] == "2026-11-24T12:45:00+00:00"
    assert made.snapshot_tags["darkroom:image-0"] == f"{ECR}/comfyui:1@{A}"
    assert made.snapshot_tags["darkroom:images"] == made.fingerprint
    assert "darkroom:expires" not in made.snapshot_tags


def test_a_digest_that_is_the_name_needs_no_other() -> None:
    """What is pulled has that name by itself."""
    said = commands.pull_commands(_image(f"{ECR}/a@{A}"))
    assert len(said) == 2
    assert said[-1].endswith(f"--source {ECR}/a@{A}")


def test_names_that_are_not_there_are_missing() -> None:
    """All names of an image count."""
    two = image(parse(f"{ECR}/a:1"), A, 1, ["eu-central-1"])
    assert commands.missing([two], f"{ECR}/a:1\nx") == [two.names[1]]
    assert commands.missing([two], "\n".join(two.names)) == []
