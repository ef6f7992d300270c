"""scripts/terraform.py: where Terraform and its provider come from."""

from pathlib import Path

import pytest
from scripts import terraform

# Finds the provider in a mirror alone, and writes down what it was asked.
_FAKE = """#!/bin/sh
echo "$@" >> {asked}
case "$*" in *-plugin-dir={mirror}*) exit 0 ;; esac
echo "the registry does not answer" >&2
exit 1
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Terraform that reaches no registry."""
    program = tmp_path / "terraform"
    program.write_text(_FAKE.format(asked=tmp_path / "asked", mirror=tmp_path / "opt/plugins"))
    program.chmod(0o755)
    monkeypatch.setenv("TERRAFORM", str(program))
    monkeypatch.setattr(terraform, "_PLACES", (tmp_path / "opt",))
    return tmp_path


def test_the_registry_is_asked_first_and_a_mirror_second(machine: Path) -> None:
    """A mirror is a folder that holds registry.terraform.io."""
    (machine / "opt/plugins/registry.terraform.io").mkdir(parents=True)
    terraform.init(machine)
    first, second = (machine / "asked").read_text().splitlines()
    assert "-plugin-dir" not in first
    assert second.endswith(f"-plugin-dir={machine / 'opt/plugins'}")


def test_without_a_mirror_the_registrys_words_are_told(machine: Path) -> None:
    """And nothing else is tried."""
    with pytest.raises(terraform.TerraformUnavailable, match="the registry does not answer"):
        terraform.init(machine)
    assert len((machine / "asked").read_text().splitlines()) == 1


def test_a_machine_without_terraform_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install it, or say where it is."""
    monkeypatch.delenv("TERRAFORM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(terraform.TerraformUnavailable, match=r"install version 1\.11 or newer, or set TERRAFORM"):
        terraform.program()
