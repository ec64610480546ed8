"""A universe in the solver's words: records with ranks as versions.

Upstream's versions are not conda's, so that every version becomes a rank, 1 for the least preferred, and a constraint
becomes the set of ranks it admits. An option whose value is not settled beforehand becomes a package `opt_<package>_
<option>` with a record per value. A dependency under conditions becomes a package `when_<package>_<n>` with one record
that brings the dependency and one per condition that forbids it to hold; a conflict likewise, all records forbidding.
Recipe names hold no underscore, so that these names are free.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lode.definitions.requirement import Requirement
from lode.locking.universe import Member, Rule, Source, Universe

Ranks = frozenset[int]
NEVER = "==0"  # no record has rank 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A package (or option) may only have these ranks, if it is chosen at all."""

    name: str
    ranks: Ranks
    rule: Rule | None = None  # why

    def __str__(self) -> str:
        """Return the limit as a match spec."""
        return spell(self.name, self.ranks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the solver is given."""

    records: tuple[Mapping[str, Any], ...]
    specs: tuple[str, ...]
    constraints: tuple[str, ...] = ()


def option_name(package: str, option: str) -> str:
    """Return the name that stands for an option of a package."""
    return f"opt_{package}_{option}"


def spell(name: str, ranks: Ranks, count: int | None = None) -> str:
    """Return the match spec that admits `ranks` of `name`; nothing but the name when they are all `count` of it."""
    if not ranks:
        return f"{name} {NEVER}"
    if count is not None and len(ranks) == count:
        return name
    spans: list[list[int]] = []
    for rank in sorted(ranks):
        if spans and spans[-1][1] == rank - 1:
            spans[-1][1] = rank
        else:
            spans.append([rank, rank])
    return f"{name} " + "|".join(f"=={low}" if low == high else f">={low},<={high}" for low, high in spans)


def encode(universe: Universe, rules: Collection[Rule] | None = None, limits: Sequence[Limit] = ()) -> Problem:
    """Return the problem that `universe` poses under `limits`, of `rules` only if given (by identity)."""
    return _Encoder(universe, None if rules is None else {id(rule) for rule in rules}).problem(limits)


@dataclass(slots=True, kw_only=True)
class _Lines:
    """What a record asks for."""

    depends: list[str] = field(default_factory=list)
    constrains: list[str] = field(default_factory=list)


class _Encoder:
    def __init__(self, universe: Universe, kept: set[int] | None) -> None:
        self._universe = universe
        self._kept = kept
        self._records: list[Mapping[str, Any]] = []
        self._limited: dict[str, Ranks] = {}  # what the stack itself asks for, to guess how conditions will turn out

    def problem(self, limits: Sequence[Limit]) -> Problem:
        specs: set[str] = set()
        for rule in self._universe.requests:
            if self._keeps(rule):
                package = rule.requirement.package
                ranks = self._ranks(rule.requirement)
                self._limited[package] = self._limited.get(package, ranks) & ranks
                specs.update(self._wants(rule.requirement))
        for name in self._reachable():
            self._member(self._universe.members[name])
        return Problem(
            records=tuple(self._records), specs=tuple(sorted(specs)), constraints=tuple(str(limit) for limit in limits)
        )

    def _keeps(self, rule: Rule) -> bool:
        return self._kept is None or id(rule) in self._kept

    def _reachable(self) -> list[str]:
        if self._kept is None:
            return list(self._universe.members)
        reached: set[str] = set()
        waiting = [rule.requirement.package for rule in self._universe.requests if self._keeps(rule)]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                rules = self._universe.members[name].rules
                waiting += [rule.requirement.package for rule in rules if self._keeps(rule)]
        return sorted(reached)

    # -- records

    def _member(self, member: Member) -> None:
        count = len(member.versions)
        lines = [_Lines() for _ in range(count + 1)]
        for option, values in member.values.items():
            if len(values) > 1:
                name = option_name(member.name, option)
                for rank in self._universe.having(member.name, option):
                    lines[rank].depends.append(name)
                for rank in range(1, len(values) + 1):
                    self._record(name, rank, _Lines())
        for number, rule in enumerate(member.rules):
            if self._keeps(rule):
                self._rule(member, rule, f"when_{member.name}_{number}", lines)
        for rank in range(1, count + 1):
            self._record(member.name, rank, lines[rank])

    def _record(self, name: str, rank: int, lines: _Lines) -> None:
        record = {
            "name": name,
            "version": str(rank),
            "build": "0",
            "build_number": 0,
            "depends": sorted(set(lines.depends)),
            "constrains": sorted(set(lines.constrains)),
            "subdir": "noarch",
        }
        self._records.append(record)

    def _rule(self, member: Member, rule: Rule, name: str, lines: Sequence[_Lines]) -> None:
        ranks = set(self._universe.admitted(member.name, rule.when.version))
        escapes: list[str] = []  # ways in which the condition does not hold
        holding: list[str] = []  # what must be so for it to hold
        likely = True
        for option, value in rule.when.options:
            values = member.values.get(option, ())
            ranks &= self._universe.having(member.name, option)
            if value not in values:
                return
            if len(values) > 1:
                chosen = frozenset({values.index(value) + 1})
                rest = frozenset(range(1, len(values) + 1)) - chosen
                escapes.append(spell(option_name(member.name, option), rest))
                holding.append(spell(option_name(member.name, option), chosen))
                likely = likely and value == values[-1]
        for other in rule.when.packages:
            ways = self._denied(other)
            if ways is None:
                return
            escapes += ways
            admitted = self._ranks(other)
            holding.append(spell(other.package, admitted))
            likely = likely and max(self._expected(other.package), default=0) in admitted
        if not ranks:
            return
        if rule.source is Source.CONFLICT:
            self._conflict(rule, name, [lines[rank] for rank in ranks], escapes)
        elif not escapes:
            wanted = self._wants(rule.requirement)
            for rank in ranks:
                lines[rank].depends += wanted
        else:
            for rank in ranks:
                lines[rank].depends.append(name)
            active = _Lines(depends=self._wants(rule.requirement), constrains=holding)
            inactive = [_Lines(constrains=[escape]) for escape in sorted(escapes)]
            for rank, choice in enumerate([*inactive, active] if likely else [active, *inactive], 1):
                self._record(name, rank, choice)

    def _conflict(self, rule: Rule, name: str, askers: Iterable[_Lines], escapes: list[str]) -> None:
        ways = self._denied(rule.requirement)
        if ways is None:
            return
        ways = sorted(escapes + ways)
        for lines in askers:
            if len(ways) == 1:
                lines.constrains += ways
            else:
                lines.depends.append(name)
        if len(ways) > 1:
            for rank, way in enumerate(ways, 1):
                self._record(name, rank, _Lines(constrains=[way]))

    # -- match specs

    def _ranks(self, request: Requirement) -> Ranks:
        """Return the ranks that a request admits: of its constraint, and having the options it names."""
        ranks = self._universe.admitted(request.package, request.constraint)
        for option, _ in request.options:
            ranks &= self._universe.having(request.package, option)
        return ranks

    def _wants(self, request: Requirement) -> list[str]:
        member = self._universe.members[request.package]
        specs = [spell(request.package, self._ranks(request), len(member.versions))]
        for option, value in request.options:
            values = member.values[option]
            if len(values) > 1:
                specs.append(spell(option_name(request.package, option), frozenset({values.index(value) + 1})))
        return specs

    def _denied(self, request: Requirement) -> list[str] | None:
        """Return the ways in which `request` does not hold, any of which will do; None if it cannot hold at all."""
        member = self._universe.members.get(request.package)
        ranks = self._ranks(request) if member else frozenset()
        if member is None or not ranks:
            return None
        ways = [spell(request.package, frozenset(range(1, len(member.versions) + 1)) - ranks)]
        for option, value in request.options:
            values = member.values.get(option, ())
            if value not in values:
                return None
            rest = frozenset(range(1, len(values) + 1)) - {values.index(value) + 1}
            if rest:
                ways.append(spell(option_name(request.package, option), rest))
        return ways

    def _expected(self, package: str) -> Ranks:
        count = len(self._universe.members[package].versions)
        return self._limited.get(package) or frozenset(range(1, count + 1))
