"""An installation's folder: what its owner writes, and what is written beside it."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the files of an installation are; `charts` are those that are installed.

    Its owner's are main.tf, terraform.tfvars and the like, `models.txt`, and `values/platform.yaml` and
    `values/<runtime>.yaml`, which Helm gets last. Everything in `.darkroom` can be made again.
    """

    folder: Path
    charts: Path = field(default=ROOT / "charts")

    @property
    def work(self) -> Path:
        """What is written: plans, values from Terraform, the way into the cluster."""
        return self.folder / ".darkroom"

    @property
    def plan(self) -> Path:
        """The plan that is shown, and then applied as it was shown."""
        return self.work / "terraform.tfplan"

    @property
    def kubeconfig(self) -> Path:
        """The way into this cluster, and no other: the user's own file is left alone."""
        return self.work / "kubeconfig"

    @property
    def models(self) -> Path:
        """The list of models to put into the bucket."""
        return self.folder / "models.txt"

    @property
    def helm_environment(self) -> dict[str, str]:
        """Repositories are this installation's, so that nobody's own list is changed."""
        return {
            "HELM_REPOSITORY_CONFIG": str(self.work / "helm" / "repositories.yaml"),
            "HELM_REPOSITORY_CACHE": str(self.work / "helm" / "repositories"),
        }

    def chart(self, release: str) -> Path:
        """Chart of a release: `platform`, or a runtime's name."""
        return self.charts / ("platform" if release == "platform" else "runtime")

    def made_values(self, release: str) -> Path:
        """Values that Terraform and the images' digests give a release."""
        return self.work / "values" / f"{release}.yaml"

    def own_values(self, release: str) -> Path:
        """Values that the owner gives a release; the file need not be there."""
        return self.folder / "values" / f"{release}.yaml"

    def write(self, path: Path, text: str) -> Path:
        """Write a file of `.darkroom`, for its owner's eyes alone; its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(text)
        return path

    def forget(self) -> None:
        """Remove `.darkroom`."""
        shutil.rmtree(self.work, ignore_errors=True)
