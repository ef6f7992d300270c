"""Write charts as an OCI image layout, the folder that `oras`, `skopeo` and `crane` push from.

Layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md; media types: Helm's,
https://helm.sh/docs/topics/registries/#helm-chart-manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def write(folder: Path, charts: Mapping[Path, Mapping[str, Any]]) -> None:
    """Write a layout.

    Args:
        folder: made, if it is not there.
        charts: archive → what its Chart.yaml says.
    """
    (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    manifests = []
    for archive, about in charts.items():
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _blob(folder, _CONFIG, _json(about)),
            "layers": [_blob(folder, _CHART, archive.read_bytes())],
            "annotations": {
                "org.opencontainers.image.title": about["name"],
                "org.opencontainers.image.version": about["version"],
                "org.opencontainers.image.description": about["description"],
            },
        }
        name = {"org.opencontainers.image.ref.name": f"{about['name']}:{about['version']}"}
        manifests.append({**_blob(folder, _MANIFEST, _json(manifest)), "annotations": name})
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}))


def _blob(folder: Path, kind: str, content: bytes) -> dict[str, Any]:
    """Write a blob; its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs" / "sha256" / digest).write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
