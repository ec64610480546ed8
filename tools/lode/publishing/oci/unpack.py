"""An image as a root file system in a folder: its layers laid one over the other, put in place whole."""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lode import scratch
from lode.errors import HostError, UsageError, VerificationError
from lode.progress import Progress
from lode.publishing.oci import store
from lode.publishing.oci.assemble import EMPTY_FOLDERS
from lode.publishing.oci.store import Descriptor, Manifest, OciStore, oci

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"  # image specification, layer.md


def unpack(there: OciStore, manifest: Manifest, folder: Path, *, progress: Progress) -> None:
    """Write the root file system of an image to `folder`, which is empty or not there yet.

    UsageError when something is in the folder; VerificationError when a layer is damaged, or holds what would lie out
    of the folder; HostError when it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and is not empty", hint="name a folder that is not there yet")
    layers = [blob for blob in manifest.blobs() if ".layer." in blob.media_type or ".diff." in blob.media_type]
    task = f"unpack {folder.name}"
    progress.start(task, total=sum(one.size for one in layers), unit="B")
    try:
        with scratch.folder("rootfs", folder.parent) as work:
            root = work / folder.name
            root.mkdir()
            for one in layers:
                with _opened(there, one) as stream:
                    _lay(stream, root)
                progress.advance(task, one.size)
            for name, mode in EMPTY_FOLDERS.items():
                if (root / name).is_dir() and not (root / name).is_symlink():
                    (root / name).chmod(mode)
            os.rename(root, folder)  # also onto an empty folder
    except tarfile.TarError as error:
        progress.finish(task, "failed")
        raise VerificationError(f"a layer of {oci(manifest.digest)} cannot be unpacked: {error}") from error
    except OSError as error:
        progress.finish(task, "failed")
        hint = "make space there, or name another folder" if error.errno == errno.ENOSPC else None
        raise HostError(f"{folder} cannot be written: {error.strerror}", hint=hint) from error
    except BaseException:
        progress.finish(task, "failed")
        raise
    progress.finish(task)


class _Reader:
    """The tar file of a layer as a stream; its blob is read, and checked, to its end."""

    def __init__(self, pieces: Iterator[bytes], inflate: Any) -> None:
        self._pieces, self._inflate = pieces, inflate
        self._ready = bytearray()

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._ready) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._ready += self._inflate(piece)
        size = len(self._ready) if size < 0 else size
        given = bytes(self._ready[:size])
        del self._ready[:size]
        return given


class _Layer:
    """A context that yields a layer's tar stream and reads its blob to the end, so that its digest is checked."""

    def __init__(self, pieces: Iterator[bytes], inflate: Any) -> None:
        self._pieces = pieces
        self._reader = _Reader(pieces, inflate)

    def __enter__(self) -> Any:
        return self._reader

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for _piece in self._pieces:
                pass


def _opened(there: OciStore, one: Descriptor) -> _Layer:
    return _Layer(there.get_blob(one.digest), inflater(one))


def inflater(one: Descriptor) -> Any:
    """Return the function that takes the pieces of a layer's blob and returns those of its tar file.

    VerificationError for a media type that names no compression we know.
    """
    if one.media_type.endswith("gzip"):
        from isal import isal_zlib

        return _checked(_Gunzip().decompress, isal_zlib.IsalError, one)
    if one.media_type == store.LAYER_ZSTD:
        import zstandard

        stream = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)
        return _checked(stream.decompress, zstandard.ZstdError, one)
    if one.media_type.endswith(".tar"):
        return bytes
    raise VerificationError(f"the layer {oci(one.digest)} is of the kind {one.media_type}, which is not known here")


def _checked(inflate: Any, error: Any, one: Descriptor) -> Any:
    """Return `inflate` with its error told as ours."""

    def checked(piece: bytes) -> bytes:
        try:
            out: bytes = inflate(piece)
        except error as reason:
            raise VerificationError(f"the layer {oci(one.digest)} cannot be unpacked: {reason}") from reason
        return out

    return checked


class _Gunzip:
    """A gzip stream of one or more members, as RFC 1952 has it and engines read it."""

    def __init__(self) -> None:
        from isal import isal_zlib

        self._new = isal_zlib.decompressobj
        self._member = self._new(31)

    def decompress(self, piece: bytes) -> bytes:
        out: bytes = self._member.decompress(piece)
        while self._member.eof and (rest := self._member.unused_data):
            self._member = self._new(31)
            out += self._member.decompress(rest)
        return out


def _lay(stream: IO[bytes], root: Path) -> None:
    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as tar:
        for member in tar:
            name = os.path.basename(member.name)
            if name.startswith(_WHITEOUT):
                _take_away(root, os.path.dirname(member.name), name)
                continue
            place = root / member.name
            if member.isdev():
                continue  # engines make their own
            if place.is_symlink() or (place.exists() and not (place.is_dir() and member.isdir())):
                _remove(place)
            tar.extract(member, root, filter="tar")


def _take_away(root: Path, folder: str, name: str) -> None:
    place = (root / folder).resolve()
    if root.resolve() not in (place, *place.parents):
        raise tarfile.OutsideDestinationError(tarfile.TarInfo(f"{folder}/{name}"), str(place))
    for one in place.iterdir() if name == _OPAQUE else (place / name.removeprefix(_WHITEOUT),):
        _remove(one)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
