"""What an image is made of, as one digest: the same inputs need not be built and pushed again."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from scripts.bootstrap import ROOT
from scripts.images import versions

_BIND = re.compile(r"--mount=type=bind,(?![^\s]*\bfrom=)[^\s]*\bsource=([^\s,]+)")


def inputs_digest(name: str) -> str:
    """Twelve hex digits over an image's Dockerfile, what it takes from the repository, and its base images."""
    dockerfile = ROOT / "images" / name / "Dockerfile"
    digest = hashlib.sha256()
    for path in [dockerfile, *_files(dockerfile.read_text())]:
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(repr(sorted(versions().items())).encode())
    return digest.hexdigest()[:12]


def sources(dockerfile: str) -> list[str]:
    """Paths of the repository that a Dockerfile copies or mounts; what comes from another stage is none of them."""
    text = dockerfile.replace("\\\n", " ")
    for argument, default in re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE):
        text = text.replace(f"${{{argument}}}", default)
    found = _BIND.findall(text)
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["COPY"], ["ADD"]) and not any(word.startswith("--from=") for word in words):
            found += [word for word in words[1:-1] if not word.startswith("--")]
    return sorted(set(found))


def _files(dockerfile: str) -> Iterator[Path]:
    for source in sources(dockerfile):
        path = ROOT / source
        inside = path.rglob("*") if path.is_dir() else [path]
        yield from sorted(one for one in inside if one.is_file() and "__pycache__" not in one.parts)
