"""Constraints of Lode as version ranges of Spack that admit the same versions.

Spack's ranges include their ends and all that begins with them: `:1.4` admits 1.4.9, and is what `<1.5` means. A
constraint becomes the range that reads best if that admits the same of all versions known, else a list of these. How
Spack orders and matches versions is repeated here (`spack.version.version_types`, Spack 1.x); the tests hold that
against Spack itself where it is present.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from lode.definitions.version import Clause, Constraint, Version

_SPACK = re.compile(r"[A-Za-z0-9_.-][=A-Za-z0-9_.-]*\Z")
_SEGMENT = re.compile(r"([0-9]+)|([a-zA-Z]+)")
_PRERELEASE = {"alpha": 0, "beta": 1, "rc": 2, "final": 3}
_FINAL = (3,)
_INFINITE = ("stable", "trunk", "head", "master", "main", "develop")  # above every number, in this order
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")

Key = tuple[tuple[tuple[int, int, str], ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What follows the @ of a spec, "" for every version, and whether it is meant just so for unknown versions too."""

    text: str
    exact: bool


def is_version(text: str) -> bool:
    """Return whether Spack can have `text` as a version: plus signs are the one thing it cannot."""
    return bool(_SPACK.match(text))


@lru_cache(maxsize=65536)
def key(text: str) -> Key:
    """Return what Spack compares versions by: words below numbers, but for the names of branches."""
    parts = [(int(number) if number else None, word) for number, word in _SEGMENT.findall(text)]
    prerelease: tuple[int, ...] = _FINAL
    if len(parts) >= 3 and parts[-2][1] in _PRERELEASE and parts[-1][0] is not None:
        prerelease = (_PRERELEASE[parts[-2][1]], parts[-1][0])
        parts = parts[:-2]
    elif len(parts) >= 2 and parts[-1][1] in _PRERELEASE:
        prerelease = (_PRERELEASE[parts[-1][1]],)
        parts = parts[:-1]
    return tuple(_part(number, word) for number, word in parts), prerelease


def admits(ranges: str, version: str) -> bool:
    """Return whether Spack takes `version` for what `@ranges` asks; "" asks for nothing."""
    return not ranges or any(_within(item, version) for item in ranges.split(","))


def ranges(constraint: Constraint, known: Collection[Version]) -> Ranges | None:
    """Return the ranges that admit of the versions `known` those that `constraint` admits; None when none can.

    A range that may only admit versions which are not known stays one. Where nothing is known, it is the nearest
    range, maybe not exact.
    """
    if not constraint.clauses:
        return Ranges(text="", exact=True)
    native = _native(constraint)
    if not known:
        return native
    if native and all(admits(native.text, one.text) == constraint.admits(one) for one in known):
        return native
    listed = sorted(one for one in known if constraint.admits(one))
    return Ranges(text=",".join(f"={one}" for one in listed), exact=True) if listed else None


def _part(number: int | None, word: str) -> tuple[int, int, str]:
    if number is not None:
        return (1, number, "")
    return (2, _INFINITE.index(word), "") if word in _INFINITE else (0, 0, word)


def _within(item: str, version: str) -> bool:
    if item.startswith("="):
        return key(item[1:]) == key(version)
    low, colon, high = item.partition(":")
    here = key(version)
    return (not low or key(low) <= here) and (not (high or not colon) or here < _after(high or low))


def _after(text: str) -> Key:
    """Return the key at which the range that `text` ends is over: of 1.4, that of 1.5."""
    release, prerelease = key(text)
    if prerelease != _FINAL:
        return release, (prerelease[0], prerelease[1] + 1 if len(prerelease) > 1 else 0)
    rank, number, word = release[-1]
    last = (rank, number + 1, "") if rank else (0, 0, _next_word(word))
    return (*release[:-1], last), prerelease


def _next_word(word: str) -> str:
    if word[-1] == "z":
        return f"{word}A"
    return word[:-1] + ("a" if word[-1] == "Z" else chr(ord(word[-1]) + 1))


def _native(constraint: Constraint) -> Ranges | None:
    """Return one range for all clauses, whether or not it says the same; None where there is none."""
    if (
        len(constraint.clauses) == 1
        and str(constraint.clauses[0]).startswith("==")
        and not constraint.clauses[0].prefix
    ):
        return Ranges(text=f"={constraint.clauses[0].version}", exact=True)
    low: tuple[int, ...] = ()
    end: tuple[int, ...] | None = None
    exact = True
    for clause in constraint.clauses:
        if not _NUMBERS.match(clause.version.text):
            return None
        begin, over = _interval(clause)
        exact = exact and (clause.prefix or clause.operator in (">=", "<", "~=")) and str(clause)[:2] != "!="
        low = max(low, begin)
        end = over if end is None else min(end, over if over is not None else end)
    if end is None:
        return Ranges(text=f"{_text(low)}:" if low else "", exact=exact)
    if not end or low >= end:
        return None
    last = (*end[:-1], end[-1] - 1)
    if low == last:
        return Ranges(text=_text(last), exact=exact)
    return Ranges(text=f"{_text(low)}:{_text(last)}", exact=exact)


def _interval(clause: Clause) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return where the clause begins, and where it is over (None: nowhere), trailing zeros left out."""
    numbers = tuple(int(part) for part in clause.version.text.split("."))
    match clause.operator:
        case ">=" | ">":
            return _short(numbers), None
        case "<":
            return (), _short(numbers)
        case "<=":
            return (), (*numbers[:-1], numbers[-1] + 1)
        case "~=":
            return _short(numbers), (*numbers[:-2], numbers[-2] + 1)
        case "==":
            return numbers, (*numbers[:-1], numbers[-1] + 1)
        case _:
            return (), None


def _short(numbers: tuple[int, ...]) -> tuple[int, ...]:
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
