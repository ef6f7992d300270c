"""The end of a deployment: where the API is, a key, and the command that makes a first picture."""

from .outputs import Outputs
from .site import Site

_PICTURE = {
    "comfyui": "submit {folder}/first-picture.json --runtime {runtime} --save pictures",
    "sdwebui": "submit --runtime {runtime} --prompt 'a quiet lake at dawn' --save pictures",
    "openai": "submit --runtime {runtime} --prompt 'a quiet lake at dawn' --save pictures",
}


def finish(site: Site, *, show_key: bool) -> list[str]:
    """Write `.darkroom/cli.toml`, the command line's configuration; what to tell. Only a person sees a key."""
    outputs = site.outputs()
    config = outputs.cli_config
    key = next(iter(sorted(outputs.api_keys.items())), None)
    if key is not None:
        config += f'api_key = "{key[1]}"\n'
    path = site.at.write(site.at.work / "cli.toml", config)
    lines = [f"API       {outputs.deployment.api_endpoint}"]
    if key is None:
        lines.append("key       none: requests are signed (AWS_IAM)")
    else:
        shown = key[1] if show_key else f"in {path}, and in `terraform -chdir={site.at.folder} output -json api_keys`"
        lines.append(f"key       {shown}  (x-api-key, {key[0]})")
    return [*lines, *_picture(site, outputs, str(path))]


def _picture(site: Site, outputs: Outputs, config: str) -> list[str]:
    runtimes = outputs.deployment.runtimes
    if not runtimes:
        return []
    name = min(runtimes)
    command = _PICTURE[runtimes[name].type].format(folder=site.at.folder, runtime=name)
    return ["", "A first picture:", f"  export DARKROOM_CONFIG={config}", f"  .venv/bin/darkroom {command}"]
