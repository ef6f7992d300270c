"""What a simulator is told at its start, by flags or by environment variables of the same names."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

TYPES = ("sdwebui", "comfyui", "openai")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Times are seconds, sizes bytes; 0 bytes means as they come."""

    type: str
    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 1.0
    image_bytes: int = 0
    models: tuple[str, ...] = ("dreamy.safetensors", "sharp.safetensors")
    load_seconds: float = 0.2
    leak_bytes: int = 0
    concurrency: int = 1
    auth: str | None = None
    log: str | None = None


_HELP = {
    "type": "API to speak: sdwebui, comfyui or openai",
    "host": "address to listen on",
    "port": "port to listen on; 0 takes a free one",
    "latency": "seconds that a job takes on the imagined GPU",
    "image_bytes": "pad every image to about so many bytes",
    "models": "checkpoints that it has, comma-separated; the first one is loaded",
    "load_seconds": "seconds that loading another checkpoint takes",
    "leak_bytes": "memory that every job leaks, by the runtime's own account",
    "concurrency": "openai: jobs that it works on at once",
    "auth": "sdwebui: user:password that requests must carry",
    "log": "file to append the jobs' times to, as JSON lines",
}


def parse_options(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Options from flags, else from SIMULATOR_… variables, else the defaults.

    Raises:
        SystemExit: as argparse does, with usage.
    """
    parser = argparse.ArgumentParser(
        prog="python -m darkroom_simulator",
        description="A model runtime without a model: speaks sdwebui, comfyui or openai and draws quick pictures.",
        epilog="Each flag can also be set by an environment variable, such as SIMULATOR_LATENCY=0.2. Failures on "
        "demand: POST /_simulator/faults; what can fail is listed at GET /_simulator/faults.",
    )
    for field in fields(Options):
        name = field.name
        default = environ.get(f"SIMULATOR_{name.upper()}") or (None if name == "type" else field.default)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            help=_HELP[name],
            default=default,
            required=name == "type" and default is None,
            metavar=f"{{{','.join(TYPES)}}}" if name == "type" else None,
            type=_CONVERT.get(name, str),
        )
    return Options(**vars(parser.parse_args(arguments)))


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _kind(value: str) -> str:
    if value not in TYPES:
        raise argparse.ArgumentTypeError(" or ".join(TYPES))  # `choices` would not look at the environment's
    return value


# Also applied to what comes from the environment.
_CONVERT: dict[str, Callable[[str], object]] = {
    "type": _kind,
    "port": int,
    "latency": float,
    "image_bytes": int,
    "models": _names,
    "load_seconds": float,
    "leak_bytes": int,
    "concurrency": int,
}
