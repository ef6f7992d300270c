"""Images: built from this repository and pushed to ECR, each under a tag that its inputs decide."""

from dataclasses import dataclass

import yaml
from scripts.image_inputs import inputs_digest
from scripts.images import tag as local_tag

from . import commands
from .commands import Command
from .failures import DeployError
from .outputs import Outputs
from .site import Site


@dataclass(frozen=True, slots=True)
class Image:
    """An image of this repository, and where it goes: `registry/repository:tag`."""

    name: str
    url: str
    tag: str

    @property
    def registry(self) -> str:
        """Host of the registry."""
        return self.url.partition("/")[0]

    @property
    def repository(self) -> str:
        """Its repository there."""
        return self.url.partition("/")[2]

    @property
    def remote(self) -> str:
        """Its whole name."""
        return f"{self.url}:{self.tag}"


def wanted(outputs: Outputs) -> tuple[Image, ...]:
    """The images that releases take from repositories of this installation; others are their owner's own."""
    ours = {url: name for name, url in outputs.deployment.image_repositories.items()}
    urls: set[str] = set()
    for text in outputs.runtime_values.values():
        values = yaml.safe_load(text)
        # A tag that is named is one that its owner pushes.
        urls |= {
            one["image"]["repository"] for one in (values["runtime"], values["agent"]) if not one["image"].get("tag")
        }
    return tuple(_image(ours[url], url) for url in sorted(urls) if url in ours)


def _image(name: str, url: str) -> Image:
    return Image(name, url, f"{local_tag(name).rpartition(':')[2]}-{inputs_digest(name)}")


def shown(_: Site, outputs: Outputs) -> list[Command]:
    """What the step runs; nothing for an image that is there."""
    found = wanted(outputs)
    logins = [commands.registry_login("docker", registry, "") for registry in sorted({one.registry for one in found})]
    return logins + [command for one in found for command in _commands("docker", one)]


def _commands(engine: str, image: Image) -> list[Command]:
    return [
        commands.image_build(engine, image.name),
        commands.image_tag(engine, local_tag(image.name), image.remote),
        commands.image_push(engine, image.remote),
    ]


def done(site: Site) -> str | None:
    """By ECR: it has every image under the tag of today's inputs."""
    aws, found = site.aws(), wanted(site.outputs())
    if any(aws.image_digest(one.repository, one.tag) is None for one in found):
        return None
    return ", ".join(f"{one.name} {one.tag}" for one in found) + " in ECR"


def act(site: Site) -> str:
    """Build and push those that are missing."""
    aws, engine = site.aws(), site.engine()
    missing = [one for one in wanted(site.outputs()) if aws.image_digest(one.repository, one.tag) is None]
    for registry in sorted({one.registry for one in missing}):
        site.runner.must(commands.registry_login(engine, registry, aws.registry_password()))
    for image in missing:
        for command, what in zip(_commands(engine, image), ("building", "naming", "pushing"), strict=True):
            site.screen.detail(f"{what} {image.name}")
            site.runner.must(command)
    return "pushed " + ", ".join(one.name for one in missing)


def with_digests(site: Site, outputs: Outputs, release: str) -> str:
    """Terraform's values for a release, with the digests of images that were pushed: a tag says less.

    Raises:
        DeployError: an image is not there.
    """
    values = yaml.safe_load(outputs.values(release))
    if release == "platform":
        return outputs.values(release)
    known = {one.url: one for one in wanted(outputs)}
    aws = site.aws()
    for part in ("runtime", "agent"):
        image = known.get(values[part]["image"]["repository"])
        if image is not None and not values[part]["image"].get("tag"):
            digest = aws.image_digest(image.repository, image.tag)
            if digest is None:
                raise DeployError(f"{image.remote} is not there: the step images pushes it")
            values[part]["image"]["digest"] = digest
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
