"""The audit of a tree before it is put in place: it must load nothing but itself and what its target has.

Looks at every file. ELF files: libraries found along their own run path, run paths inside the tree, symbols that those
libraries have, symbol versions that the target's C and C++ libraries have (System V ABI, chapter 5, and ld.so(8)). All
files: no stand-in of the final path is left. Scripts and what tells other builds where things are: no folder of the
build, which is gone. Elsewhere such a path is only a record of how a package was built, as in CPython's Makefile, and
the same in every build.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from lode.building import rattler, symbols
from lode.definitions.target import Target
from lode.errors import BuildError, Fault
from lode.installing import canonical, linkage
from lode.inventory import printable
from lode.locking.graph import Lock

_STAND_IN = b"_placehold_placehold"  # rattler-build's for the final path
_FOLDER = rattler.ROOT.encode() + b"/"
_USED_FOLDERS = ("bin/", "sbin/", "libexec/")  # files that others run or read to build against the tree
_USED_SUFFIXES = (".pc", ".cmake", ".la", ".prl", ".pri", ".sh", ".csh", ".fish")
_MAPPED = b"-prefix-map="  # of -ffile-prefix-map, -fdebug-prefix-map and -fmacro-prefix-map
_HEAD_BYTES = 8192  # in which a binary file has a zero byte
_LONGEST_TRACE = 120  # characters of a path that are shown
_HOPS = 40  # links that are followed, as the kernel does
_FAULTS = 200  # more would not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    root: Path
    final_path: str
    target: Target
    owners: dict[str, str]  # path to package
    allowed: dict[str, tuple[str, ...]]  # package to what it may take from the OS beyond the target's list
    needs: dict[str, linkage.Needs]  # path of an ELF file to what it loads, filled as the files are looked at


def audit(root: Path, lock: Lock, target: str, final_path: str) -> None:
    """Raise BuildError, a fault for each file and what it lacks, unless the tree at `root` is fit for `final_path`."""
    tree = _Tree(
        root=root,
        final_path=final_path,
        target=lock.target(target).definition,
        owners={path: owner.package for owner in canonical.owners(root) for path in owner.paths},
        allowed={node.package: node.system_libraries for node in lock.nodes},
        needs={},
    )
    faults: list[Fault] = []
    for path in _files(root):
        faults += _file_faults(tree, path)
        if len(faults) > _FAULTS:
            faults.append(Fault(message=f"the audit stopped after {len(faults)} faults"))
            break
    else:
        faults += _symbol_faults(tree)
    if faults:
        raise BuildError.of(faults)


def _files(root: Path) -> Iterator[str]:
    for at, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(at, name)
            if not os.path.islink(path):
                yield os.path.relpath(path, root)


def _file_faults(tree: _Tree, path: str) -> Iterator[Fault]:
    file = tree.root / path
    if file.stat().st_size == 0:
        return
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = _trace(content, used=_is_used(path, file.stat().st_mode, content))
        if at is not None:
            yield Fault(
                message=f"{_named(tree, path)} contains the path of its build, {_whole(content, at)}",
                hint="have the recipe leave it out, or replace it in its `finish` step",
            )
        if content[:4] == symbols.MAGIC:
            yield from _elf_faults(tree, path)


def _elf_faults(tree: _Tree, path: str) -> Iterator[Fault]:
    with (tree.root / path).open("rb") as stream:
        try:
            needed, run_path = _dynamic(ELFFile(stream))
        except (ELFError, UnicodeDecodeError, KeyError, AttributeError):
            return  # cut or foreign: nothing that a loader would load
        folders = []
        for entry in run_path:
            folder = _folder(tree, path, entry)
            if folder is None:
                yield Fault(
                    message=f"{_named(tree, path)} has the run path {entry!r}, which leads out of the prefix",
                    hint="build it with a run path below $PREFIX, or relative to $ORIGIN",
                )
            else:
                folders.append(folder)
        owner = tree.owners.get(path, "")
        system = (*tree.target.system_libraries, *tree.allowed.get(owner, ()))
        own, others = [], []
        for library in needed:
            found = next((place for folder in folders if (place := _place(tree, folder / library))), None)
            if found is not None:
                own.append(found)
                continue
            others.append(library)
            if not any(fnmatchcase(library, pattern) for pattern in system):
                yield Fault(
                    message=f"{_named(tree, path)} needs {library}, which is neither in the prefix along its run path"
                    f" ({':'.join(run_path) or 'none'}) nor a system library of {tree.target.name}",
                    hint="give the recipe a link dependency on what brings it, or name it in system_libraries",
                )
        tree.needs[path] = linkage.Needs(own=tuple(own), system=tuple(others))
        for new in symbols.too_new(stream, glibc=tree.target.glibc, libstdcxx=tree.target.libstdcxx):
            yield Fault(
                message=f"{_named(tree, path)} needs {new.version} of {new.library} ({new.symbol}),"
                f" newer than {tree.target.name} has",
                hint="build it on the target, or take a wheel of an older platform tag",
            )


def _dynamic(file: ELFFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the needed libraries and the entries of the run path; RUNPATH makes the loader forget RPATH."""
    section: Any = next((part for part in file.iter_segments() if part.header.p_type == "PT_DYNAMIC"), None)
    if section is None:
        return (), ()
    needed, paths = [], {"DT_RPATH": "", "DT_RUNPATH": ""}
    for tag in section.iter_tags():
        if tag.entry.d_tag == "DT_NEEDED":
            needed.append(str(tag.needed))
        elif tag.entry.d_tag in paths:
            paths[tag.entry.d_tag] = str(getattr(tag, tag.entry.d_tag.removeprefix("DT_").lower()))
    text = paths["DT_RUNPATH"] or paths["DT_RPATH"]
    return tuple(needed), tuple(dict.fromkeys(text.split(":"))) if text else ()


def _folder(tree: _Tree, path: str, entry: str) -> PurePosixPath | None:
    """Return the folder of the tree, relative to its root, that an entry of a run path means; None if outside."""
    origin = f"{tree.final_path}/{path}".rpartition("/")[0]
    text = entry.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
    if not text.startswith("/") or "$" in text.removeprefix(origin):
        return None
    placed = PurePosixPath(os.path.normpath(text))
    return placed.relative_to(tree.final_path) if placed.is_relative_to(tree.final_path) else None


def _symbol_faults(tree: _Tree) -> Iterator[Fault]:
    for one in linkage.unresolved(tree.root, tree.needs):
        more = f" and {len(one.names) - 1} more" if len(one.names) > 1 else ""
        if one.likely is None:
            yield Fault(
                message=f"{_named(tree, one.path)} asks for the symbol {printable(one.names[0])}{more},"
                " which no file of the prefix has",
                hint="give the recipe a link dependency on what has it, or link it",
            )
            continue
        package = tree.owners.get(one.likely)
        yield Fault(
            message=f"{_named(tree, one.path)} asks for the symbol {printable(one.names[0])}{more},"
            f" which {_named(tree, one.likely)} should have and has not",
            hint=f"it was compiled against another version of {package or one.likely}: ask for the one that has the"
            " symbol in the recipe's link dependencies",
        )


def _place(tree: _Tree, path: PurePosixPath) -> str | None:
    """Return the file of the tree that `path` means, links followed as if the tree lay at its final path."""
    for _ in range(_HOPS):
        file = tree.root / path
        if not file.is_symlink():
            return str(path) if file.is_file() else None
        placed = os.path.normpath(os.path.join(tree.final_path, path.parent, os.readlink(file)))
        if not PurePosixPath(placed).is_relative_to(tree.final_path):
            return None
        path = PurePosixPath(placed).relative_to(tree.final_path)
    return None


def _is_used(path: str, mode: int, content: mmap.mmap) -> bool:
    """Return whether a path in the file would be followed: it is a script, or configures other builds."""
    binary = content.find(b"\0", 0, _HEAD_BYTES) >= 0
    return not binary and (bool(mode & 0o111) or path.startswith(_USED_FOLDERS) or path.endswith(_USED_SUFFIXES))


def _trace(content: mmap.mmap, *, used: bool) -> int | None:
    """Return where a path of the build is; options that map it to another path, as packages record them, are none."""
    at = content.find(_STAND_IN)
    if at < 0 and used:
        at = content.find(_FOLDER)
        while at >= 0 and content[max(0, at - len(_MAPPED)) : at] == _MAPPED:
            at = content.find(_FOLDER, at + 1)
    return at if at >= 0 else None


def _named(tree: _Tree, path: str) -> str:
    owner = tree.owners.get(path)
    return f"{printable(path)} of {owner}" if owner else printable(path)


def _whole(content: mmap.mmap, at: int) -> str:
    """Return the path that has the trace at `at`: up to white space, a quote or a control character on both sides."""
    ends = frozenset(b"\0\t\n\r \"'`:;,<>|")
    start = at
    while start > 0 and at - start < _LONGEST_TRACE and content[start - 1] not in ends:
        start -= 1
    end = at
    while end < len(content) and end - start < _LONGEST_TRACE and content[end] not in ends:
        end += 1
    return printable(content[start:end].decode("utf-8", "replace"))
