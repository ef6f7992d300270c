"""The options of the commands."""

from typing import Annotated, Literal

import typer

Region = Annotated[str | None, typer.Option("--region", help="Region; else AWS_REGION, or the profile's.")]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of ~/.aws/config; else AWS_PROFILE.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, a value a line.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
PrintValues = Annotated[bool, typer.Option("--print-values", help="Print values for the runtime chart instead.")]

SnapshotId = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Id of a snapshot, snap-….")]
Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE...", help="Images, named as pods name them: ECR's by tag or digest, others by digest."
    ),
]

InstanceProfile = Annotated[
    str,
    typer.Option(
        help="Instance profile to pull with: `terraform output -raw snapshot_instance_profile_name`.",
        envvar="DARKROOM_SNAPSHOT_PROFILE",
    ),
]
Subnet = Annotated[str | None, typer.Option(help="Subnet with a way to AWS; else one of the default VPC's.")]
InstanceType = Annotated[str | None, typer.Option(help="Type of the instance; else one with 8 CPUs.")]
VolumeSize = Annotated[int | None, typer.Option(min=1, max=16384, help="GiB; else computed from the images' sizes.")]
ArchOption = Annotated[Literal["x86_64", "arm64"], typer.Option("--arch", help="Architecture of the nodes.")]
Gpu = Annotated[
    bool,
    typer.Option(
        "--gpu",
        help="Pull on Bottlerocket's NVIDIA variant, with a GPU. GPU nodes do not need it: images are the same.",
    ),
]
Kubernetes = Annotated[str, typer.Option(help="Kubernetes version of the nodes.")]
Bottlerocket = Annotated[str, typer.Option(help="Bottlerocket's version, or latest; not newer than the nodes'.")]
AlsoIn = Annotated[
    list[str] | None,
    typer.Option(metavar="REGION", help="Name images also as ECR's replicas in this region are named; repeatable."),
]
KmsKey = Annotated[str | None, typer.Option(help="KMS key that encrypts it; else the account's default for EBS.")]
FastRestore = Annotated[
    list[str] | None,
    typer.Option(
        "--fast-restore",
        metavar="ZONE",
        help="Switch on fast snapshot restore in this zone, once its price was agreed to; repeatable.",
    ),
]
BuildMinutes = Annotated[int, typer.Option("--timeout", min=5, max=720, help="Minutes for all of it.")]
CopyMinutes = Annotated[int, typer.Option("--timeout", min=5, max=2880, help="Minutes for all of it.")]
Force = Annotated[bool, typer.Option("--force", help="Build even if there is a snapshot with these images.")]
ForceCopy = Annotated[bool, typer.Option("--force", help="Copy even if there is one like it over there.")]

Keep = Annotated[int, typer.Option(min=1, help="How many to keep of each set of repositories and architecture.")]
To = Annotated[str, typer.Option("--to", metavar="REGION", help="Region to copy it to.")]
FastZones = Annotated[list[str], typer.Option("--zone", metavar="ZONE", help="Zone, such as eu-west-1a; repeatable.")]
Off = Annotated[bool, typer.Option("--off", help="Switch it off.")]
All = Annotated[bool, typer.Option("--all", help="Also what a build may still use: stops builds that are going on.")]
