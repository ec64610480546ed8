"""Why there is no choice: the smallest set of rules that cannot hold together, told with their places.

The solver's account names the packages involved but not who asked what and where. The rules between those packages are
few, so that leaving them out one after the other soon shows which ones matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lode.definitions.recipe import Recipe
from lode.definitions.version import Version
from lode.errors import ResolutionError
from lode.locking.encoding import Limit, encode
from lode.locking.solve import Solver, Unsolvable
from lode.locking.survey import known_versions
from lode.locking.universe import Rule, Source, Universe

_MANY = 3  # versions that are named one by one
_WORD = re.compile(r"[a-z][a-z0-9._-]*")


def explain(universe: Universe, solver: Solver, outcome: Unsolvable, limits: Sequence[Limit]) -> ResolutionError:
    """Return the error that says which rules of `universe` and `limits` cannot hold together."""
    rules = minimal(universe, solver, outcome, limits)
    subject = _subject(universe, rules)
    about = [rule for rule in rules if rule.requirement.package == subject]
    around = [rule for rule in rules if rule.requirement.package != subject]
    message = f"{subject} cannot be chosen: " + ", ".join(_tell(universe, rule, rules) for rule in about)
    if around:
        message += "; " + ", ".join(_tell(universe, rule, rules) for rule in around)
    hint = f"change one of these; {known_versions(universe.members[subject].recipe)}"
    return ResolutionError(message, hint=hint)


def account(universe: Universe, package: str, rules: Sequence[Rule]) -> str:
    """Return in words which of `rules` leave no way to keep the previous version of `package`, itself one of them."""
    return ", ".join(_tell(universe, rule, rules) for rule in rules if rule.requirement.package != package)


def unusable(recipe: Recipe, version: Version) -> str:
    """Return in words why `version` cannot be chosen any more: it is deprecated, or no longer known."""
    for known in recipe.versions:
        if known.version == version:
            return f"{recipe.name} {version} is deprecated: {known.deprecated}"
    return f"the recipe has {recipe.name} {version} no longer"


def minimal(universe: Universe, solver: Solver, outcome: Unsolvable, limits: Sequence[Limit]) -> list[Rule]:
    """Return rules that cannot hold together, none of which can be left out, requests of the stack first."""
    stated = [limit.rule for limit in limits if limit.rule is not None]
    everything = [*universe.requests, *(rule for member in universe.members.values() for rule in member.rules), *stated]
    test = _Test(universe, solver, limits)
    named = _named(universe, outcome)
    seed = [rule for rule in everything if rule.requirement.package in named and _asker(rule) in (None, *named)]
    if test.fails(seed):
        return _shrink(test, seed)
    return _shrink(test, everything)


class _Test:
    def __init__(self, universe: Universe, solver: Solver, limits: Sequence[Limit]) -> None:
        self._universe, self._solver, self._limits = universe, solver, limits

    def fails(self, rules: Sequence[Rule]) -> bool:
        kept = {id(rule) for rule in rules}
        limits = [limit for limit in self._limits if limit.rule is None or id(limit.rule) in kept]
        return isinstance(self._solver.solve(encode(self._universe, rules, limits)), Unsolvable)


def _shrink(test: _Test, rules: Sequence[Rule]) -> list[Rule]:
    """Return a minimal failing part of `rules`: leave out large parts first, then single ones.

    Deletion in shrinking chunks, as in delta debugging (Zeller and Hildebrandt, "Simplifying and isolating
    failure-inducing input", 2002); later rules are left out first, so that the requests of the stack stay.
    """
    kept = list(rules)
    size = max(1, len(kept) // 2)
    while True:
        end = len(kept)
        while end > 0:
            start = max(0, end - size)
            rest = kept[:start] + kept[end:]
            if test.fails(rest):
                kept = rest
            end = start
        if size == 1:
            return kept
        size = max(1, min(size, len(kept)) // 2)


def _named(universe: Universe, outcome: Unsolvable) -> set[str]:
    named = set()
    for word in _WORD.findall(outcome.text):
        name = word.rstrip("._-")
        if name.startswith(("opt_", "when_")):
            name = name.split("_")[1]
        if name in universe.members:
            named.add(name)
    return named


def _asker(rule: Rule) -> str | None:
    return None if rule.source in (Source.STACK, Source.BASE) else rule.asker


def _subject(universe: Universe, rules: Sequence[Rule]) -> str:
    """Return the package that the rules disagree about: asked for most often, by what admits the least."""

    def weight(package: str) -> tuple[bool, int, str]:
        about = [rule for rule in rules if rule.requirement.package == package]
        admitted = [universe.admitted(package, rule.requirement.constraint) for rule in about if _positive(rule)]
        empty = bool(admitted) and not frozenset.intersection(*admitted)
        return empty, len(about), package

    return max({rule.requirement.package for rule in rules}, key=weight)


def _positive(rule: Rule) -> bool:
    return rule.source is not Source.CONFLICT


def _tell(universe: Universe, rule: Rule, rules: Iterable[Rule]) -> str:
    place = f" ({rule.requirement.place})" if rule.requirement.place else ""
    request = rule.requirement
    when = f" when {rule.when}" if str(rule.when) else ""
    match rule.source:
        case Source.STACK | Source.BASE:
            return f"{rule.asker} asks {request}{place}"
        case Source.DEFAULT:
            value = str(request).removeprefix(f"{request.package} ")
            return f"{request.package} has {value} by default and nothing asks otherwise{place}"
        case Source.DEPRECATED:
            return f"a version of {request.package} is deprecated and nobody asks for it by =={place}"
        case Source.CONFLICT:
            asker, several = _versions(universe, rule, rules)
            return f"{asker} {'exclude' if several else 'excludes'} {request}{when}: {rule.reason}{place}"
        case _:
            asker, several = _versions(universe, rule, rules)
            return f"{asker} {'ask' if several else 'asks'} {request}{when}{place}"


def _versions(universe: Universe, rule: Rule, rules: Iterable[Rule]) -> tuple[str, bool]:
    """Return the asker with those of its versions that the other rules leave and that state `rule`, and if several."""
    member = universe.members[rule.asker]
    ranks = universe.admitted(rule.asker, rule.when.version)
    for other in rules:
        if other.requirement.package == rule.asker and _positive(other):
            ranks &= universe.admitted(rule.asker, other.requirement.constraint)
    versions: list[Version] = sorted((member.versions[rank - 1] for rank in ranks), reverse=True)
    if not versions:
        return rule.asker, False
    if len(versions) > _MANY:
        return f"{rule.asker} ({len(versions)} versions, {versions[-1]} to {versions[0]})", True
    return f"{rule.asker} " + " and ".join(version.text for version in versions), len(versions) > 1
