"""What a deployment needs is looked for before anything is built, and all that is missing is told at once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from darkroom_deploy.aws import Aws, Caller
from darkroom_deploy.failures import Missing, NotAllowed, Refused
from darkroom_deploy.main import app
from darkroom_deploy.prerequisites import ACTIONS, Facts, Level, judge, version
from tests.deploy.account import Account, account

PROGRAMS = {
    "terraform": "Terraform v1.11.4\non linux_amd64",
    "helm": "v4.3.1",
    "kubectl": "Client Version: v1.35.4",
    "aws": "aws-cli/2.31.0 Python/3.13.7",
}
CALLER = Caller("000000000000", "aws", "arn:aws:iam::000000000000:role/deployer")
GOOD = {"L-DB2E81BA": 64.0, "L-3819A6DF": 64.0}


def facts(**more: object) -> Facts:
    told = {
        "programs": PROGRAMS,
        "engines": {"docker": "28.2.2"},
        "region": "eu-west-1",
        "caller": CALLER,
        "quotas": GOOD,
    }
    return Facts(**{**told, **more})  # type: ignore[arg-type]


def missing(given: Facts) -> dict[str, str]:
    """What is missing, and what is said of it."""
    return {one.what: f"{one.told}: {one.advice}" for one in judge(given) if one.level is Level.MISSING}


def test_nothing_is_missing() -> None:
    """Each prerequisite is told with what was found."""
    assert missing(facts()) == {}
    assert {one.what: one.told for one in judge(facts())}["helm"] == "4.3.1"


def test_all_that_is_missing_is_told_at_once() -> None:
    """Programs that are not there or too old, an engine that does not answer, credentials, variables."""
    told = missing(
        facts(
            programs={**PROGRAMS, "terraform": "Terraform v1.9.8", "helm": None},
            engines={"docker": None, "podman": None},
            caller="they have expired",
            unset=["your_network"],
        )
    )
    assert list(told) == ["terraform", "helm", "docker", "AWS credentials", "terraform.tfvars"]
    assert told["terraform"].startswith("1.9.8 is too old: install terraform 1.11 or newer: https://")
    assert told["helm"].startswith("it is not on PATH")
    assert "your_network" in told["terraform.tfvars"]


def test_podman_will_do() -> None:
    """Where no docker answers."""
    found = {one.what: one for one in judge(facts(engines={"docker": None, "podman": "5.2.0"}))}
    assert found["podman"].level is Level.GOOD


def test_quotas_of_gpus() -> None:
    """None at all ends it; one of Spot and On-Demand will do, and the other is told of."""
    told = missing(facts(quotas={}))
    assert "request-service-quota-increase --service-code ec2" in told["quota"]
    half = list(judge(facts(quotas={"L-DB2E81BA": 8.0})))
    assert [one.level for one in half if one.what == "quota"] == [Level.GOOD, Level.WARNING]
    assert missing(facts(quotas="AccessDenied")) == {}


def test_permissions_and_identity() -> None:
    """What is denied is named; where that may not be asked it is a warning; root cannot be an administrator."""
    assert "eks:CreateCluster" in missing(facts(denied=["eks:CreateCluster"]))["permissions"]
    (one,) = [one for one in judge(facts(denied="AccessDenied")) if one.what == "permissions"]
    assert one.level is Level.WARNING
    root = Caller("000000000000", "aws", "arn:aws:iam::000000000000:root")
    assert "identity" in missing(facts(caller=root))


@pytest.mark.parametrize(
    ("said", "found"),
    [("v4.3.1+gabc", (4, 3, 1)), ("go1.24", (1, 24)), ("no number", ()), ("aws-cli/1.45.11", (1, 45, 11))],
)
def test_versions_are_read(said: str, found: tuple[int, ...]) -> None:
    """Wherever they stand in what a program says."""
    assert version(said) == found


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    """An account that this process talks to, and no credentials but those for it."""
    with account() as held:
        for name, value in {
            **held.environment,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        yield held


def test_the_account_is_asked(there: Account) -> None:
    """The role with its path, as EKS knows it; quotas, and what the simulator denies."""
    there.denied.add("eks:CreateCluster")
    aws = Aws()
    assert aws.caller() == Caller("000000000000", "aws", "arn:aws:iam::000000000000:role/teams/deployer")
    assert aws.quota("L-3819A6DF") == 8
    assert aws.denied(CALLER.arn, ACTIONS) == ["eks:CreateCluster"]
    assert aws.vcpus(["g6.xlarge"]) == {"g6.xlarge": 4}
    assert aws.cluster_status("deployed") == "ACTIVE"
    there.cluster = None
    assert aws.cluster_status("deployed") is None
    assert aws.image_digest("deployed/agent", "1") is None
    assert aws.registry_password() == "the-registrys-password"


def test_expired_credentials_are_told_as_such(there: Account) -> None:
    """With what to do, and a status of its own."""
    there.expired = True
    with pytest.raises(NotAllowed, match=r"ExpiredToken.*sign in again"):
        Aws().caller()


def test_no_credentials_and_no_region(there: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what to set."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NotAllowed, match="credentials"):
        Aws().caller()
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(Refused, match="AWS_REGION"):
        Aws()


def test_up_makes_no_folder_before_the_check(there: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without programs or credentials nothing is known that could be filled in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(app, ["up", "--folder", str(tmp_path / "new")])
    assert isinstance(done.exception, Missing)
    assert not (tmp_path / "new").exists()


def test_the_check_ends_with_how_many_are_missing(
    there: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a machine without any program, in an account without a quota: a line for each, and nothing is started."""
    there.quotas = dict.fromkeys(there.quotas, 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "terraform.tfvars").write_text('region = "ap-south-1"\nyour_network = "FILL IN"\n')
    done = CliRunner().invoke(app, ["check", "--folder", str(tmp_path)])
    assert isinstance(done.exception, Missing)
    assert str(done.exception).startswith("8 prerequisites are missing")
    for name in ("terraform", "helm", "kubectl", "aws", "docker", "quota"):
        assert f"✗ {name}" in done.stderr
    assert "role/teams/deployer" in done.stderr
    assert "your_network: no value" in done.stderr
    # Quotas are those of the installation's region.
    assert re.search(r"region\s+ap-south-1", done.stderr)
