"""A snapshot copied to another region."""

from .aws import Aws
from .clock import Clock
from .failures import Refused, SnapshotError
from .leftovers import remove, snapshots, sought
from .plan import BUILD, KMS_KEY
from .snapshots import Snapshot, named, same, wait_completed
from .undo import Undo
from .watch import Watch


def copy(
    here: Aws, there: Aws, snapshot: str, kms_key: str | None, build: str, seconds: float,
    clock: Clock, watch: Watch, undo: Undo, *, force: bool = False,
) -> Snapshot:  # fmt: skip
    """Copy a snapshot; one like it over there is enough, unless `force`. `build` names the copy until it is done.

    Raises:
        Refused: it is the same region.
        SnapshotError: the snapshot is not complete, or the copy fails.
        NotFound: there is no such snapshot of images.
        TimedOut: it took too long.
    """
    if here.region == there.region:
        raise Refused(f"the snapshot is in {here.region} already")
    if here.partition != there.partition:
        raise Refused(
            f"{here.region} is in partition {here.partition}, {there.region} in {there.partition}: build it there"
        )
    source = named(here, snapshot)
    if source.state != "completed":
        raise SnapshotError(f"{snapshot} is {source.state}: only a completed one can be copied")
    found = None if force else same(there, source.fingerprint, source.bottlerocket, kms_key, source.size_gib)
    if found is not None:
        watch.tell(f"{found.id} in {there.region} has these images already")
        return found
    deadline = clock.deadline(seconds, f"the copy is not done after {seconds / 60:.0f} minutes (--timeout)")
    made: list[str] = []
    with undo:
        watch.step(f"copying {snapshot} to {there.region}")

        def delete() -> None:
            remove(there, "snapshot", made or sought(lambda: snapshots(there, build), clock), clock)

        step = undo.add(f"copy {build} in {there.region}", delete)
        made.append(_begin(here, there, source, kms_key, build))
        done = wait_completed(there, made[0], deadline, watch)
        undo.keep(step)
    return done


def _begin(here: Aws, there: Aws, source: Snapshot, kms_key: str | None, build: str) -> str:
    [raw] = here.ec2.describe_snapshots(SnapshotIds=[source.id])["Snapshots"]
    tags = {tag["Key"]: tag["Value"] for tag in raw["Tags"] if not tag["Key"].startswith("aws:")}
    own = {BUILD: build, **({KMS_KEY: kms_key} if kms_key else {})}
    tags = {key: value for key, value in tags.items() if key != KMS_KEY} | own
    answer = there.ec2.copy_snapshot(
        SourceRegion=here.region,
        SourceSnapshotId=source.id,
        Description=f"Copy of {source.id} of {here.region}",
        Encrypted=True,
        TagSpecifications=[
            {
                "ResourceType": "snapshot",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
        **({"KmsKeyId": kms_key} if kms_key else {}),  # type: ignore[arg-type]
    )
    return answer["SnapshotId"]
