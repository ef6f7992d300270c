"""`python -m tests.images agent simulator --save DIR`: as scripts.images does, also where only our engine is."""

import argparse
import sys
from pathlib import Path

from scripts import images

from tests.images.built import build
from tests.images.engine import engine
from tests.images.unavailable import Unavailable


def main() -> int:
    """Build and save; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("names", nargs="+", choices=images.NAMES)
    parser.add_argument(
        "--save", type=Path, metavar="DIR", required=True, help="gets <name>.tar, as docker save writes it"
    )
    options = parser.parse_args()
    try:
        with engine() as running:
            for name in options.names:
                build(running, name)
                print(images.save(name, options.save, (running.client,), running.environ))  # noqa: T201
    except Unavailable as reason:
        print(f"images: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
