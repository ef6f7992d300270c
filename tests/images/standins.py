"""Stand-ins for base images, where no registry can be reached: made of Debian's packages and this machine's Python.

They have the names of the real ones, so that the Dockerfiles that users build are built unchanged. Each carries the
hash of how it was made as a label, and is made again when that changes.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.bootstrap import ROOT, uv

from tests.images.engine import CACHE, Engine
from tests.images.packages import run
from tests.images.unavailable import Unavailable

_DEBIAN = "standin/debian:bookworm"
_LABEL = "darkroom.standin"
_PACKAGES = (
    "ca-certificates,netbase,tzdata,libssl3,libsqlite3-0,libffi8,libreadline8,libbz2-1.0,liblzma5,zlib1g,"
    "libncursesw6,libuuid1,libexpat1,libgdbm6"
)
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# As the official images have it: Python in /usr/local, pip, neither tests nor bytecode.
_PYTHON = f"""\
FROM {_DEBIAN}
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \\
    PIP_CERT={_BUNDLE} SSL_CERT_FILE={_BUNDLE} REQUESTS_CA_BUNDLE={_BUNDLE} NODE_EXTRA_CA_CERTS={_BUNDLE}
COPY python /usr/local
RUN ldconfig && python3 -m ensurepip >/dev/null 2>&1 && ln -sf pip3 /usr/local/bin/pip && \\
    find /usr/local -name __pycache__ -prune -exec rm -r {{}} +
CMD ["python3"]
"""
# The emulator, as requirements/localstack.txt has it; the real image takes the same variables.
_LOCALSTACK = """\
FROM {uv} AS uv
FROM {python}
ENV PATH=/localstack/bin:$PATH HOME=/tmp/localstack LOCALSTACK_VOLUME_DIR=/tmp/localstack OVERRIDE_IN_DOCKER=0 \\
    EAGER_SERVICE_LOADING=0 SKIP_SSL_CERT_DOWNLOAD=1 DISABLE_EVENTS=1 DNS_ADDRESS=0 UV_CACHE_DIR=/var/cache/uv
RUN --mount=type=bind,from=uv,source=/uv,target=/usr/local/bin/uv --mount=type=cache,target=/var/cache/uv \\
    --mount=type=bind,source=localstack.txt,target=/localstack.txt UV_LINK_MODE=copy uv venv /localstack && \\
    UV_LINK_MODE=copy uv pip sync --python /localstack/bin/python --require-hashes --compile-bytecode /localstack.txt
RUN mkdir /tmp/localstack
VOLUME /var/lib/localstack
ENTRYPOINT ["python", "-m", "localstack.runtime.main"]
"""
_LEFT_OUT_OF_BIN = ("pip*", "idle*", "2to3*", "pydoc*")  # their first lines name the folder that they came from
_LEFT_OUT = ("test", "tests", "idle_test", "site-packages", "__pycache__", "config-3.*", "lib2to3", "*.a")


def make_standins(engine: Engine, images: dict[str, str]) -> None:
    """Make the stand-ins of Python and uv; quick if they are there.

    Raises:
        Unavailable: one of them cannot be made on this machine.
    """
    if not _there(engine, images["uv"], made_by := _made_by(_uv)):
        _uv(engine, images["uv"], made_by)
    for name in ("python", "python310"):
        if name in images and not _there(engine, images[name], made_by := _made_by(_debian, _python, _PYTHON)):
            if not _there(engine, _DEBIAN, made_by_debian := _made_by(_debian, _PACKAGES)):
                _debian(engine, made_by_debian)
            _python(engine, images[name], made_by)


def make_localstack(engine: Engine, images: dict[str, str]) -> None:
    """Make the stand-in of the emulator's image; quick if it is there.

    Raises:
        Unavailable: one of those that it is made of cannot be made on this machine.
    """
    make_standins(engine, {name: images[name] for name in ("python", "uv")})
    lock = ROOT / "requirements" / "localstack.txt"
    dockerfile = _LOCALSTACK.format_map(images)
    if not _there(engine, images["localstack"], made_by := _made_by(dockerfile, lock.read_text())):
        with _folder() as folder:
            shutil.copy(lock, folder / lock.name)
            _build(engine, images["localstack"], made_by, dockerfile, folder)


def _made_by(*parts: Callable[..., None] | str) -> str:
    """A short hash of how an image is made."""
    sources = [part if isinstance(part, str) else inspect.getsource(part) for part in parts]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()[:12]


def _there(engine: Engine, image: str, made_by: str) -> bool:
    question = ("image", "inspect", "--format", f'{{{{index .Config.Labels "{_LABEL}"}}}}', image)
    try:
        return engine(*question) == made_by
    except subprocess.CalledProcessError:
        return False


def _uv(engine: Engine, image: str, made_by: str) -> None:
    with _folder() as folder:
        shutil.copy(uv().resolve(), folder / "uv")
        _build(engine, image, made_by, "FROM scratch\nCOPY uv /uv\n", folder)


def _debian(engine: Engine, made_by: str) -> None:
    """Debian's smallest system, by debootstrap, from the mirror that this machine uses."""
    print("making the stand-in of the base images, once", file=sys.stderr, flush=True)  # noqa: T201
    mirror, suite = _mirror()
    with _folder() as folder:
        tool = CACHE / "engine"
        run(
            *("bash", str(tool / "usr/sbin/debootstrap"), "--variant=minbase", f"--include={_PACKAGES}"),
            *(suite, str(folder), mirror),
            cwd=folder,
            environ={"DEBOOTSTRAP_DIR": str(tool / "usr/share/debootstrap")},
        )
        for left_out in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"):
            shutil.rmtree(folder / left_out, ignore_errors=True)
        for left_out in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
            for found in (folder / left_out).iterdir():
                found.unlink() if found.is_file() else shutil.rmtree(found)
        # What the machine trusts, and where it gets packages from.
        shutil.copy(_BUNDLE, folder / _BUNDLE.removeprefix("/"))
        shutil.copytree("/etc/apt/sources.list.d", folder / "etc/apt/sources.list.d", dirs_exist_ok=True)
        archive = folder.with_suffix(".tar")
        try:
            run("tar", "--directory", str(folder), "--create", "--file", str(archive), ".", cwd=folder)
            engine("import", "--change", f"LABEL {_LABEL}={made_by}", str(archive), _DEBIAN)
        finally:
            archive.unlink(missing_ok=True)


def _mirror() -> tuple[str, str]:
    """Address and suite of the first Debian archive in this machine's sources."""
    form = "$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)"
    for line in run("apt-get", "indextargets", "--format", form, "Created-By: Packages", cwd=CACHE).splitlines():
        origin, site, release, component = line.split(" ")
        if origin == "Debian" and component == "main" and release.isalpha():
            return site, release
    raise Unavailable("apt knows no archive of Debian to make base images from")


def _python(engine: Engine, image: str, made_by: str) -> None:
    prefix = _prefix(image.partition(":")[2].partition("-")[0])
    with _folder() as folder:
        for part, left_out in (("bin", _LEFT_OUT_OF_BIN), ("lib", _LEFT_OUT)):
            ignore = shutil.ignore_patterns(*left_out)
            shutil.copytree(prefix / part, folder / "python" / part, symlinks=True, ignore=ignore)
        if strip := shutil.which("strip"):
            for library in (folder / "python").rglob("*.so*"):
                if not library.is_symlink():
                    run(strip, "--strip-unneeded", str(library), cwd=folder)
        _build(engine, image, made_by, _PYTHON, folder)


def _prefix(version: str) -> Path:
    """Where a Python of this version lies that can be copied: this one's, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for prefix in (Path(sys.base_prefix), *sorted(pyenv.glob(f"{version}.*"), reverse=True)):
        if (prefix / "bin" / f"python{version}").exists() and prefix not in (Path("/usr"), Path("/usr/local")):
            return prefix
    raise Unavailable(f"no Python {version} here that could be copied into an image (pyenv's or uv's can)")


def _build(engine: Engine, image: str, made_by: str, dockerfile: str, folder: Path) -> None:
    (folder / "Dockerfile").write_text(dockerfile)
    engine("build", "--quiet", "--label", f"{_LABEL}={made_by}", "--tag", image, str(folder))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that programs may run in: the system's own for temporary files may forbid it."""
    with tempfile.TemporaryDirectory(prefix="standin-", dir=CACHE) as name:
        Path(name).chmod(0o755)
        yield Path(name)
