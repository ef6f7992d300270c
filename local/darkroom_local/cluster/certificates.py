"""Keys and certificates of a cluster that lives for an hour, made by openssl."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.go_tools import ToolUnavailable

_DAYS = "30"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


async def private_key(path: Path) -> Path:
    """A key to sign service accounts' tokens with."""
    # RSA: Kubernetes reads no other key in the form that every openssl writes.
    await _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    return path


async def self_signed(folder: Path, name: str, *hosts: str) -> Pair:
    """A certificate that vouches for itself, for servers at `hosts` (names of DNS) if there are any."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    names = ["-addext", f"subjectAltName={','.join(f'DNS:{host}' for host in hosts)}"] if hosts else []
    await _openssl("req", "-x509", *_new(pair.key), "-out", pair.certificate, "-subj", f"/CN={name}", *names)
    return pair


async def signed_by(issuer: Pair, folder: Path, name: str) -> Pair:
    """A client's certificate."""
    pair, request = Pair(folder / f"{name}.crt", folder / f"{name}.key"), folder / f"{name}.csr"
    await _openssl("req", *_new(pair.key), "-out", request, "-subj", f"/CN={name}")
    by = ("-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial")
    await _openssl("x509", "-req", "-in", request, *by, "-days", _DAYS, "-out", pair.certificate)
    return pair


def _new(key: Path) -> tuple[str | Path, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", _DAYS, "-keyout", key)


async def _openssl(*arguments: str | Path) -> None:
    if (openssl := shutil.which("openssl")) is None:
        raise ToolUnavailable("a cluster's certificates are made by openssl: install it (there is none on PATH)")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(openssl, *map(str, arguments), stdout=pipe, stderr=pipe)
    _, said = await process.communicate()
    if process.returncode:
        raise ToolUnavailable(f"`openssl {arguments[0]}` failed: {said.decode(errors='replace').strip()[-500:]}")
