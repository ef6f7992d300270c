"""`python -m darkroom_agent`: configured by its environment alone; `--help` lists the variables."""

import asyncio
import os
import signal
import sys


def main() -> None:
    """Start the agent."""
    # First of all: process 1 of a container ignores SIGTERM until it handles it, and a pod that is deleted while it
    # still starts would stay for its whole grace time. So every import of ours is below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    from .settings import SettingsError, describe_settings, from_environ  # noqa: PLC0415

    if sys.argv[1:]:
        asked = sys.argv[1:] in (["--help"], ["-h"])
        print(describe_settings(), file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    try:
        settings = from_environ(os.environ)
    except SettingsError as error:
        sys.exit(f"darkroom-agent: {error}")
    # After the settings, so that a wrong environment is told at once.
    from .app import serve  # noqa: PLC0415
    from .logs import start_logs  # noqa: PLC0415

    start_logs(settings.log_level)
    asyncio.run(serve(settings, os.environ))


if __name__ == "__main__":
    main()
