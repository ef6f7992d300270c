"""What `make release` builds: the same bytes each time, whole, and in a form that others' tools take."""

import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from scripts import images
from scripts.release import BILLS
from scripts.version import current

from darkroom_local.emulator_environment import environment_python

ROOT = Path(__file__).parents[2]
VERSION = current()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_sources_give_the_same_bytes(release: Path, platform: Path, tmp_path: Path) -> None:
    """Whoever builds it again, in another process, can compare it with what was published."""
    command = [sys.executable, "-m", "scripts.release", "--out", str(tmp_path), "--platform", str(platform)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, check=True)
    before, after = files(release), files(tmp_path / f"darkroom-{VERSION}")
    assert before.keys() == after.keys()
    assert [name for name, content in before.items() if after[name] != content] == []


def test_the_checksums_are_of_all_files(release: Path) -> None:
    """And `sha256sum` takes them."""
    said = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=release, capture_output=True, text=True, check=True
    )
    told = {line.partition(": ")[0] for line in said.stdout.splitlines()}
    assert told == files(release).keys() - {"SHA256SUMS"}


@pytest.mark.parametrize("name", ["platform", "runtime"])
def test_a_chart_is_what_helm_would_pack(release: Path, platform: Path, helm: Path, tmp_path: Path, name: str) -> None:
    """File by file; Helm writes Chart.yaml anew, with the same content."""
    source = platform if name == "platform" else ROOT / "charts" / name
    subprocess.run([helm, "package", source, "--destination", tmp_path], capture_output=True, check=True)
    ours, theirs = (packed(folder / f"darkroom-{name}-{VERSION}.tgz") for folder in (release, tmp_path))
    assert ours.keys() == theirs.keys()
    for path, content in theirs.items():
        if path.endswith(("/Chart.yaml", "/Chart.lock")):
            assert yaml.safe_load(ours[path]) == yaml.safe_load(content), path
        else:
            assert ours[path] == content, path


def packed(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {one.name: found.read() for one in opened if one.isfile() and (found := opened.extractfile(one))}


def test_helm_pulls_a_chart_from_the_layout(release: Path, helm: Path, tmp_path: Path) -> None:
    """Served as a registry does, it is the chart that lies beside it."""
    with registry(release / "oci") as address:
        command = ["pull", f"oci://{address}/darkroom-runtime", "--version", VERSION, "--plain-http"]
        done = subprocess.run([helm, *command, "-d", tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    name = f"darkroom-runtime-{VERSION}.tgz"
    assert (tmp_path / name).read_bytes() == (release / name).read_bytes()


@contextmanager
def registry(layout: Path) -> Iterator[str]:
    """A registry that has what lies in an OCI layout; its address."""
    index = json.loads((layout / "index.json").read_text())
    named = {one["annotations"]["org.opencontainers.image.ref.name"]: one for one in index["manifests"]}

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, kind, reference = self.path.removeprefix("/v2/").rsplit("/", 2)
            known = named.get(f"{name}:{reference}") if kind == "manifests" else None
            digest = known["digest"] if known else reference
            blob = layout / "blobs" / digest.replace(":", "/")
            if not blob.is_file():
                self.send_error(404)
                return
            content = blob.read_bytes()
            self.send_response(200)
            manifest = "application/vnd.oci.image.manifest.v1+json"
            self.send_header("Content-Type", manifest if kind == "manifests" else "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_wheel_has_every_file_of_the_packages(release: Path) -> None:
    """And says the version."""
    (wheel,) = release.glob("*.whl")
    assert wheel.name == f"darkroom-{VERSION}-py3-none-any.whl"
    inside = set(zipfile.ZipFile(wheel).namelist())
    folders = ("contract/darkroom_contract", "agent/darkroom_agent", "api/darkroom_api", "cli/darkroom_cli")
    for folder in folders:
        listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
        tracked = {str(Path(name).relative_to(Path(folder).parent)) for name in listed.stdout.splitlines()}
        assert tracked - inside == set()


def test_every_delivered_lock_has_its_bill(release: Path) -> None:
    """Named components with versions."""
    for name in BILLS:
        bill = json.loads((release / "sbom" / f"{name}.cdx.json").read_text())
        assert bill["bomFormat"] == "CycloneDX"
        assert all(one["version"] for one in bill["components"])
    elsewhere = {"bootstrap", "checkov", "dev", "docs", "image-tools", "localstack"}
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert set(BILLS) == {name for name in locks - elsewhere if not name.endswith("-torch")}


def test_a_bill_is_what_its_schema_wants(release: Path, tmp_path: Path) -> None:
    """The tool that made it says so, when it is let."""
    tool = environment_python(ROOT / "requirements" / "image-tools.txt").parent / "cyclonedx-py"
    lock = ROOT / "requirements" / "simulator.txt"
    options = ("--output-reproducible", "--validate", "--output-file")
    subprocess.run([tool, "requirements", *options, tmp_path / "bill", lock], capture_output=True, check=True)
    assert (tmp_path / "bill").read_bytes() == (release / "sbom" / "simulator.cdx.json").read_bytes()


def test_the_images_can_be_built_by_the_script(release: Path) -> None:
    """A shell reads it, and every image is in it, of the versions that `make images` takes."""
    script = release / "images.sh"
    subprocess.run(["sh", "-n", script], check=True)
    commands = [line for line in script.read_text().splitlines() if line.startswith("docker buildx build")]
    assert len(commands) == len(images.NAMES)
    for name, command in zip(images.NAMES, commands, strict=True):
        assert f'--file images/{name}/Dockerfile --tag "$REGISTRY/darkroom/{name}:{VERSION}"' in command
        assert all(f"{key.upper()}_IMAGE={image}" in command for key, image in images.versions().items())
