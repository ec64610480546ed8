"""Images of a release as trees for a CVMFS repository: Apptainer runs such a folder without pulling anything.

A tree holds the whole root file system of the image of one target, the release's own tree at its final path in it, and
lies beside that at `<target>.image`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import inventory, scratch
from lode.errors import UsageError
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.progress import Progress
from lode.publishing.cvmfs import publish
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.stratum import Stratum
from lode.publishing.cvmfs.variants import IMAGE
from lode.publishing.oci import unpack
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Manifest, oci
from lode.workflow.image import FOLDER, epoch
from lode.workflow.prefix import open_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpackable:
    """An image that lies in the layout of its release, and where its root file system is to be mounted."""

    layout: Path
    manifest: Manifest
    mount: str
    mtime: int

    @property
    def origin(self) -> str:
        """Return what tells this image from any other."""
        return f"image {oci(self.manifest.digest)}"


def images(roots: Sequence[Path], repository: str) -> tuple[Unpackable, ...]:
    """Return the images of the prefixes at `roots`, which are made for `repository` and lie in release folders.

    UsageError when one has none, or one that was made of another tree.
    """
    found = []
    for root in roots:
        prefix, lock = open_prefix(root)
        layout = root.parent.parent / FOLDER
        tag = f"{lock.release}-{prefix.target}"
        manifest = Layout(layout).get_manifest(tag)
        hint = f"`lode image {lock.stack}@{lock.release} --target {prefix.target}` makes it"
        if manifest is None or not _is_of(manifest, prefix):
            what = "no image" if manifest is None else "an image of another tree, and none"
            raise UsageError(f"there is {what} of {root}", hint=hint)
        mount = prefix.final_path.removeprefix(f"/cvmfs/{repository}") + IMAGE
        found.append(Unpackable(layout=layout, manifest=manifest, mount=mount, mtime=epoch(lock)))
    return tuple(found)


@contextlib.contextmanager
def sources(
    there: Stratum, wanted: Iterable[Unpackable], *, cache: Cache, place: Path, progress: Progress
) -> Iterator[tuple[tuple[Source, ...], tuple[str, ...]]]:
    """Yield the images as trees to be published, and the mount points of those that are mounted already.

    The trees lie in a scratch folder in `place` until the end.
    """
    found, unchanged = [], []
    with scratch.folder("images", place) as work:
        for number, one in enumerate(wanted):
            if publish.holds(there, one.mount, one.origin, one.mtime, cache=cache):
                unchanged.append(one.mount)
                continue
            root = work / str(number) / one.mount.rpartition("/")[2]  # which the progress tells
            root.parent.mkdir()
            unpack.unpack(Layout(one.layout), one.manifest, root, progress=progress)
            found.append(_source(root, one))
        yield tuple(found), tuple(unchanged)


def _is_of(manifest: Manifest, prefix: Prefix) -> bool:
    annotations: Mapping[str, str] = manifest.document.get("annotations", {})
    return annotations.get("lode.inventory") == oci(prefix.inventory)


def _source(root: Path, one: Unpackable) -> Source:
    """Give the unpacked image an inventory, where a prefix has its own, and return it as a tree to be published."""
    listed = root / prefixes.INVENTORY
    listed.parent.mkdir(exist_ok=True)
    aside = root.with_name(f"{root.name}.inventory")  # in the tree it would list itself
    digest = inventory.write(inventory.scan(root, exclude=[prefixes.INVENTORY]), aside)
    aside.replace(listed)
    return Source(root=root, inventory=listed, digest=digest, mount=one.mount, mtime=one.mtime, origin=one.origin)
