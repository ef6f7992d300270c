"""A composition that runs: how to call Compose for it, and what of it there is."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from scripts.bootstrap import ROOT

from tests.images.engine import Engine


@dataclass(frozen=True)
class Composition:
    """One project of Compose on one engine; `url` is the jobs API's."""

    docker: Engine
    command: tuple[str, ...]
    project: str
    environ: dict[str, str]
    url: str

    def __call__(self, *arguments: str) -> str:
        """Run a command of Compose; what it printed.

        Raises:
            subprocess.CalledProcessError: with what it said, as a note.
        """
        # By its file: by a name alone, Compose would go by what runs, and not look at profiles.
        command = [*self.command, "--file", "docker-compose.yml", "--project-name", self.project, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            failure = subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
            failure.add_note((done.stdout + done.stderr)[-4000:])
            raise failure
        return done.stdout.strip()

    def containers(self) -> list[dict[str, Any]]:
        """Every container of it, running or not."""
        return [json.loads(line) for line in self("ps", "--all", "--format", "json").splitlines()]

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return next(str(one["Name"]) for one in self.containers() if one["Service"] == service)

    def down(self) -> None:
        """Take it down as the documentation says."""
        self("--profile", "*", "down")

    def volumes(self) -> list[str]:
        """Volumes of its containers. Those that an image asks for have no label, and outlive it."""
        names = [str(one["Name"]) for one in self.containers()]
        form = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Destination}} {{end}}{{end}}'
        return self.docker("container", "inspect", "--format", form, *names).split()

    def left(self) -> list[str]:
        """What of it the engine still has: containers, networks, volumes."""
        mine = f"label=com.docker.compose.project={self.project}"
        kinds = (("container", "--all"), ("network",), ("volume",))
        return [
            name
            for kind, *more in kinds
            for name in self.docker(kind, "ls", *more, "--quiet", "--filter", mine).split()
        ]
