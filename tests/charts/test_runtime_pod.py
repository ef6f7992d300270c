"""The pod of charts/runtime as a whole: its life, its safety, its names; and the predecessor's faults."""

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from darkroom_agent.settings import from_environ

from .runtime_chart import EXAMPLES, MINIMAL, Values, example, look, merged, render

# Names as long as they may be: 53 for a release, 63 for a runtime.
LONG = "r" * 63
MARK = "/run/darkroom/restart"

every_example = pytest.mark.parametrize(
    "values", [{}, *(example(path) for path in EXAMPLES)], ids=["least", *(path.stem for path in EXAMPLES)]
)


def test_the_agent_should_start_after_the_runtime_and_leave_before_it() -> None:
    """The runtime is a native sidecar with a startup probe; the agent is the main container."""
    made = render()
    assert made.runtime["restartPolicy"] == "Always"
    assert made.runtime["startupProbe"]
    assert [one["name"] for one in made.pod["containers"]] == ["agent"]


@pytest.mark.parametrize("kind", ["sdwebui", "comfyui", "openai"])
def test_each_type_should_be_asked_where_the_agent_asks(kind: str) -> None:
    """Port and path of the probe are those of the type."""
    made = render({"runtime": {"type": kind}})
    port = made.runtime["ports"][0]["containerPort"]
    assert made.environ["API_BASE_URL"] == f"http://127.0.0.1:{port}"
    path = {"sdwebui": "/sdapi/v1/options", "comfyui": "/queue", "openai": "/v1/models"}[kind]
    assert made.runtime["startupProbe"]["httpGet"] == {"path": path, "port": "api"}


@pytest.mark.parametrize(
    "values", [{}, *(example(path) for path in EXAMPLES)], ids=["least", *(p.stem for p in EXAMPLES)]
)
def test_the_agent_should_take_its_environment(values: Values) -> None:
    """What the chart sets is what the agent reads, with no contradiction."""
    made = render(values)
    settings = from_environ(made.environ)
    assert settings.mark_file == MARK
    assert settings.grace < made.pod["terminationGracePeriodSeconds"]


def test_the_mark_should_have_the_runtime_restarted(tmp_path: Path) -> None:
    """Both see one folder; the probe, run as it stands but for the folder, fails on the mark and on nothing else."""
    made = render()
    assert look(made, "runtime volumeMounts name=marks mountPath") == "/run/darkroom"
    assert look(made, "agent volumeMounts name=marks mountPath") == "/run/darkroom"
    assert made.environ["RUNTIME_MARK_FILE"] == MARK
    probe = made.runtime["livenessProbe"]
    command = [part.replace("/run/darkroom", str(tmp_path)) for part in probe["exec"]["command"]]
    assert subprocess.run(command, check=False).returncode == 0
    (tmp_path / "restart").write_text("wedged\n")
    assert subprocess.run(command, check=False).returncode != 0
    # The mark is no doubt: once is enough, and what hangs is not waited for.
    assert (probe["failureThreshold"], probe["terminationGracePeriodSeconds"]) == (1, 10)


@pytest.mark.parametrize(
    "values", [{}, *(example(path) for path in EXAMPLES)], ids=["least", *(p.stem for p in EXAMPLES)]
)
def test_every_container_should_have_no_rights(values: Values) -> None:
    """Not root, no privileges, no capabilities; the agent's root file system is read-only."""
    made = render(values)
    pods = [made.pod, made.one("Pod")["spec"], *(one["spec"]["template"]["spec"] for one in made.every("Deployment"))]
    for pod in pods:
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"] + pod.get("initContainers", []):
            rights = container["securityContext"]
            assert (rights["allowPrivilegeEscalation"], rights["capabilities"]) == (False, {"drop": ["ALL"]})
            assert rights.get("readOnlyRootFilesystem", False) == (container is not made.runtime)


def test_the_runtime_should_hold_no_credentials() -> None:
    """Custom nodes are others' code: neither the cluster's token nor AWS's is for them."""
    made = render()
    assert "token" not in {one["name"] for one in made.runtime["volumeMounts"]}
    annotations = made.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/skip-containers"] == "runtime"


def test_metadata_should_be_closed() -> None:
    """No rule lets a pod reach 169.254.169.254; credentials come from the Pod Identity agent's own address."""
    blocks = [to["ipBlock"] for rule in render().network["egress"] for to in rule.get("to", ()) if "ipBlock" in to]
    assert [one["cidr"] for one in blocks if one["cidr"].startswith("169.254.")] == ["169.254.170.23/32"]
    everywhere = next(one for one in blocks if one["cidr"] == "0.0.0.0/0")
    assert "169.254.0.0/16" in everywhere["except"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= set(everywhere["except"])


def test_names_should_fit_at_their_longest() -> None:
    """63 characters for a runtime; labels hold no more, and nothing is cut."""
    made = render({"runtime": {"name": LONG, "files": {"/a": "b"}}, "headroom": {"replicas": 1}}, release="x" * 53)
    for one in made.objects:
        assert len(one["metadata"]["name"]) <= 253
        assert LONG in one["metadata"]["name"]
        labels = one["metadata"]["labels"] | look_labels(one)
        assert all(len(value) <= 63 for value in labels.values())


def look_labels(one: dict[str, object]) -> dict[str, str]:
    """Labels of an object's pods, if it has any."""
    spec = one.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    return dict(template["metadata"].get("labels", {})) if template else {}


def test_files_should_be_mounted_and_roll_the_pods() -> None:
    """Each at its path; two of the same name do not meet; another content makes other pods."""
    files = {"/etc/a/config.json": '{"x": "{{ .Values }}"}\n', "/etc/b/config.json": "2"}
    made = render({"runtime": {"files": files}})
    other = render({"runtime": {"files": {**files, "/etc/b/config.json": "3"}}})
    mounts = {one["mountPath"]: one["subPath"] for one in made.runtime["volumeMounts"] if one["name"] == "files"}
    data = made.one("ConfigMap")["data"]
    assert {path: data[key] for path, key in mounts.items()} == files
    assert look(made, "pod volumes name=files configMap name") == made.one("ConfigMap")["metadata"]["name"]
    mark = "Deployment spec template metadata annotations darkroom/files"
    assert look(made, mark) != look(other, mark)


def test_another_bucket_should_be_another_volume() -> None:
    """A volume cannot be changed once it is there: pods move to a new one."""
    name = "PersistentVolume metadata name"
    names = {
        look(render(values), name) for values in ({}, {"models": {"prefix": "a/"}}, {"models": {"bucket": "others"}})
    }
    assert len(names) == 3
    made = render()
    assert look(made, "PersistentVolume spec claimRef") == {"namespace": "darkroom", "name": look(made, name)}
    assert look(made, "PersistentVolume spec csi volumeHandle") == look(made, name)


def test_the_first_pool_should_suit_many_pods_at_once() -> None:
    """Several GPUs a node are allowed, and a zone holds a node's worth of pods before the next one is looked at."""
    made = render()
    assert made.requirements["karpenter.k8s.aws/instance-family"] == ["g5", "g6", "g6e"]
    assert "node.kubernetes.io/instance-type" not in made.requirements
    assert look(made, "pod topologySpreadConstraints 0 maxSkew") == 4


def test_predecessor_in_flight_jobs_should_count() -> None:
    """It wrote scaleOnInFlight under the ScaledObject's spec, where it has no effect (fault 6)."""
    made = render()
    assert look(made, "scaled triggers 0 metadata scaleOnInFlight") == "true"
    assert "scaleOnInFlight" not in made.scaled


@pytest.mark.parametrize("kind", ["sdwebui", "comfyui", "openai"])
def test_predecessor_environment_and_arguments_should_reach_every_type(kind: str) -> None:
    """It had a map in the values and a list in the template, and looked at a wrong key for one type (fault 9)."""
    made = render({"runtime": {"type": kind, "env": {"A": "1"}, "args": ["--x"], "command": ["run"]}})
    assert (made.runtime["env"], made.runtime["args"], made.runtime["command"]) == (
        [{"name": "A", "value": "1"}],
        ["--x"],
        ["run"],
    )


def test_predecessor_a_leaving_pod_should_finish_its_job() -> None:
    """It gave 60 s, no liveness, and left it to chance which pod goes (fault 10)."""
    made = render({"jobs": {"maxSeconds": 7200}})
    assert made.pod["terminationGracePeriodSeconds"] > 7200 + 30
    assert made.runtime["livenessProbe"]
    assert made.one("Role")["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}]
    assert look(made, "agent env name=POD_NAME valueFrom fieldRef fieldPath") == "metadata.name"


def test_predecessor_a_snapshot_should_not_be_looked_past() -> None:
    """A snapshot's images lie on the data volume: SOCI or RAID 0 beside it would hide them (fault 12)."""
    made = render({"imageCache": {"mode": "snapshot", "snapshotID": "snap-0a"}})
    assert "userData" not in made.node_class
    assert "instanceStorePolicy" not in made.node_class
    assert made.data_volume["snapshotID"] == "snap-0a"


def test_user_data_should_be_toml_that_turns_soci_on() -> None:
    """With further settings beside it."""
    text = render({"nodes": {"bottlerocketSettings": '[settings.kernel]\nlockdown = "none"'}}).node_class["userData"]
    settings = tomllib.loads(text)["settings"]
    assert settings["container-runtime"] == {"snapshotter": "soci"}
    assert settings["container-runtime-plugins"]["soci-snapshotter"]["pull-mode"] == "parallel-pull-unpack"
    assert settings["kernel"] == {"lockdown": "none"}


def test_the_smoke_job_should_run_as_the_agent() -> None:
    """`helm test`: the same identity and environment, nothing to write to."""
    made = render()
    pod = made.one("Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    container = pod["spec"]["containers"][0]
    assert (container["image"], pod["spec"]["serviceAccountName"]) == (
        made.agent["image"],
        made.pod["serviceAccountName"],
    )
    assert {one["name"]: one["value"] for one in container["env"]} == made.environ


def test_null_should_mean_the_default() -> None:
    """Terraform writes null for what is not set."""
    values = {"runtime": {"image": {"tag": None}}, "queue": {"bulkUrl": None}}
    assert render(values).objects == render().objects
    assert merged(MINIMAL, values) != MINIMAL


def test_a_pod_without_its_runtime_should_not_be_ready(tmp_path: Path) -> None:
    """The agent says so in the file that it writes; one that is only slow to tell is not killed for it."""
    made = render()
    ready, alive = (made.agent[probe]["exec"]["command"] for probe in ("readinessProbe", "livenessProbe"))
    environ = {**os.environ, "ALIVE_FILE": str(file := tmp_path / "alive")}
    for text, statuses in (("", (1, 0)), ("ready", (0, 0))):
        file.write_text(text)
        os.utime(file, ns=(time.monotonic_ns(),) * 2)
        commands = ([sys.executable, *probe[1:]] for probe in (ready, alive))
        ended = (subprocess.run(one, env=environ, check=False, capture_output=True) for one in commands)
        assert tuple(one.returncode for one in ended) == statuses


def test_the_agent_should_be_restarted_when_its_loop_stands(tmp_path: Path) -> None:
    """The probe looks at the file that the agent touches; its root file system is read-only, /tmp is not."""
    made = render()
    probe, file = made.agent["livenessProbe"]["exec"]["command"], made.environ["ALIVE_FILE"]
    assert look(made, "agent volumeMounts name=agent-scratch mountPath") == str(Path(file).parent)
    alive = tmp_path / "alive"
    command, environ = [sys.executable, *probe[1:]], {**os.environ, "ALIVE_FILE": str(alive)}
    assert subprocess.run(command, env=environ, check=False, capture_output=True).returncode == 1
    alive.touch()
    os.utime(alive, ns=(time.monotonic_ns(),) * 2)
    assert subprocess.run(command, env=environ, check=False).returncode == 0
