"""charts/platform with its dependencies: Karpenter's own charts, and stand-ins made of the others' default values.

The other charts are published where a test should not need to go. A stand-in takes values as the chart does and shows
what it got in a config map, so that a test sees what Helm made of them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from scripts.go_tools import crds, module_folder

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "platform"
UPSTREAM = Path(__file__).parent / "upstream"
NAMESPACE = "darkroom-system"
# The least that an installation says, as Terraform's platform_values do.
LEAST: dict[str, Any] = {
    "global": {"clusterName": "darkroom", "region": "eu-west-1"},
    "karpenter": {"settings": {"clusterName": "darkroom", "interruptionQueue": "darkroom-interruption"}},
}
# As the charts of KEDA and of the collector use these values: the former puts its annotations on its CRDs, the latter
# writes its configuration as a template.
_SHOWN = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: stand-in-{name}{{{{ eq .Chart.Name "logs" | ternary "-logs" "" }}}}
data:
  values.json: {{{{ toJson .Values | quote }}}}
  {{{{- with .Values.alternateConfig }}}}
  relay: {{{{ tpl (toYaml .) $ | quote }}}}
  {{{{- end }}}}
"""

type Object = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The objects of a release, hooks included, and its notes."""

    objects: list[Object]
    notes: str

    def of(self, kind: str, name: str) -> Object:
        """The object of that kind and name; there must be just one."""
        (found,) = [one for one in self.objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
        return found

    def names(self, kind: str) -> set[str]:
        """Names of all objects of a kind."""
        return {one["metadata"]["name"] for one in self.objects if one["kind"] == kind}

    def given(self, dependency: str) -> Object:
        """The values that a stand-in got."""
        values: Object = json.loads(self.of("ConfigMap", f"stand-in-{dependency}")["data"]["values.json"])
        return values

    def collector(self, suffix: str = "") -> Object:
        """The collector's configuration, as it would read it; `-logs`: that of the one for logs."""
        text = self.of("ConfigMap", f"stand-in-opentelemetry-collector{suffix}")["data"]["relay"]
        config: Object = yaml.safe_load(text)
        return config


def dependencies() -> list[dict[str, str]]:
    """The dependencies of Chart.yaml."""
    read: list[dict[str, str]] = yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    return read


def assemble(folder: Path) -> Path:
    """Copy the chart into a folder, with all that `helm dependency build` would fetch.

    Raises:
        ToolUnavailable: Karpenter's or KEDA's sources cannot be had here.
    """
    chart = folder / "platform"
    shutil.copytree(CHART, chart)
    # One chart may be there several times, under aliases.
    for name, version in {one["name"]: one["version"] for one in dependencies()}.items():
        if name.startswith("karpenter"):
            _karpenter(chart / "charts" / name, version)
        else:
            _stand_in(chart / "charts" / name, version)
    return chart


def _karpenter(folder: Path, version: str) -> None:
    sources = module_folder("karpenter")
    # The module cache is read-only, and a copy of it too.
    shutil.copytree(sources / "charts" / folder.name, folder, copy_function=shutil.copyfile)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    about = yaml.safe_load((folder / "Chart.yaml").read_text())
    # Its release sets the number: the sources still have the one before.
    (folder / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": version, "appVersion": version}))
    if folder.name == "karpenter":
        # A link to the CRDs, which a module of Go does not hold.
        (folder / "crds").mkdir()
        for crd in crds("karpenter"):
            shutil.copyfile(crd, folder / "crds" / crd.name)


def _stand_in(folder: Path, version: str) -> None:
    templates = folder / "templates"
    templates.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": folder.name, "version": version}))
    shutil.copyfile(UPSTREAM / f"{folder.name}-{version}.yaml", folder / "values.yaml")
    (templates / "shown.yaml").write_text(_SHOWN.format(name=folder.name))
    if folder.name == "keda":
        for crd in crds("keda"):
            (templates / crd.name).write_text(_as_template(crd.read_text()))


def _as_template(crd: str) -> str:
    """A CRD that values annotate, as KEDA's chart does; braces in its descriptions are no template's."""
    ours = "{{- toYaml .Values.crds.additionalAnnotations | nindent 4 }}"
    return crd.replace("{{", "{{ `{{` }}").replace("\n  annotations:\n", f"\n  annotations:\n    {ours}\n", 1)


def helm_run(helm: Path, *arguments: str | Path, environ: Mapping[str, str] = {}) -> tuple[int, str]:
    """Run Helm; its status, and all that it said."""
    command = [str(helm), *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def values_file(chart: Path, *values: Mapping[str, Any]) -> Iterator[str]:
    """The arguments that give Helm these values, the last of them winning."""
    for number, one in enumerate(values):
        path = chart.parent / f"values-{number}.yaml"
        path.write_text(yaml.safe_dump(dict(one)))
        yield f"--values={path}"


def render(helm: Path, chart: Path, *values: Mapping[str, Any], namespace: str = NAMESPACE) -> Rendered:
    """What the chart makes of values.

    Raises:
        AssertionError: it refuses them; with what Helm says.
    """
    words = ("install", "platform", str(chart), f"--namespace={namespace}", "--dry-run=client", "--skip-crds")
    status, said = helm_run(helm, *words, "--output=json", *values_file(chart, *values))
    assert status == 0, said
    release = json.loads(said[said.index("{") :])
    hooks = [hook["manifest"] for hook in release.get("hooks") or ()]
    documents = yaml.load_all("\n---\n".join([release["manifest"], *hooks]), yaml.CSafeLoader)
    return Rendered([one for one in documents if one], release["info"]["notes"])
