"""Run Terraform in a folder of terraform/, with its provider from the registry or from a mirror on this machine.

`python -m scripts.terraform terraform/modules/network test` initialises the folder if need be, then runs
`terraform test` there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

# Where Terraform looks by itself (its CLI configuration, ~/.terraform.d, the XDG data folders) is not repeated here.
_PLACES = (Path("/opt"), Path("/usr/local/share"), Path("/usr/share"))


class TerraformUnavailable(Exception):
    """Terraform or its provider cannot be had here; the message says why."""


def program() -> str:
    """Path of Terraform: `TERRAFORM` if it is set, else the one on PATH.

    Raises:
        TerraformUnavailable: there is none.
    """
    if found := os.environ.get("TERRAFORM") or shutil.which("terraform"):
        return found
    raise TerraformUnavailable("no terraform on PATH: install version 1.11 or newer, or set TERRAFORM to its path")


def run(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Terraform in a folder, with `environ` beside this process's own; the caller looks at status and output."""
    command = [program(), f"-chdir={folder}", *arguments]
    return subprocess.run(command, env=environment(environ or {}), capture_output=True, text=True, check=False)  # noqa: S603


def init(folder: Path, environ: Mapping[str, str] | None = None) -> None:
    """Initialise a folder: from the registry first, then from each mirror, without a backend.

    Raises:
        TerraformUnavailable: neither the registry nor a mirror has what the folder needs.
    """
    words = []
    for choice in ((), *((f"-plugin-dir={mirror}",) for mirror in mirrors())):
        done = run(folder, "init", "-backend=false", "-input=false", "-no-color", *choice, environ=environ)
        if done.returncode == 0:
            return
        words.append(done.stderr.strip())
    raise TerraformUnavailable(f"`terraform init` of {folder} found no provider:\n" + "\n".join(words))


def mirrors() -> Iterator[Path]:
    """Folders of this machine that are laid out as a mirror of the registry."""
    for place in _PLACES:
        for found in sorted(place.glob("*/registry.terraform.io")):
            yield found.parent


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment as Terraform is run with, with `more`."""
    # Terraform warns about a configuration file that is named and not there, in the midst of its output.
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", **more}
    if not Path(environ.get("TF_CLI_CONFIG_FILE", "")).is_file():
        environ.pop("TF_CLI_CONFIG_FILE", None)
    return environ


def main() -> None:
    """Initialise the folder that is named first, then run the rest of the line there."""
    if len(sys.argv) < 3:
        sys.exit("usage: python -m scripts.terraform FOLDER COMMAND…")
    folder = Path(sys.argv[1])
    try:
        init(folder)
        os.execve(program(), ["terraform", f"-chdir={folder}", *sys.argv[2:]], environment({}))  # noqa: S606
    except TerraformUnavailable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
