"""The command lines of other programs that a deployment runs, each in one place. Pure.

A test looks every program, subcommand and flag up in that program's own help.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .installation import ROOT, Installation

PLATFORM_MINUTES, LEAVING_MINUTES, SMOKE_MINUTES = 15, 30, 40
_PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments; `environ` is beside this process's own. `given` goes to its standard input."""

    words: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    given: str = field(default="", repr=False)

    def __str__(self) -> str:
        """As a person would type it; what is given to its standard input is nobody's to see."""
        return " ".join(word if word.strip() == word and " " not in word else f"'{word}'" for word in self.words)


def _command(*words: str | Path, environ: Mapping[str, str] | None = None, given: str = "") -> Command:
    return Command(tuple(map(str, words)), environ or {}, given)


def terraform(at: Installation, *words: str | Path) -> Command:
    """Terraform in the installation's folder."""
    return _command("terraform", f"-chdir={at.folder}", *words)


def terraform_init(at: Installation, mirror: Path | None = None) -> Command:
    """Provider and modules; from a mirror on this machine, if one is named."""
    return terraform(at, "init", "-input=false", "-no-color", *([f"-plugin-dir={mirror}"] if mirror else []))


def terraform_plan(at: Installation, *, destroy: bool = False) -> Command:
    """A plan, kept. Status 2: something is to be changed."""
    words = ("plan", "-input=false", "-no-color", "-detailed-exitcode", f"-out={at.plan}")
    return terraform(at, *words, *(["-destroy"] if destroy else []))


def terraform_show(at: Installation) -> Command:
    """The plan that was kept, as JSON."""
    return terraform(at, "show", "-json", at.plan)


def terraform_apply(at: Installation) -> Command:
    """Apply the plan that was shown; a line of JSON for each thing that happens."""
    return terraform(at, "apply", "-input=false", "-json", at.plan)


def terraform_output(at: Installation) -> Command:
    """Every output, as JSON."""
    return terraform(at, "output", "-json")


def terraform_state(at: Installation) -> Command:
    """Everything that Terraform knows of, as JSON."""
    return terraform(at, "show", "-json")


def terraform_forget(at: Installation, addresses: list[str]) -> Command:
    """Leave resources as they are, and know them no more."""
    return terraform(at, "state", "rm", *addresses)


def lambda_zip() -> Command:
    """The zip of both functions."""
    return _command(_PYTHON, "-m", "scripts.lambda_zip")


def registry_login(engine: str, registry: str, password: str) -> Command:
    """Let the engine push; the password goes by its standard input."""
    return _command(engine, "login", "--username", "AWS", "--password-stdin", registry, given=password)


def image_build(engine: str, name: str) -> Command:
    """Build one image: for x86-64, as GPU nodes are, whatever this machine is."""
    return _command(_PYTHON, "-m", "scripts.images", name, "--engine", engine, "--platform", "linux/amd64")


def image_tag(engine: str, local: str, remote: str) -> Command:
    """Give an image the name that it has in the registry."""
    return _command(engine, "tag", local, remote)


def image_push(engine: str, remote: str) -> Command:
    """Push it."""
    return _command(engine, "push", remote)


def kubeconfig(at: Installation, cluster: str, region: str) -> Command:
    """Write the way into the cluster."""
    words = ("--name", cluster, "--region", region, "--kubeconfig", at.kubeconfig, "--alias", cluster)
    return _command("aws", "eks", "update-kubeconfig", *words)


def kubectl(at: Installation, *words: str) -> Command:
    """Kubectl in the installation's cluster."""
    return _command("kubectl", f"--kubeconfig={at.kubeconfig}", *words)


def cluster_answers(at: Installation) -> Command:
    """Whether the cluster's API answers, and lets us in."""
    return kubectl(at, "get", "namespaces", "--output=name", "--request-timeout=20s")


def nodes_of_karpenter(at: Installation) -> Command:
    """The nodes that Karpenter has started."""
    return kubectl(at, "get", "nodeclaims.karpenter.sh", "--output=name", "--ignore-not-found")


def nodes_gone(at: Installation) -> Command:
    """Wait until none of them is left."""
    minutes = f"--timeout={LEAVING_MINUTES}m"
    return kubectl(at, "wait", "--for=delete", "nodeclaims.karpenter.sh", "--all", minutes)


def helm(at: Installation, *words: str | Path) -> Command:
    """Helm in the installation's cluster."""
    return _command("helm", *words, f"--kubeconfig={at.kubeconfig}", environ=at.helm_environment)


def helm_repository(at: Installation, name: str, url: str) -> Command:
    """Make a repository of charts known."""
    return _command("helm", "repo", "add", "--force-update", name, url, environ=at.helm_environment)


def helm_dependencies(at: Installation) -> Command:
    """Fetch the platform's charts, in the versions of Chart.lock."""
    return _command("helm", "dependency", "build", at.chart("platform"), environ=at.helm_environment)


def _release(at: Installation, name: str, namespace: str) -> list[str | Path]:
    own = at.own_values(name)
    values = [at.made_values(name), *([own] if own.exists() else [])]
    words: list[str | Path] = ["upgrade", "--install", name, at.chart(name), "--namespace", namespace]
    words += ["--create-namespace", *(word for path in values for word in ("--values", path))]
    # Karpenter's chart brings its CRDs a second time, in a folder that Helm never upgrades.
    return [*words, "--skip-crds"] if name == "platform" else words


def helm_render(at: Installation, name: str, namespace: str) -> Command:
    """What an upgrade would make of the release, without doing it."""
    return helm(at, *_release(at, name, namespace), "--dry-run=server", "--output", "json")


def helm_upgrade(at: Installation, name: str, namespace: str) -> Command:
    """Install a release or bring it up to date. The platform is waited for: runtimes need its CRDs and its scaling."""
    wait = ["--wait", f"--timeout={PLATFORM_MINUTES}m"] if name == "platform" else []
    return helm(at, *_release(at, name, namespace), *wait)


def helm_status(at: Installation, name: str, namespace: str) -> Command:
    """A release's state, its manifest and the runs of its tests."""
    return helm(at, "status", name, "--namespace", namespace, "--output", "json")


def helm_list(at: Installation, namespace: str) -> Command:
    """Every release of a namespace, in whatever state."""
    states = ("--deployed", "--failed", "--pending", "--uninstalling", "--superseded")
    return helm(at, "list", "--namespace", namespace, *states, "--output", "json")


def helm_rollback(at: Installation, name: str, namespace: str) -> Command:
    """Back to the revision before."""
    return helm(at, "rollback", name, "--namespace", namespace)


def helm_uninstall(at: Installation, name: str, namespace: str) -> Command:
    """Take a release away, and wait until its objects are gone: jobs that run are finished."""
    return helm(at, "uninstall", name, "--namespace", namespace, "--wait", f"--timeout={LEAVING_MINUTES}m")


def helm_test(at: Installation, name: str, namespace: str) -> Command:
    """Send the release's smoke job."""
    return helm(at, "test", name, "--namespace", namespace, f"--timeout={SMOKE_MINUTES}m")


def smoke_log(at: Installation, name: str, namespace: str) -> Command:
    """What the smoke job said."""
    return kubectl(at, "logs", f"pod/{name}-smoke", "--namespace", namespace, "--tail=20")


def add_model(bucket: str, region: str, source: str, key: str, sha256: str) -> Command:
    """Put a model into the bucket; what is there already is not sent again."""
    environ = {"DARKROOM_REGION": region}
    words = ("models", "add", source, "--as", key, "--sha256", sha256, "--bucket", bucket)
    return _command(ROOT / ".venv" / "bin" / "darkroom", *words, environ=environ)
