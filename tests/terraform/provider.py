"""One process of the AWS provider that serves every `terraform test` of the session.

Terraform starts a provider for each run of a test, and asks it for its schema of 40 MB: nearly all the work of a test
whose provider is mocked. It takes a running one instead where TF_REATTACH_PROVIDERS names it
(https://developer.hashicorp.com/terraform/plugin/debugging).
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import terraform

from darkroom_local.tether import tethered

# It would write a megabyte of traces for each test, which nobody reads.
_SILENT = dict.fromkeys(("TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_PROVIDER"), "OFF")
_ADDRESS = re.compile(r"TF_REATTACH_PROVIDERS='(?P<value>.+)'")


@contextmanager
def running_provider(folder: Path) -> Iterator[dict[str, str]]:
    """The variable that names the running provider, of the version that `terraform init` chose for a folder.

    Only for mocked providers: a running one keeps the configuration of whoever gave it one.

    Raises:
        TerraformUnavailable: there is no provider, or it does not start.
    """
    terraform.init(folder)
    found = next(folder.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws*"))
    process = subprocess.Popen(
        tethered(found, "-debug"),
        env={**os.environ, **_SILENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            address = next((match for line in process.stdout if (match := _ADDRESS.search(line))), None)
            if address is None:
                raise terraform.TerraformUnavailable(f"{found} -debug ended with {process.wait()}")
            yield {"TF_REATTACH_PROVIDERS": address["value"]}
        finally:
            process.kill()
