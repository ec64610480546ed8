"""Versions as upstream wrote them, with a sort key, and the constraints that choose among them.

`6.32.04` stays `6.32.04`. Order is ours alone and total: the key cuts a version into numbers and words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering

_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+\-]*\Z")
_CHUNK = re.compile(r"[0-9]+|[A-Za-z]+")
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<)\s*([A-Za-z0-9][A-Za-z0-9._+\-]*?)(\.\*)?\Z")

# Words that name something before the release (PEP 440 and common upstream habits); all other words come after it.
_BEFORE = {"dev": -5, "alpha": -4, "beta": -3, "pre": -2, "preview": -2, "rc": -1, "cand": -1}

type_key = tuple[tuple[int, int, str], ...]


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version, verbatim. Two versions are equal when their texts are; order follows `key`, then the text."""

    text: str

    def __post_init__(self) -> None:
        """Refuse a text that cannot be a version (ValueError)."""
        if not _TEXT.match(self.text):
            raise ValueError(f"not a version: {self.text!r}")

    @property
    def key(self) -> type_key:
        """Return the sort key: numbers by value, `rc1` before the release, `p1`, `a` and other words after it.

        A single `a`, `b` or `c` followed by digits is PEP 440's alpha, beta or candidate (`1.0b2` < `1.0`); one
        without digits is a patch letter (`1.1.1w` > `1.1.1`). Trailing zeros do not count: `3.16` ties with `3.16.0`.
        """
        return _key(self.text)

    def __eq__(self, other: object) -> bool:
        """Return whether both are written the same."""
        return isinstance(other, Version) and self.text == other.text

    def __hash__(self) -> int:
        """Return the hash of the text."""
        return hash(self.text)

    def __lt__(self, other: Version) -> bool:
        """Return whether this version sorts before `other`."""
        return (self.key, self.text) < (other.key, other.text)

    def __str__(self) -> str:
        """Return the text."""
        return self.text


@lru_cache(maxsize=65536)
def _key(text: str) -> type_key:
    if text.replace(".", "").isdigit():
        return _numbers(text)
    chunks = list(_CHUNK.finditer(text))
    key: list[tuple[int, int, str]] = []
    for index, match in enumerate(chunks):
        word = match.group()
        if word.isdigit():
            key.append((1, int(word), ""))
            continue
        word = word.lower()
        following = chunks[index + 1] if index + 1 < len(chunks) else None
        digits_follow = following is not None and following.start() == match.end() and following.group().isdigit()
        if word in ("a", "b", "c") and digits_follow and index > 0:
            word = {"a": "alpha", "b": "beta", "c": "rc"}[word]
        if index > 0 and word in _BEFORE:
            while key and key[-1] == (1, 0, ""):  # 1.0rc1 and 1rc1 are before 1 alike
                key.pop()
            key.append((-1, _BEFORE[word], ""))
        else:
            key.append((2, 0, word))
    while key and key[-1] == (1, 0, ""):
        key.pop()
    key.append((0, 0, ""))  # the end of a version sorts after words that come before it, and before all else
    return tuple(key)


def _numbers(text: str) -> type_key:
    """Return the key of a version of numbers and dots, which most are."""
    numbers = [int(part) for part in text.split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return (*[(1, number, "") for number in numbers], (0, 0, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One comparison: an operator, a version, and whether the version is a prefix (`==3.12.*`)."""

    operator: str
    version: Version
    prefix: bool = False

    def admits(self, version: Version) -> bool:
        """Return whether `version` satisfies the comparison; `~=1.4` is `>=1.4,==1.*` as in PEP 440."""
        if self.prefix:
            inside = _has_prefix(version, self.version)
            return inside if self.operator == "==" else not inside
        here, there = version.key, self.version.key
        match self.operator:
            case ">=":
                return here >= there
            case "<=":
                return here <= there
            case ">":
                return here > there
            case "<":
                return here < there
            case "==":
                return here == there
            case "!=":
                return here != there
            case _:
                stem = self.version.text.rpartition(".")[0]
                return here >= there and _has_prefix(version, Version(stem))

    def __str__(self) -> str:
        """Return the clause as it is written, without spaces."""
        return f"{self.operator}{self.version}{'.*' if self.prefix else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A comma list of clauses that must all hold; without clauses, any version."""

    clauses: tuple[Clause, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Return the constraint that `text` spells (`>=11.2,<11.4`); ValueError with the faulty clause if none."""
        clauses = []
        for part in (part.strip() for part in text.split(",")):
            if not part and not text.strip():
                break
            match = _CLAUSE.match(part)
            if not match:
                raise ValueError(f"not a version constraint: {part!r}")
            operator, version, star = match.groups()
            if star and operator not in ("==", "!="):
                raise ValueError(f"'.*' goes with == and != only: {part!r}")
            if operator == "~=" and "." not in version:
                raise ValueError(f"~= needs a version of two parts or more: {part!r}")
            clauses.append(Clause(operator=operator, version=Version(version), prefix=bool(star)))
        return cls(clauses=tuple(clauses))

    def admits(self, version: Version) -> bool:
        """Return whether `version` satisfies every clause."""
        return all(clause.admits(version) for clause in self.clauses)

    def __str__(self) -> str:
        """Return the constraint in its written form, `>=11.2,<11.4`, empty for any version."""
        return ",".join(str(clause) for clause in self.clauses)


def _has_prefix(version: Version, prefix: Version) -> bool:
    wanted = re.findall(r"[0-9]+|[A-Za-z]+", prefix.text)
    found = re.findall(r"[0-9]+|[A-Za-z]+", version.text)
    found += ["0"] * (len(wanted) - len(found))
    return all(
        int(a) == int(b) if a.isdigit() and b.isdigit() else a.lower() == b.lower()
        for a, b in zip(wanted, found, strict=False)
    )
