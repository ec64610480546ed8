"""Laying out a node's source tree: its sources unpacked in order, then its patches, then one fixed time for all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from lode import digest
from lode.errors import Fault, SourceError
from lode.locking.graph import LockedSource, Node
from lode.sourcing import archives, pack, patch, unpack
from lode.sourcing.access import storing
from lode.sourcing.archives import Limits
from lode.sourcing.mirror import Mirror


def stage(
    node: Node,
    target: str,
    mirror: Mirror,
    *,
    file: Callable[[str, str], bytes],
    recipe_file: Callable[[str, str], Path],
    destination: Path,
    limits: Limits | None = None,
) -> None:
    """Lay out what `node` is built from on `target` in `destination`, an empty or absent folder.

    `file` gives the bytes, `recipe_file` the path of a file by (package, path relative to its recipe). Every source and
    patch is checked against its sha256 as it is read. SourceError names node and archive; nothing is left then.
    """
    if destination.is_dir() and any(destination.iterdir()):
        raise ValueError(f"not an empty folder: {destination}")
    for one in node.patches:
        if target in one.targets:
            patch.refuse_expired(node, one)
    try:
        with storing(destination):
            destination.mkdir(parents=True, exist_ok=True)
        for source in node.sources:
            if target in source.targets:
                _lay(node, source, mirror, recipe_file, destination, limits or Limits())
        for one in node.patches:
            if target in one.targets:
                content = file(node.package, one.file)
                if digest.of_bytes(content) != one.sha256:
                    raise SourceError(
                        f"{node.package} {node.version}: the patch {one.file} is not the one that was locked",
                        hint="take it back to what it was, or lock again",
                    )
                patch.apply(node, one, content, destination)
        with storing(destination):
            unpack.settle(destination)
    except BaseException:
        shutil.rmtree(destination, ignore_errors=True)
        raise


def _lay(
    node: Node,
    source: LockedSource,
    mirror: Mirror,
    recipe_file: Callable[[str, str], Path],
    destination: Path,
    limits: Limits,
) -> None:
    """Put one source at its place below `destination`."""
    who = f"{node.package} {node.version}"
    folder = _folder(who, source, destination)
    with _opened(node, source, mirror, recipe_file, destination) as content:
        first = source.origins[0] if source.origins else None
        if not source.unpack:
            _copy(who, content, source.filename, folder)
            return
        if first is not None and first.scheme == "path" and not archives.is_archive(content):
            _copy(who, content, first.location.rstrip("/").rpartition("/")[2], folder)
            return
        try:
            unpack.unpack(content, source.filename, folder, subdirectory=source.subdirectory, limits=limits)
        except SourceError as error:
            raise SourceError.of([_attributed(fault, who) for fault in error.faults]) from error


def _attributed(fault: Fault, who: str) -> Fault:
    return Fault(message=f"{who}: {fault.message}", place=fault.place, hint=fault.hint)


def _folder(who: str, source: LockedSource, destination: Path) -> Path:
    """Return where the source goes; none of the folders on the way may be a link that another source brought."""
    try:
        where = unpack.parts(source.directory)
    except ValueError as error:
        raise SourceError(f"{who}: the directory {source.directory!r} for {source.filename} {error}") from error
    folder = destination
    for part in where:
        folder = folder / part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise SourceError(f"{who}: the directory {source.directory!r} for {source.filename} goes through {part!r}")
    return folder


def _copy(who: str, content: BinaryIO, filename: str, folder: Path) -> None:
    if "/" in filename or filename in ("", ".", ".."):
        raise SourceError(f"{who}: {filename!r} is not a file name")
    path = folder / filename
    with storing(path):
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            raise SourceError(f"{who}: {filename} was brought by another source too")
        with path.open("wb") as out:
            shutil.copyfileobj(content, out)
        path.chmod(0o644)


@contextmanager
def _opened(
    node: Node,
    source: LockedSource,
    mirror: Mirror,
    recipe_file: Callable[[str, str], Path],
    destination: Path,
) -> Iterator[BinaryIO]:
    """Open the source's bytes, from the mirror or beside the recipe, once their sha256 has been checked."""
    with _found(node, source, mirror, recipe_file, destination) as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
        if sha256 != source.sha256:
            name = getattr(content, "name", source.filename)
            raise SourceError(
                f"{node.package} {node.version}: {name} has the sha256 {sha256} instead of {source.sha256}",
                hint="fetch again: a damaged file is replaced",
            )
        content.seek(0)
        yield content


def _found(
    node: Node,
    source: LockedSource,
    mirror: Mirror,
    recipe_file: Callable[[str, str], Path],
    destination: Path,
) -> BinaryIO:
    path = mirror.find(source)
    if path is not None:
        return path.open("rb")
    for origin in source.origins:
        beside = recipe_file(node.package, origin.location) if origin.scheme == "path" else None
        if beside is not None and beside.is_file():
            return beside.open("rb")
        if beside is not None and beside.is_dir():
            with storing(destination):
                archive = tempfile.TemporaryFile(dir=destination.parent)  # noqa: SIM115 - the caller closes it
                pack.pack(beside, archive)
                archive.seek(0)
                return cast(BinaryIO, archive)
    raise SourceError(
        f"{node.package} {node.version}: {source.filename} is not in the mirror at {mirror.path(source)}",
        hint="fetch the stack's sources first: lode fetch",
    )
