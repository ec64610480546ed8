"""What images are put on: nothing, a root file system in a folder, or an image in a layout."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lode import inventory
from lode.errors import UsageError
from lode.inventory import Entry, EntryType
from lode.publishing.oci import copy, image, keep, layer, store
from lode.publishing.oci.compression import Method
from lode.publishing.oci.image import Base
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import OciStore

SCRATCH = "scratch"

_MOUNTED = ("dev", "proc", "sys", "run", "tmp")  # of a root file system: what lies there is of a machine, not of it


def open_base(layout: Layout, reference: str, *, method: Method, architecture: str) -> Base:
    """Return the base that `reference` names, its blobs copied into `layout`.

    `scratch`; a folder with a root file system; or a layout folder, with `:<tag>` behind when it holds several images.
    UsageError when it is none of these.
    """
    if reference == SCRATCH:
        return Base()
    folder = Path(reference)
    if (folder / "oci-layout").is_file():
        return of_image(layout, Layout(folder), None, reference, architecture)
    head, _, tag = reference.rpartition(":")
    if head and (Path(head) / "oci-layout").is_file():
        return of_image(layout, Layout(Path(head)), tag, reference, architecture)
    if (folder / "etc").is_dir() and ((folder / "usr").is_dir() or (folder / "bin").is_dir()):
        return of_tree(layout, folder, method=method)
    raise UsageError(
        f"{reference} is no base for an image",
        hint="name a root file system's folder, an OCI layout, docker://IMAGE, or `scratch`",
    )


def of_image(layout: Layout, there: OciStore, reference: str | None, name: str, architecture: str) -> Base:
    """Return an image of another store as a base: the only one in it, or the one at a tag or digest.

    Of an index, the image for `architecture`, in Go's words.
    """
    if reference is None:
        tags = there.tags()
        if len(tags) != 1:
            raise UsageError(f"{name} holds {len(tags)} images", hint=f"name one: {', '.join(tags) or 'there is none'}")
        reference = tags[0]
    made = there.get_manifest(reference)
    if made is None:
        raise UsageError(f"{name} is not there", hint=f"there are: {', '.join(there.tags()) or 'none'}")
    if made.is_index:
        fitting = [one for one in made.manifests() if one.platform.get("architecture") == architecture]
        found = there.get_manifest(store.oci(fitting[0].digest)) if fitting else None
        if found is None:
            raise UsageError(f"{name} has no image for {architecture}")
        made = found
    for blob in made.blobs():
        copy.copy_blob(there, layout, blob)
    config = store.descriptor(made.document.get("config"), f"the manifest {store.oci(made.digest)}")
    return image.read_base(made, store.get_bytes(layout, config), None)


def of_tree(layout: Layout, root: Path, *, method: Method) -> Base:
    """Return the root file system at `root` as a base of one layer: owned by root, without set-user-id bits.

    What machines mount over is left out. Everything has the time 0.
    """
    name = keep.key(_entries(root), b"", 0, method)
    made = keep.find(layout, name)
    if made is None:
        made = layer.write(layout, _entries(root), root, mtime=0, method=method)
        keep.remember(layout, name, made)
    return Base(
        layers=(made.blob,),
        diff_ids=(made.diff_id,),
        history=({"created": "1970-01-01T00:00:00Z", "created_by": "lode: root file system"},),
    )


def _entries(root: Path) -> Iterator[Entry]:
    for entry in inventory.scan(root, exclude=_MOUNTED):
        if entry.type is EntryType.SYMLINK:
            yield entry
        else:
            yield replace(entry, mode=entry.mode & ~(stat.S_ISUID | stat.S_ISGID))
