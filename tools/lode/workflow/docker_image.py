"""`lode image --builder docker`: a stack's image as a container engine builds it from the rendered Containerfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lode import scratch, tree
from lode.building import engine, roots
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.errors import HostError
from lode.progress import Progress
from lode.publishing.oci import docker
from lode.rendering import containerfile
from lode.sourcing.access import Access
from lode.workflow import build as building
from lode.workflow.fetch import fetch_stack
from lode.workflow.lock import files, lock_of
from lode.workflow.seals import engine_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerImage:
    """An image that the engine has now."""

    name: str
    identifier: str
    target: str
    engine: str  # its address

    def document(self) -> dict[str, Any]:
        """Return it as --json prints it."""
        return {"name": self.name, "id": self.identifier, "target": self.target, "engine": self.engine}


def build(
    catalogue: Catalogue,
    stack: str,
    *,
    target: str | None,
    base: str | None,
    places: Places,
    environ: Mapping[str, str],
    jobs: int,
    progress: Progress,
) -> DockerImage:
    """Return the image of the stack, built from its sources by the engine that answers.

    `base` is an image that the engine has or can pull; None: the target's own, or its builder system made here.
    HostError when no engine answers or there is no base; SourceError for a source that cannot be had.
    """
    lock = lock_of(catalogue, stack)
    name = building.choose_target(lock, target)
    definition = lock.target(name).definition
    address = engine_of(environ)
    if base is None:
        base = containerfile.base(definition)
        if definition.base.image is None:
            _bring(address, places, name, base)
    read = files(catalogue, catalogue.stack(f"{lock.stack}@{lock.release}"))
    image = f"lode/{lock.stack}:{lock.release}-{name}"
    task = f"docker build {lock.stack} {name}"
    with scratch.folder("context") as folder:
        tree.write(containerfile.context(lock, definition, read), folder)
        asked = Access(mirrors=(str(places.mirror),) if places.mirror.is_dir() else ())
        sources = folder / "sources"
        fetch_stack(catalogue, stack, mirror=sources, targets=(name,), progress=progress, access=asked)
        progress.start(task)
        try:
            identifier = docker.build(
                address,
                folder,
                image,
                arguments={"LODE_BASE": base, "LODE_JOBS": str(jobs)},
                network="host",
                on_line=lambda line: progress.step(task, line),
            )
        except BaseException:
            progress.finish(task, "failed")
            raise
        progress.finish(task)
    return DockerImage(name=image, identifier=identifier, target=name, engine=address)


def _bring(address: str, places: Places, target: str, name: str) -> None:
    root = roots.find(places.cache, target, "builder")
    if root is None:
        raise HostError(
            f"there is no builder of {target} on this machine to build images with",
            hint=f"`lode target build {target}` makes it; or name an image of the engine with --base",
        )
    engine.bring(address, name, root.folder, root.inventory)
