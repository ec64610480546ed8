"""An OCI image layout folder as a store (image specification 1.1, image-layout.md).

Blobs are written beside their place and renamed when their digest is right; `index.json` is replaced last and at once.
So a kill at any moment leaves the old state or the new one, and blobs that the next call finds and uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from lode import digest as digests
from lode import tree
from lode.digest import Digest
from lode.errors import HostError, VerificationError
from lode.publishing.oci import store
from lode.publishing.oci.store import BlobSource, Descriptor, Manifest, oci

REF_NAME = "org.opencontainers.image.ref.name"

_PIECE_BYTES = 1 << 20
_BLOBS = Path("blobs", "sha256")
_PARTS = ".partial"  # unfinished blobs; not part of the specification, which allows it
_NEW = "new-"  # begins the name of an unfinished blob of unknown digest


class Layout:
    """A layout folder, made at the first write. Threads and processes may use one at the same time."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`."""
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Return where the blob lies, if it is there."""
        return self.root / _BLOBS / digest

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the blob's file is there; its content is checked when it is read."""
        return self.path(digest).is_file()

    def get_blob(self, digest: Digest, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's content from `offset` on."""
        hashed = hashlib.sha256() if offset == 0 else None
        with self._open(digest) as file:
            file.seek(offset)
            while piece := file.read(_PIECE_BYTES):
                if hashed is not None:
                    hashed.update(piece)
                yield piece
        if hashed is not None and hashed.hexdigest() != digest:
            raise VerificationError(
                f"{self.path(digest)} is damaged: its sha256 is {hashed.hexdigest()}", hint="make or pull it again"
            )

    def put_blob(self, blob: Descriptor, source: BlobSource) -> bool:
        """Write the blob, going on where a killed call for the same blob was."""
        if self.has_blob(blob.digest) and self.path(blob.digest).stat().st_size == blob.size:
            return False
        with _writing(self.root), self._part(blob.digest) as file:
            offset = file.seek(0, os.SEEK_END)
            if not _fill(file, blob, source) and (not offset or not _fill(file, blob, source)):
                os.unlink(file.name)
                raise VerificationError(
                    f"what came as {oci(blob.digest)} of {blob.size} bytes is something else",
                    hint="where it came from is damaged, or lies; nothing of it was kept",
                )
            self._keep(file, blob.digest)
        return True

    @contextlib.contextmanager
    def new_blob(self) -> Iterator[NewBlob]:
        """Yield a file to write a blob of unknown digest to; without `commit` nothing is left of it."""
        with _writing(self.root), self._part(f"{_NEW}{secrets.token_hex(8)}") as file:
            blob = NewBlob(file)
            try:
                yield blob
                if blob.committed is not None:
                    self._keep(file, blob.committed)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(file.name)

    def sweep(self) -> None:
        """Make the folder, and remove what killed calls left in it of blobs of unknown digest.

        Those being written are left alone.
        """
        with _writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        for left in (self.root / _PARTS).glob(f"{_NEW}*"):
            with contextlib.suppress(OSError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
        with contextlib.suppress(OSError):
            (self.root / _PARTS).rmdir()

    def get_manifest(self, reference: str) -> Manifest | None:
        """Return the manifest of a tag in `index.json`, or of a digest, whether or not it is listed there."""
        digest = store.parse_digest(reference)
        listed = [
            one
            for one in self.listed()
            if reference == (one.annotations.get(REF_NAME) if not digest else oci(one.digest))
        ]
        if digest is None and not listed:
            return None
        wanted = digest or listed[-1].digest
        if not self.has_blob(wanted):
            if digest and not listed:
                return None
            raise VerificationError(f"{self.root} lists the manifest {oci(wanted)}, but does not hold it")
        content = b"".join(self.get_blob(wanted))
        media_type = (
            listed[-1].media_type if listed else store.parse(content, f"the blob {oci(wanted)}").get("mediaType")
        )
        return store.of_bytes(content, str(media_type or store.MANIFEST))

    def put_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """Write the manifest and list it: with its tag, or without one when it has a subject or nothing lists it."""
        if tag is not None and not store.is_tag(tag):
            raise ValueError(f"not a tag: {tag!r}")
        self.put_blob(manifest.descriptor, lambda offset: iter([manifest.content[offset:]]))
        self.list_manifests([listing(manifest, tag)])

    def list_manifests(self, added: Sequence[Descriptor]) -> None:
        """List manifests that are there in `index.json`, all at once; a tag of one names no other from then on."""
        with _writing(self.root), self._alone():
            listed = list(self.listed())
            for one in added:
                tag = one.annotations.get(REF_NAME)
                if tag is None and any(each.digest == one.digest for each in listed):
                    continue
                listed = [
                    each
                    for each in listed
                    if (each.annotations.get(REF_NAME) != tag if tag else True)
                    and not (each.digest == one.digest and REF_NAME not in each.annotations)
                ] + [one]
            self._write_index(listed)

    def listed(self) -> tuple[Descriptor, ...]:
        """Return what `index.json` lists, in its order; nothing when there is no layout yet."""
        file = self.root / "index.json"
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise HostError(f"{file} cannot be read: {error.strerror}") from error
        return store.of_bytes(content, store.INDEX).manifests()

    def tags(self) -> tuple[str, ...]:
        """Return the names in `index.json`, sorted."""
        return tuple(sorted({one.annotations[REF_NAME] for one in self.listed() if REF_NAME in one.annotations}))

    def referrers(self, subject: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """Return the manifests in `index.json` with this subject, and those of the index at its fallback tag."""
        found: dict[Digest, Descriptor] = {}
        fallback = self.get_manifest(store.fallback_tag(subject))
        if fallback is not None and fallback.is_index:
            found = {one.digest: one for one in fallback.manifests()}
        for one in self.listed():
            held = self.get_manifest(oci(one.digest)) if one.digest != subject else None
            if held is not None and held.subject == subject:
                found[held.digest] = store.referrer(held)
        kept = (one for one in found.values() if artifact_type in (None, one.artifact_type))
        return tuple(sorted(kept, key=lambda one: one.digest))

    def _open(self, digest: Digest) -> FileIO:
        try:
            return self.path(digest).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise VerificationError(f"{self.root} does not hold {oci(digest)}") from error
        except OSError as error:
            raise HostError(f"{self.path(digest)} cannot be read: {error.strerror}") from error

    def _keep(self, file: FileIO, digest: Digest) -> None:
        """Put a finished file in its place, durably."""
        os.fsync(file.fileno())
        place = self.path(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.name, place)
        with contextlib.suppress(OSError):
            (self.root / _PARTS).rmdir()  # when it is empty

    @contextlib.contextmanager
    def _part(self, name: str) -> Iterator[FileIO]:
        """Yield an unfinished file, which no other thread or process has, opened for reading and writing."""
        path = self.root / _PARTS / name
        while True:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    break
            os.close(descriptor)  # its holder finished it while we waited
        with open(path, "r+b", buffering=0, opener=lambda *_: descriptor) as file:
            yield file

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep writers of `index.json` apart, by a lock on the folder that ends with the process."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write_index(self, listed: Sequence[Descriptor]) -> None:
        marker = self.root / "oci-layout"
        if not marker.is_file():
            tree.replace(marker, digests.canonical({"imageLayoutVersion": "1.0.0"}))
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": store.INDEX,
            "manifests": [one.document() for one in listed],
        }
        tree.replace(self.root / "index.json", digests.canonical(document))


class NewBlob:
    """A blob that is being written; its digest is told when all is there."""

    __slots__ = ("_file", "committed")

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.committed: Digest | None = None

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Write all of `piece`."""
        _write(self._file, piece)

    def commit(self, digest: Digest) -> None:
        """Say that all is written, and what its digest is."""
        self.committed = digest


def listing(manifest: Manifest, tag: str | None) -> Descriptor:
    """Return how `index.json` lists a manifest, with its tag if it has one."""
    own = manifest.descriptor
    document = manifest.document
    return Descriptor(
        media_type=own.media_type,
        digest=own.digest,
        size=own.size,
        artifact_type=document.get("artifactType"),
        annotations={REF_NAME: tag} if tag else {},
    )


def _fill(file: FileIO, blob: Descriptor, source: BlobSource) -> bool:
    """Complete the file from the source and return whether it is the blob now; what is not is emptied."""
    hashed, offset = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        hashed.update(piece)
        offset += len(piece)
    for piece in source(offset) if offset < blob.size else ():
        hashed.update(piece)
        _write(file, piece)
        offset += len(piece)
        if offset > blob.size:
            break
    if offset == blob.size and hashed.hexdigest() == blob.digest:
        return True
    file.truncate(0)
    return False


def _write(file: FileIO, piece: bytes | bytearray | memoryview) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


@contextlib.contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn what the operating system refuses into HostError."""
    try:
        yield
    except OSError as error:
        raise HostError(
            f"nothing can be written to {root}: {error.strerror}", hint="make space there, or name another folder"
        ) from error
