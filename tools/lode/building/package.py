"""Conda packages in canonical form: the same tree and metadata give the same bytes.

What rattler-build writes depends on the time and on the order of a hash map; `canonical` writes it again with sorted
members, one fixed time, plain owners and modes, and without what tells of the machine. Format: CEP 6 and the
`.conda` container of conda-package-handling (a stored zip of metadata.json, info-*.tar.zst and pkg-*.tar.zst).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from lode import inventory
from lode.building.symbols import MAGIC, TooNew, too_new
from lode.digest import Digest
from lode.errors import BuildError
from lode.inventory import Entry, EntryType
from lode.rendering.script import EPOCH

_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
_METADATA = b'{"conda_pkg_format_version":2}'
_LEVEL = 9
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What a canonical package file holds."""

    sha256: Digest
    size_bytes: int
    inventory: Digest  # of the tree inside
    index: Mapping[str, Any]  # info/index.json
    newer: tuple[tuple[str, TooNew], ...]  # file and what it needs beyond the target's C and C++ libraries


@dataclass(slots=True)
class _Contents:
    """What is learned of the files while they are copied."""

    entries: list[Entry]
    newer: list[tuple[str, TooNew]]


def canonical(source: Path, destination: Path, *, glibc: str, libstdcxx: str) -> Package:
    """Write the package `source` in canonical form to `destination` and return what it holds."""
    contents = _Contents(entries=[], newer=[])
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(destination, "w", zipfile.ZIP_STORED) as written:
        names = {name.partition("-")[0]: name for name in archive.namelist()}
        _member(written, "metadata.json", io.BytesIO(_METADATA), len(_METADATA))
        with _unpacked(archive, names["info"]) as members:
            index, information = _information(members)
        _compressed(written, names["info"], lambda tar: _put_all(tar, information))
        with _unpacked(archive, names["pkg"]) as members:

            def look(name: str, content: IO[bytes]) -> None:
                found = too_new(content, glibc=glibc, libstdcxx=libstdcxx)  # type: ignore[arg-type]
                contents.newer += [(name, item) for item in found]

            _compressed(written, names["pkg"], lambda tar: _copy_all(members, tar, contents.entries, look))
    destination.chmod(0o644)
    with destination.open("rb") as file:
        sha256 = Digest(hashlib.file_digest(file, "sha256").hexdigest())
    return Package(
        sha256=sha256,
        size_bytes=destination.stat().st_size,
        inventory=inventory.digest(_with_folders(contents.entries)),
        index=index,
        newer=tuple(contents.newer),
    )


def repodata(platform: str, packages: Mapping[str, tuple[Mapping[str, Any], Digest, int]]) -> bytes:
    """Return the repodata.json of a channel's platform folder: file name to index, sha256 and size."""
    records = {
        name: {**index, "sha256": sha256, "size": size} for name, (index, sha256, size) in sorted(packages.items())
    }
    document = {"info": {"subdir": platform}, "packages": {}, "packages.conda": records, "repodata_version": 1}
    return json.dumps(document, sort_keys=True).encode()


@contextlib.contextmanager
def _unpacked(archive: zipfile.ZipFile, name: str) -> Iterator[tarfile.TarFile]:
    """Yield the tar inside a member of the zip, unpacked to a nameless file: its members are read in any order."""
    with tempfile.TemporaryFile() as file:
        with archive.open(name) as compressed:
            zstandard.ZstdDecompressor().copy_stream(compressed, file, write_size=_CHUNK)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            yield tar


def _compressed(archive: zipfile.ZipFile, name: str, fill: Callable[[tarfile.TarFile], None]) -> None:
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with tempfile.TemporaryFile() as file:
        with (
            compressor.stream_writer(file, closefd=False) as writer,
            tarfile.open(fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar,
        ):
            fill(tar)
        size = file.tell()
        file.seek(0)
        _member(archive, name, file, size)


def _member(archive: zipfile.ZipFile, name: str, content: IO[bytes], size: int) -> None:
    """Store a member of known size: only then do all versions of Python write the same header."""
    information = zipfile.ZipInfo(name, _ZIP_TIME)
    information.external_attr = 0o644 << 16
    information.create_system = 3
    information.file_size = size
    with archive.open(information, "w") as member:
        shutil.copyfileobj(content, member, _CHUNK)


def _information(tar: tarfile.TarFile) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return index.json and all files of the info part without times, channels and chance."""
    files = {member.name: _read(tar, member) for member in tar if member.isfile()}
    index = json.loads(files["info/index.json"])
    index.pop("timestamp", None)
    for key in ("depends", "constrains"):
        if key in index:
            index[key] = sorted(index[key])
    about = json.loads(files["info/about.json"])
    about.pop("channels", None)
    paths = json.loads(files["info/paths.json"])
    paths["paths"] = sorted(paths["paths"], key=lambda path: str(path["_path"]).encode())
    for name, document in (("index", index), ("about", about), ("paths", paths)):
        files[f"info/{name}.json"] = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False).encode()
    return index, files


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    with file:
        return file.read()


def _put_all(tar: tarfile.TarFile, files: Mapping[str, bytes]) -> None:
    for name, content in sorted(files.items()):
        member = _header(name, tarfile.REGTYPE, 0o644)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def _copy_all(
    source: tarfile.TarFile, tar: tarfile.TarFile, entries: list[Entry], look: Callable[[str, IO[bytes]], None]
) -> None:
    for member in sorted(source.getmembers(), key=lambda member: os.fsencode(member.name)):
        if member.issym():
            header = _header(member.name, tarfile.SYMTYPE, 0o777)
            header.linkname = member.linkname
            tar.addfile(header)
            size = len(os.fsencode(member.linkname))
            entries.append(
                Entry(path=member.name, type=EntryType.SYMLINK, mode=0o777, size=size, content=member.linkname)
            )
            continue
        if member.isdir():
            continue
        file = source.extractfile(member)  # follows a hard link to its file
        if file is None:
            raise BuildError(f"{member.name} is neither a file nor a link", hint="remove it in the recipe's `finish`")
        with file:
            entries.append(_copy(file, member, tar, look))


def _copy(
    file: IO[bytes], member: tarfile.TarInfo, tar: tarfile.TarFile, look: Callable[[str, IO[bytes]], None]
) -> Entry:
    mode = 0o755 if member.mode & 0o111 else 0o644
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    size = file.tell()
    file.seek(0)
    if file.read(len(MAGIC)) == MAGIC:
        file.seek(0)
        look(member.name, file)
    file.seek(0)
    header = _header(member.name, tarfile.REGTYPE, mode)
    header.size = size
    tar.addfile(header, file)
    return Entry(path=member.name, type=EntryType.FILE, mode=mode, size=size, content=digest.hexdigest())


def _header(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type = kind
    header.mode = mode
    header.mtime = EPOCH
    return header


def _with_folders(entries: list[Entry]) -> list[Entry]:
    """Return the entries and the folders above them, in order."""
    folders = {str(folder) for entry in entries for folder in PurePosixPath(entry.path).parents} - {"."}
    made = [Entry(path=folder, type=EntryType.DIRECTORY, mode=0o755, size=0, content="") for folder in folders]
    return sorted([*entries, *made], key=lambda entry: entry.path.encode("utf-8", "surrogateescape"))
