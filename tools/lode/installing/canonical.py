"""Making a linked tree canonical: the same bytes, modes and times wherever, whenever and by whomever it was linked."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
from _imp import source_hash
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode.errors import BuildError, Fault

# What a package's record in `conda-meta` keeps. Left out: where and when it was installed from, and the archive's hash
# and size, which change with the compressor; contents are in the inventory.
_KEPT = (
    "name", "version", "build", "build_number", "subdir", "arch", "platform", "noarch", "depends", "constrains",
    "license", "license_family", "features", "track_features", "python_site_packages_path", "fn",
)  # fmt: skip
_KEPT_OF_PATH = ("_path", "path_type", "no_link")
_LEFT_BY_LINKING = ("CACHEDIR.TAG",)  # asks backups to skip the folder: wrong for a tree that is the product

_HASH_BASED, _CHECKED = 0b01, 0b10  # flags of a .pyc, PEP 552
_PYC_HEADER_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A package and the paths that it brought, each as the package names it."""

    package: str
    version: str
    paths: tuple[str, ...]  # sorted


def owners(root: Path) -> tuple[Owner, ...]:
    """Return which package brought which paths of the tree, from its `conda-meta`, sorted by package."""
    found = []
    for file in sorted((root / "conda-meta").glob("*.json")):
        document = json.loads(file.read_bytes())
        paths = sorted(str(path.get("original_path") or path["_path"]) for path in document["paths_data"]["paths"])
        found.append(Owner(package=document["name"], version=document["version"], paths=tuple(paths)))
    return tuple(sorted(found, key=lambda owner: owner.package))


def refuse_clobbering(found: tuple[Owner, ...]) -> None:
    """Raise BuildError, a fault for each path, unless every path has one package and no file is another's folder."""
    owner_of: dict[str, str] = {}
    faults = []
    for owner in found:
        for path in owner.paths:
            if path in owner_of:
                faults.append(_clobbering(path, owner_of[path], owner.package))
            owner_of.setdefault(path, owner.package)
    for path in sorted(owner_of):
        for folder in _parents(path):
            if folder in owner_of:
                faults.append(_clobbering(folder, owner_of[folder], owner_of[path]))
                break
    if faults:
        raise BuildError.of(faults)


def make_records_canonical(root: Path) -> None:
    """Rewrite `conda-meta` to say what is installed and nothing of this machine, and remove what linking left."""
    for name in _LEFT_BY_LINKING:
        (root / name).unlink(missing_ok=True)
    for file in sorted((root / "conda-meta").glob("*.json")):
        document = json.loads(file.read_bytes())
        file.write_text(json.dumps(_canonical(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def make_bytecode_canonical(root: Path) -> None:
    """Make every `.pyc` unchecked and hash-based; BuildError with a fault for each that is not of the source beside it.

    A `.pyc` that names its source by time is stale as soon as times are set, and one whose source had its path
    rewritten at installation still holds the path of the build: both would be used, or never be used, in silence.
    """
    faults = []
    for path in _files(root):
        if path.suffix == ".pyc":
            reason = _make_unchecked(path)
            if reason:
                faults.append(
                    Fault(
                        message=f"{path.relative_to(root)} {reason}",
                        hint="the recipe compiles with --invalidation-mode unchecked-hash, after all edits of sources,"
                        " and leaves out sources that contain the prefix",
                    )
                )
    if faults:
        raise BuildError.of(faults)


def make_modes_canonical(root: Path) -> None:
    """Give folders and programs mode 0755 and other files 0644: no set-user-id, nothing writable but by the owner."""
    root.chmod(0o755)
    for at, folders, files, descriptor in os.fwalk(root):
        for name in folders + files:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                continue
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise BuildError(f"{os.path.relpath(os.path.join(at, name), root)} is neither file, folder nor link")
            wanted = 0o755 if stat.S_ISDIR(mode) or mode & 0o111 else 0o644
            if stat.S_IMODE(mode) != wanted:
                os.chmod(name, wanted, dir_fd=descriptor)


def make_times_canonical(root: Path, epoch_s: int) -> None:
    """Set the times of everything in the tree, and of its root, to `epoch_s`."""
    for _, folders, files, descriptor in os.fwalk(root, topdown=False):
        for name in folders + files:
            os.utime(name, (epoch_s, epoch_s), dir_fd=descriptor, follow_symlinks=False)
    os.utime(root, (epoch_s, epoch_s))


def _canonical(document: Mapping[str, Any]) -> dict[str, Any]:
    paths = sorted(document["paths_data"]["paths"], key=lambda path: str(path["_path"]))
    return {
        **{key: document[key] for key in _KEPT if document.get(key) is not None},
        "url": f"file:///channel/{document['fn']}",  # a record must have one; this names no place
        "channel": "file:///channel",
        "files": [path["_path"] for path in paths],
        "paths_data": {
            "paths_version": 1,
            "paths": [{key: path[key] for key in _KEPT_OF_PATH if key in path} for path in paths],
        },
    }


def _clobbering(path: str, first: str, second: str) -> Fault:
    return Fault(
        message=f"{path} comes from both {first} and {second}",
        hint=f"remove it in the `finish` step of one of the two recipes, {first} or {second}",
    )


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _files(root: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(at, name)
            if not path.is_symlink():
                yield path


def _make_unchecked(path: Path) -> str | None:
    """Return why the `.pyc` at `path` cannot be made unchecked and hash-based, or None when it now is."""
    with path.open("r+b") as file:
        header = file.read(_PYC_HEADER_BYTES)
        flags = int.from_bytes(header[4:8], "little")
        if len(header) < _PYC_HEADER_BYTES:
            return "is cut short"
        if not flags & _HASH_BASED:
            return "is checked by the time of its source"
        source = _source(path)
        if source is not None and source_hash(int.from_bytes(header[:4], "little"), source) != header[8:]:
            return "was not compiled from the source beside it"
        if flags & _CHECKED:
            file.seek(4)
            file.write(_HASH_BASED.to_bytes(4, "little"))
    return None


def _source(path: Path) -> bytes | None:
    try:
        return Path(importlib.util.source_from_cache(str(path))).read_bytes()
    except (ValueError, FileNotFoundError):
        return None  # a module that is shipped without its source
