"""A deployment from nothing to a job that came back, broken off on the way, changed, and taken down again."""

import re
from pathlib import Path

from darkroom_deploy.steps import STEPS

from .conftest import Model, Rig

_STEP = re.compile(r"^✓ (\w+)\s+(?:\d+ s|\d+:\d\d min) (.*)$", re.MULTILINE)


def steps(said: str) -> dict[str, str]:
    """Step → what it said of itself."""
    return dict(_STEP.findall(said))


async def test_from_nothing_to_a_job_and_back(rig: Rig, model: Model, tmp_path: Path) -> None:
    """Its whole life: a failure and a Ctrl-C on the way cost nothing that was done, and nothing is done twice."""
    digest = model(tmp_path / "small.safetensors")
    (rig.folder / "models.txt").write_text(f"{tmp_path}/small.safetensors checkpoints/small.safetensors {digest}\n")

    # A registry that is full ends it, and says where and why. What was done before stays.
    rig.broken.touch()
    run = rig.deploy("up", "--yes", status=1)
    assert "503 Service Unavailable" in run.said
    assert "docker push" in run.said
    assert re.search(r"storage\s+\d+", run.said)
    assert "Without any job it costs" in run.said
    assert "sd: quotas of vCPUs (Spot G and VT: 8) let 2 of 20 pods run" in run.said
    assert list(steps(run.said)) == ["functions", "infrastructure"]

    # Ctrl-C while Helm waits for the platform's pods.
    rig.broken.unlink()
    rig.controllers.open.clear()
    process = rig.begin("up", "--yes")
    assert rig.controllers.waiting.wait(900)
    said = rig.stop(process)
    assert "stopped; the same command goes on" in said
    done = steps(said)
    assert done["infrastructure"] == "a plan finds nothing to change"
    assert done["images"] == "pushed agent, sdwebui"
    assert done["models"] == "stored checkpoints/small.safetensors"
    assert len(rig.called("docker", "push")) == 1 + 2

    # And to its end.
    rig.controllers.open.set()
    run = rig.deploy("up", "--yes")
    done = steps(run.said)
    assert list(done) == [step.name for step in STEPS]
    assert done["images"].endswith("in ECR")
    assert done["models"].startswith("1 in s3://deployed-models-")
    assert done["smoke"] == "a job of sd came back"
    assert "https://api.example.com/v1" in run.output
    assert f"export DARKROOM_CONFIG={rig.folder}/.darkroom/cli.toml" in run.output
    assert "darkroom submit --runtime sd --prompt" in run.output
    # Standard output is no person here: the key is told by where it is.
    assert "the-key-of-the-default-tenant" not in run.output + run.said
    assert 'api_key = "the-key-of-the-default-tenant"' in (rig.folder / ".darkroom" / "cli.toml").read_text()
    assert (rig.folder / ".darkroom" / "cli.toml").stat().st_mode & 0o077 == 0
    image = await rig.cluster.kubectl(
        "get", "deployment", "sd", "-n", "darkroom", "-o", "jsonpath={.spec.template.spec.containers[0].image}"
    )
    assert image.split("@")[1] in rig.account.images.values()

    # Again: everything is proven to be there, and nothing is done.
    before = await rig.revision("sd", "darkroom"), await rig.revision("platform", "darkroom-system")
    run = rig.deploy("up", "--yes")
    done = steps(run.said)
    assert done["platform"] == "platform: as it should be"
    assert done["runtimes"] == "sd: as it should be"
    assert done["smoke"] == "every runtime's job came back"
    assert before == (await rig.revision("sd", "darkroom"), await rig.revision("platform", "darkroom-system"))
    assert len(rig.called("docker", "push")) == 3

    # A value of the owner's own: one step alone brings it, and the job is to be sent again.
    (rig.folder / "values").mkdir()
    (rig.folder / "values" / "sd.yaml").write_text("scaling: {maxReplicas: 3}\n")
    assert steps(rig.deploy("runtimes").said)["runtimes"] == "installed sd"
    assert await rig.revision("sd", "darkroom") == before[0] + 1
    assert steps(rig.deploy("smoke").said)["smoke"] == "a job of sd came back"

    await _taken_down(rig)


async def _taken_down(rig: Rig) -> None:
    # An instance that Karpenter forgot would cost for ever: nothing goes on before it is gone.
    rig.account.instances.append("i-0123456789abcdef0")
    run = rig.deploy("destroy", "--yes", status=1)
    assert "i-0123456789abcdef0" in run.said
    assert await rig.revision("sd", "darkroom") == 0
    assert await rig.revision("platform", "darkroom-system") > 0

    rig.account.instances.clear()
    run = rig.deploy("destroy", "--yes")
    assert await rig.revision("platform", "darkroom-system") == 0
    assert "kept: bucket deployed-models-" in run.said
    assert "deployed-outputs" not in run.said
    assert not (rig.folder / ".darkroom").exists()
    run = rig.deploy("destroy", "--yes", status=2)
    assert "knows of nothing here" in run.said
