"""The Lambdas' package: the same bytes twice, whole in itself, and with nothing that would slow a cold start."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from scripts.lambda_zip import ARM64, build

HERE = "x86_64-manylinux_2_28" if os.uname().machine == "x86_64" else ARM64
SCRIPT = """
import json, sys
from darkroom_api import jobs, webhooks
event = {"path": "/v1/openapi.json", "httpMethod": "GET", "requestContext": {}}
told = webhooks.handler({"Records": []}, None)
print(json.dumps([jobs.__file__, jobs.handler(event, None)["statusCode"], told]))
"""
ENVIRON = {
    "S3_BUCKET": "outputs",
    "MODELS_BUCKET": "models",
    "JOBS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:jobs",
    "QUEUE_URL_PREFIX": "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as this machine can run it."""
    out = tmp_path_factory.mktemp("lambda") / "lambda.zip"
    build(out, HERE)
    return out


def test_it_answers_with_nothing_else_installed(package: Path, tmp_path: Path) -> None:
    """Unpacked, it serves its own contract, by no module but its own and Python's."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-S", "-c", SCRIPT],
        env={**ENVIRON, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [str(tmp_path / "darkroom_api" / "jobs.py"), 200, {"batchItemFailures": []}]


def test_the_same_sources_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    """Terraform sees a change only where there is one."""
    build(tmp_path / "again.zip", HERE)
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()


def test_every_module_comes_with_its_bytecode(package: Path) -> None:
    """Lambda cannot write it down, and would compile 400 modules at every cold start."""
    names = set(zipfile.ZipFile(package).namelist())
    sources = {name for name in names if name.endswith(".py")}
    compiled = {name.replace("__pycache__/", "").replace(".cpython-313.pyc", ".py") for name in names}
    assert sources - compiled == set()


def test_it_is_built_for_graviton(tmp_path: Path) -> None:
    """What `make lambda` builds has arm64's libraries alone."""
    build(tmp_path / "lambda.zip", ARM64)
    libraries = [name for name in zipfile.ZipFile(tmp_path / "lambda.zip").namelist() if name.endswith(".so")]
    assert libraries
    assert all("aarch64" in name for name in libraries)
