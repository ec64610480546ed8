"""Whether the tree in an image is the one that its inventory lists: every file of every layer is hashed.

The layers are read once, in parallel; memory does not grow with the tree.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lode import inventory
from lode.digest import Digest
from lode.errors import Fault, VerificationError
from lode.installing import prefix as prefixes
from lode.inventory import Entry, EntryType
from lode.progress import Progress
from lode.publishing.oci import members, store, tarball
from lode.publishing.oci.cut import Spool
from lode.publishing.oci.layer import LINKED_BYTES
from lode.publishing.oci.members import Member
from lode.publishing.oci.store import Descriptor, Manifest, OciStore, oci
from lode.publishing.oci.unpack import inflater

LABEL = "lode.prefix"  # the annotation of an image that says where in it the tree lies
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A tree in an image that is what its inventory lists."""

    inventory: Digest  # of the tree, as in the prefix that the image was made of
    entries: int
    size: int  # bytes of the files


def compare(there: OciStore, image: Manifest, *, scratch: Path, jobs: int, progress: Progress) -> Compared:
    """Return what is in the image, all of it found to be as the inventory inside lists it.

    `scratch`: a folder for what waits. VerificationError, a fault for each path, for a file that is missing, too many,
    changed, or in two layers; for a layer that is damaged or takes something away; for an image without an inventory.
    """
    place = str(image.document.get("annotations", {}).get(LABEL, "")).strip("/")
    if not place:
        raise VerificationError(f"{oci(image.digest)} does not say where its tree lies: it is no image of a release")
    layers = [blob for blob in image.blobs() if blob.media_type != store.CONFIG]
    task = "layers"
    progress.start(task, total=sum(one.size for one in layers), unit="B")
    with Spool(scratch) as found, tempfile.TemporaryFile(dir=scratch) as listed:
        try:
            folders: dict[str, Entry] = {}
            readers = [
                _Reader(there, one, str(number), place.encode(), found, listed) for number, one in enumerate(layers)
            ]
            with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="compare") as pool:
                for reader, own in zip(
                    readers, pool.map(lambda reader: reader.read(progress, task), readers), strict=True
                ):
                    _agree(folders, own, reader.name)
            found.seal()
            made = _compared(found, folders, [reader.name for reader in readers], listed)
        except BaseException:
            progress.finish(task, "failed")
            raise
    progress.finish(task)
    return made


def agree(there: OciStore, image: Manifest, *, scratch: Path, jobs: int, progress: Progress) -> Compared:
    """Return what is in the image, which must be the tree that its annotation names; VerificationError else."""
    found = compare(there, image, scratch=scratch, jobs=jobs, progress=progress)
    said = image.document.get("annotations", {}).get("lode.inventory")
    if said != oci(found.inventory):
        raise VerificationError(
            f"the image {oci(image.digest)} says that it holds the tree {said}, and holds {oci(found.inventory)}"
        )
    return found


class _Reader:
    """One layer that is read: what lies in the tree is put into the spool by the layer's name."""

    def __init__(
        self, there: OciStore, layer: Descriptor, name: str, place: bytes, found: Spool, listed: IO[bytes]
    ) -> None:
        self._there, self._layer, self.name = there, layer, name
        self._front = place + b"/"
        self._inventory = self._front + prefixes.INVENTORY.encode()
        self._found, self._listed = found, listed

    def read(self, progress: Progress, task: str) -> dict[str, Entry]:
        """Return the folders of the layer; files and links go to the spool."""
        folders: dict[str, Entry] = {}
        files: dict[bytes, tuple[int, str]] = {}  # that a hard link may name: large ones alone
        wanted = lambda name: name.startswith(self._front)  # noqa: E731
        sink = lambda name: self._listed if name == self._inventory else None  # noqa: E731
        for member in members.read(self._pieces(progress, task), wanted, sink):
            if member.name.rpartition(b"/")[2].startswith(b".wh."):
                raise VerificationError(f"the layer {oci(self._layer.digest)} takes {_text(member.name)} away")
            if not member.name.startswith(self._front):
                continue
            entry = self._entry(member, files)
            if entry.type is EntryType.DIRECTORY:
                _agree(folders, {entry.path: entry}, oci(self._layer.digest))
            elif member.name != self._inventory:
                self._found.add(self.name, entry)
        return folders

    def _pieces(self, progress: Progress, task: str) -> Iterator[bytes]:
        inflate = inflater(self._layer)
        read = 0
        for piece in self._there.get_blob(self._layer.digest):
            read += len(piece)
            progress.advance(task, len(piece))
            yield inflate(piece)
        if read != self._layer.size:
            raise VerificationError(
                f"{oci(self._layer.digest)} has {read} bytes, its descriptor says {self._layer.size}"
            )

    def _entry(self, member: Member, files: dict[bytes, tuple[int, str]]) -> Entry:
        path = _text(member.name[len(self._front) :])
        kinds = {
            tarball.FILE: EntryType.FILE,
            tarball.HARD_LINK: EntryType.FILE,
            tarball.DIRECTORY: EntryType.DIRECTORY,
            tarball.SYMLINK: EntryType.SYMLINK,
        }
        kind = kinds.get(member.kind)
        if kind is None:
            raise VerificationError(f"the image has {path}, which is neither file, folder nor link")
        size, content = member.size, member.sha256
        if member.kind == tarball.HARD_LINK:
            if member.link not in files:
                raise VerificationError(f"the image has {path}, a link to {_text(member.link)}, which is not before it")
            size, content = files[member.link]
        elif kind is EntryType.FILE and size >= LINKED_BYTES:
            files[member.name] = (size, content)
        elif kind is EntryType.SYMLINK:
            size, content = len(member.link), _text(member.link)
        return Entry(path=path, type=kind, mode=member.mode, size=size, content=content)


def _compared(found: Spool, folders: dict[str, Entry], names: list[str], listed: IO[bytes]) -> Compared:
    """Compare what was found with the inventory that was found."""
    listed.flush()
    file = Path(f"/proc/self/fd/{listed.fileno()}")  # it has no other name
    said = inventory.read(file)
    entries = size = 0
    faults: list[Fault] = []

    def counted(all_of_it: Iterable[Entry]) -> Iterator[Entry]:
        nonlocal entries, size
        for entry in all_of_it:
            entries += 1
            size += entry.size if entry.type is EntryType.FILE else 0
            yield entry

    for difference in inventory.compare(counted(said), _merged(found, folders, names)):
        faults.append(Fault(message=_words(difference)))
        if len(faults) == _MOST_FAULTS:
            break
    if faults:
        raise VerificationError.of(faults)
    if not entries:
        raise VerificationError("the image holds no inventory of its tree")
    digest = inventory.digest(inventory.read(file))
    return Compared(inventory=digest, entries=entries, size=size)


def _merged(found: Spool, folders: dict[str, Entry], names: list[str]) -> Iterator[Entry]:
    """Yield all that was found in order; VerificationError for a path that is in two layers."""

    def key(entry: Entry) -> bytes:
        return entry.path.encode("utf-8", "surrogateescape")

    here = [name for name in names if name in found.sizes]
    files = found.entries(here) if here else iter(())
    last = None
    for entry in heapq.merge(files, sorted(folders.values(), key=key), key=key):
        if entry.path == last:
            raise VerificationError(f"the image has {inventory.printable(entry.path)} twice")
        last = entry.path
        yield entry


def _agree(folders: dict[str, Entry], own: dict[str, Entry], where: str) -> None:
    for path, entry in own.items():
        if folders.setdefault(path, entry) != entry:
            raise VerificationError(f"the folder {inventory.printable(path)} has two modes in the image ({where})")


def _words(difference: inventory.Difference) -> str:
    path = inventory.printable(difference.path)
    if difference.left is None:
        return f"the image has {path}, which its inventory does not list"
    if difference.right is None:
        return f"the image lacks {path}, which its inventory lists"
    return f"{path} in the image is not what its inventory says ({', '.join(difference.aspects)})"


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
