"""The container that holds a pod's network: an image with nothing but busybox, written without a builder."""

import hashlib
import io
import json
import platform
import shutil
import tarfile
from pathlib import Path

from scripts.go_tools import ToolUnavailable

from .machine import is_static

PAUSE_IMAGE = "darkroom.local/pause:1"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def pause_image(folder: Path) -> Path:
    """Write it into the folder, as `docker save` would; the path of the archive.

    Raises:
        ToolUnavailable: there is no busybox here, or not one that runs alone.
    """
    if (busybox := shutil.which("busybox")) is None or not is_static(Path(busybox)):
        raise ToolUnavailable("a node's pods need busybox: install a statically linked one (Debian: busybox-static)")
    layer = _tar({"bin/busybox": Path(busybox).read_bytes()})
    settings = {
        "architecture": _ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": ["/bin/busybox", "sleep", "2147483647"], "User": "65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    files = {
        "config.json": json.dumps(settings).encode(),
        "layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive = folder / "pause.tar"
    archive.write_bytes(_tar(files))
    return archive


def _tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()
