"""A target's system as an OCI image: one layer of its files, in a layout beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lode.building.roots import Root
from lode.definitions.target import Target
from lode.digest import Digest
from lode.publishing.oci import bases, compression, image, store
from lode.publishing.oci.image import ARCHITECTURES, Content
from lode.publishing.oci.layout import Layout

FOLDER = "oci"  # beside the system's root file system
_CREATED = "2000-01-01T00:00:00Z"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemImage:
    """An image in a layout, which names it by its role."""

    layout: Path
    digest: Digest  # of its manifest


def write(root: Root, target: Target) -> SystemImage:
    """Return the image of a system, written unless it is there: the same digest for the same inventory."""
    layout = Layout(root.folder.with_name(FOLDER))
    layout.root.mkdir(parents=True, exist_ok=True)
    base = bases.of_tree(layout, root.folder, method=compression.method("gzip"))
    labels = {
        "org.opencontainers.image.title": f"{root.target} {root.role}",
        "lode.target": root.target,
        "lode.inventory": str(root.inventory),
    }
    content = Content(
        created=_CREATED,
        architecture=ARCHITECTURES.get(target.arch, target.arch),
        os_version=None,
        environment={"PATH": _PATH, "LC_ALL": "C.UTF-8"},
        entrypoint=(),
        command=("/bin/sh",),
        labels=labels,
        layers=(),
        diff_ids=(),
        history=(),
    )
    config = store.put_bytes(layout, image.configuration(content, base), store.CONFIG)
    made = image.manifest(content, base, config)
    layout.put_manifest(made, root.role)
    return SystemImage(layout=layout.root, digest=made.digest)
