"""`python -m darkroom_agent`: configured by its environment alone; `--help` lists the variables."""

import asyncio
import os
import sys

from .settings import SettingsError, describe_settings, from_environ


def main() -> None:
    """Start the agent."""
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
