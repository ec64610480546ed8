"""Symbols that an ELF file asks for and nothing in its tree has: it was compiled against another version of a library.

Only what is certain is reported. A symbol with a version belongs to the library that the version names; one of a file
that also loads a library of the OS without versions may be there; one that any file of the tree defines may come from
the program that loads a plug-in, as Python's symbols do; and a plug-in whose program is not in the tree is no fault of
the tree. The rest no loader finds.

Source: System V ABI, chapters 4 (symbol table) and 5 (dynamic linking); LSB Core 5.0, 10.7 (symbol versions).
"""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from lode.building import symbols

_VERSIONED = (  # libraries of the OS whose every symbol has a version
    "ld-linux*.so.*", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1",
    "libresolv.so.2", "libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libgfortran.so.*", "libquadmath.so.0",
    "libatomic.so.1", "libcrypt.so.*",
)  # fmt: skip
_INDEX = 0x7FFF  # of .gnu.version, without the flag that hides a version
_NO_VERSION = 1  # 0 is local, 1 global
_GLOBAL, _WEAK, _UNIQUE = 1, 2, 10  # STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE
_FEWEST = 4  # first characters that two names must share, behind C++'s _ZN, to be called alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a file loads: paths of libraries in the tree, and sonames of those of the OS."""

    own: tuple[str, ...]
    system: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A file and the symbols that nothing gives it."""

    path: str
    names: tuple[str, ...]  # as the linker knows them, sorted
    likely: str | None  # path of the library in the tree that the file loads and that has names like the first one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    defined: frozenset[str]
    asked: frozenset[str]  # strong and without a version


_Reader = Callable[[Path], _Table]


def unresolved(root: Path, files: Mapping[str, Needs]) -> tuple[Unresolved, ...]:
    """Return which of the `files` of the tree at `root`, by path, ask in vain for what; sorted by path."""
    table = functools.cache(_table)  # of this call: a library is asked for by each file that loads it
    asking = {path: names for path in sorted(files) if (names := _asked(root, path, files, table))}
    wanted = set().union(*asking.values())
    for path in _elf_files(root):
        if not wanted:
            break
        wanted -= _table(root / path).defined
    needed = {one for needs in files.values() for one in needs.own}
    return tuple(
        Unresolved(
            path=path, names=tuple(sorted(names & wanted)), likely=_likely(root, min(names & wanted), own, table)
        )
        for path, names in asking.items()
        if names & wanted
        for own in [_loaded(path, files)]
        if path in needed or _is_program(root / path) or _likely(root, min(names & wanted), own, table)
    )


def _asked(root: Path, path: str, files: Mapping[str, Needs], table: _Reader) -> frozenset[str]:
    """Return what `path` asks of libraries of the tree; nothing when it may come from the OS."""
    loaded = (path, *_loaded(path, files))
    system = [name for one in loaded if one in files for name in files[one].system]
    if not files[path].own or any(not _is_versioned(name) for name in system):
        return frozenset()
    names = table(root / path).asked
    for one in loaded:
        if not names:
            break
        names -= table(root / one).defined
    return names


def _is_program(file: Path) -> bool:
    with file.open("rb") as stream:
        return any(part.header.p_type == "PT_INTERP" for part in ELFFile(stream).iter_segments())


def _loaded(path: str, files: Mapping[str, Needs]) -> tuple[str, ...]:
    """Return the libraries of the tree that `path` loads, those that they load too, without itself."""
    found: dict[str, None] = {}
    ahead = [path]
    while ahead:
        needs = files.get(ahead.pop())
        for one in needs.own if needs else ():
            if one not in found and one != path:
                found[one] = None
                ahead.append(one)
    return tuple(found)


def _is_versioned(soname: str) -> bool:
    return any(fnmatchcase(soname, pattern) for pattern in _VERSIONED)


def _elf_files(root: Path) -> Iterator[str]:
    for at, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(at, name)
            if not file.is_symlink() and file.is_file():
                with file.open("rb") as stream:
                    if stream.read(4) == symbols.MAGIC:
                        yield os.path.relpath(file, root)


def _table(file: Path) -> _Table:
    """Return what the dynamic symbols of `file` define and ask for; nothing of a file that is cut or foreign."""
    with file.open("rb") as stream:
        try:
            return _read(ELFFile(stream))
        except (ELFError, UnicodeDecodeError, KeyError, AttributeError, struct.error, IndexError):
            return _Table(defined=frozenset(), asked=frozenset())


def _read(file: Any) -> _Table:
    section, versions = file.get_section_by_name(".dynsym"), file.get_section_by_name(".gnu.version")
    if section is None:
        return _Table(defined=frozenset(), asked=frozenset())
    order = "<" if file.little_endian else ">"
    names: bytes = file.get_section(section["sh_link"]).data()
    words = struct.iter_unpack(f"{order}H", versions.data()) if versions else None
    defined, asked = set(), set()
    for row in struct.iter_unpack(f"{order}IBBHQQ" if file.elfclass == 64 else f"{order}IIIBBH", section.data()):
        name, info, place = (row[0], row[1], row[3]) if file.elfclass == 64 else (row[0], row[3], row[5])
        version = next(words)[0] & _INDEX if words else _NO_VERSION
        binding = info >> 4
        if not name or binding not in (_GLOBAL, _WEAK, _UNIQUE):
            continue
        if place:
            defined.add(_text(names, name))
        elif binding == _GLOBAL and version <= _NO_VERSION:
            asked.add(_text(names, name))
    return _Table(defined=frozenset(defined), asked=frozenset(asked))


def _text(names: bytes, at: int) -> str:
    return names[at : names.index(b"\0", at)].decode("utf-8", "replace")


def _likely(root: Path, name: str, libraries: Collection[str], table: _Reader) -> str | None:
    """Return the library that defines a name which shares most of its first characters with `name`; None if unlike."""
    least = _FEWEST + (4 if name.startswith("_ZNK") else 3 if name.startswith("_ZN") else 0)
    alike = [(_shared(name, table(root / one).defined), one) for one in libraries]
    most, library = max(alike, default=(0, None), key=lambda pair: pair[0])
    return library if most >= least else None


def _shared(name: str, others: Collection[str]) -> int:
    return max(
        (
            sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False)))
            for other in others
        ),
        default=0,
    )
