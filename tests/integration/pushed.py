"""A small signed release, its images in a registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.testing.factory import TARGET
from tests.workflow import released

from lode.progress import Silent
from lode.publishing.oci import attach, copy, reference
from lode.publishing.oci.auth import Authorizer
from lode.publishing.oci.registry import Registry
from lode.publishing.oci.store import Manifest, oci
from lode.publishing.oci.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A signed release whose images are in the registry with all that is attached."""

    repository: Registry
    name: str  # host and repository
    image: Manifest
    index: Manifest

    def reference(self, which: Manifest) -> str:
        return f"{self.name}@{oci(which.digest)}"


def push(host: str, name: str, folder: Path, *, attached: bool) -> Pushed:
    layout = released.layout(folder)
    tag = released.LOCK.release
    there = Registry(Transport(reference.parse(f"{host}/{name}"), Authorizer(None)))
    tags = [(f"{tag}-{TARGET}", f"{tag}-{TARGET}"), (tag, tag)]
    copy.copy(layout, there, tags, jobs=2, progress=Silent(), task="push")
    index, image = attach.manifests(layout, tag)
    for each in (index, image) if attached else ():
        attach.carry(layout, there, each.digest)
    return Pushed(repository=there, name=f"{host}/{name}", image=image, index=index)
