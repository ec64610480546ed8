"""Symbol versions that ELF files need of the OS: what is newer than a target has does not start there.

Source: the GNU version extension of the System V ABI (.gnu.version_r, .gnu.version), LSB Core 5.0, chapter 10.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

MAGIC = b"\x7fELF"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TooNew:
    """A symbol version that a file needs and the target does not have."""

    library: str  # soname, `libc.so.6`
    version: str  # `GLIBC_2.38`
    symbol: str  # one that needs it, `__isoc23_strtol`


def too_new(stream: BinaryIO, *, glibc: str, libstdcxx: str) -> tuple[TooNew, ...]:
    """Return what the ELF file in `stream` needs beyond GLIBC_`glibc` and GLIBCXX_`libstdcxx`, sorted.

    A file that is no ELF file, or a broken one, needs nothing.
    """
    limits = {"GLIBC_": _numbers(glibc), "GLIBCXX_": _numbers(libstdcxx)}
    try:
        file = ELFFile(stream)
        needs: Any = file.get_section_by_name(".gnu.version_r")
        if needs is None:
            return ()
        found = {
            auxiliary["vna_other"]: (need.name, auxiliary.name)
            for need, auxiliaries in needs.iter_versions()
            for auxiliary in auxiliaries
            if _beyond(auxiliary.name, limits)
        }
        names = _symbols(file, set(found)) if found else {}
    except (ELFError, UnicodeDecodeError, KeyError, AttributeError):
        return ()
    return tuple(
        sorted(
            TooNew(library=library, version=version, symbol=names.get(index, "?"))
            for index, (library, version) in found.items()
        )
    )


def _beyond(version: str, limits: Mapping[str, tuple[int, ...]]) -> bool:
    for prefix, limit in limits.items():
        if version.startswith(prefix):
            numbers = _numbers(version.removeprefix(prefix))
            return bool(numbers) and numbers > limit
    return False


def _symbols(file: Any, indices: set[int]) -> dict[int, str]:
    """Return for each version index the first symbol by name that carries it."""
    versions, symbols = file.get_section_by_name(".gnu.version"), file.get_section_by_name(".dynsym")
    names: dict[int, str] = {}
    if versions is None or symbols is None:
        return names
    for position in range(symbols.num_symbols()):
        index = versions.get_symbol(position)["ndx"]
        if index in indices:
            name = symbols.get_symbol(position).name
            names[index] = min(name, names.get(index, name))
    return names


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of `2.36`; nothing for names such as `PRIVATE` and `ABI_DT_RELR`."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
