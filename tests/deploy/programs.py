"""Plays `docker` and `aws` of a deployment: `python programs.py NAME ARGUMENTS…`. Notes each call, does what matters.

A push arrives in the account (DEPLOY_ACCOUNT); `aws eks update-kubeconfig` writes the way into the test's API server
(DEPLOY_CLUSTER) under the cluster's name. A file DEPLOY_BROKEN makes pushes fail as a full registry would.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path


def docker(*words: str) -> None:
    """What Docker would do with images that nobody runs."""
    match words:
        case ("version", *_):
            sys.stdout.write("28.2.2\n")
        case ("login", *_):
            if sys.stdin.read() != "the-registrys-password":
                sys.exit("Error response from daemon: login attempt failed with status: 401 Unauthorized")
        case ("push", remote):
            if Path(os.environ["DEPLOY_BROKEN"]).exists():
                sys.exit("received unexpected HTTP status: 503 Service Unavailable")
            name = remote.partition("/")[2]
            request = urllib.request.Request(f"{os.environ['DEPLOY_ACCOUNT']}/push", name.encode(), method="POST")
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def aws(*words: str) -> None:
    """What the AWS CLI would do for the way into a cluster."""
    if words[0] == "--version":
        sys.stdout.write("aws-cli/2.31.0 Python/3.13.7 Linux/6.1 exe/x86_64\n")
        return
    given = dict(zip(words[2::2], words[3::2], strict=True))
    name = given["--alias"]
    there = Path(os.environ["DEPLOY_CLUSTER"]).read_text().splitlines()
    kept = [line for line in there if not line.startswith(("contexts:", "current-context:"))]
    kept.append(f"contexts: [{{name: {name}, context: {{cluster: darkroom, user: administrator}}}}]")
    Path(given["--kubeconfig"]).write_text("\n".join([*kept, f"current-context: {name}"]) + "\n")


def main() -> None:
    """Note the call, and do it."""
    name, *words = sys.argv[1:]
    with Path(os.environ["DEPLOY_CALLS"]).open("a") as calls:
        calls.write(json.dumps([name, *words]) + "\n")
    {"docker": docker, "aws": aws}[name](*words)


if __name__ == "__main__":
    main()
