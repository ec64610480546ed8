"""Choosing: one solution for all targets, with defaults and previous versions kept wherever nothing asks otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lode.definitions.requirement import Requirement
from lode.definitions.version import Clause, Constraint, Version
from lode.locking.conflict import account, explain, minimal, unusable
from lode.locking.cut import Chosen, Cut, asked_exactly, asked_options, cut
from lode.locking.encoding import Limit, Problem, encode, option_name
from lode.locking.solve import Solution, Solver, Unsolvable
from lode.locking.universe import Rule, Source, Universe

_TRIES = 40  # changed packages that are tried to be kept after all, one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was chosen, what of it is there on each target, and why some packages could not keep their version."""

    chosen: Chosen
    cuts: Mapping[str, Cut]
    forced: Mapping[str, str] = field(default_factory=dict)  # where no request for the package itself says it


def choose(universe: Universe, previous: Mapping[str, Version], update: Sequence[str]) -> Outcome:
    """Return the preferred choice; ResolutionError names the requests that cannot hold together.

    Of `update` the newest versions that are possible are taken, the rest keeps its `previous` version where possible.
    """
    with Solver() as solver:
        chooser = _Chooser(universe, solver)
        outcome, limits = chooser.settle([])
        if isinstance(outcome, Unsolvable):
            raise explain(universe, solver, outcome, limits)
        outcome, limits = chooser.newest(outcome, sorted(update))
        return chooser.least_change(outcome, limits, previous)


class _Chooser:
    def __init__(self, universe: Universe, solver: Solver) -> None:
        self._universe, self._solver = universe, solver
        self._problem: Problem = encode(universe)

    def settle(self, limits: Sequence[Limit]) -> tuple[Outcome | Unsolvable, list[Limit]]:
        """Return the choice under `limits` and those that were added to hold the rules that the solver cannot know.

        An option has another value than its default only where something active asks for it; a deprecated version is
        there only where something active asks for it by ==.
        """
        limits = list(limits)
        while True:
            problem = replace(self._problem, constraints=tuple(str(limit) for limit in limits))
            solution = self._solver.solve(problem)
            if isinstance(solution, Unsolvable):
                return solution, limits
            outcome = self._outcome(solution)
            unasked = [*self._unasked_options(outcome), *self._unasked_versions(outcome)]
            if not unasked:
                return outcome, limits
            limits += unasked

    def newest(self, outcome: Outcome, packages: Sequence[str]) -> tuple[Outcome, list[Limit]]:
        """Return the choice with the newest possible versions of `packages`, the first ones first."""
        limits: list[Limit] = []
        for package in packages:
            while package in outcome.chosen.versions:
                rank = self._rank(outcome, package)
                above = frozenset(range(rank + 1, len(self._universe.members[package].versions) + 1))
                if not above:
                    break
                better, _ = self.settle([*limits, Limit(name=package, ranks=above)])
                if isinstance(better, Unsolvable) or package not in better.chosen.versions:
                    break
                outcome = better
            if package in outcome.chosen.versions:
                limits.append(Limit(name=package, ranks=frozenset({self._rank(outcome, package)})))
        return outcome, limits

    def least_change(self, outcome: Outcome, limits: Sequence[Limit], previous: Mapping[str, Version]) -> Outcome:
        """Return a choice in which no single changed package could have kept its previous version."""
        limits = list(limits)
        forced: dict[str, str] = {}
        for package in self._changed(outcome, previous)[:_TRIES]:
            if outcome.chosen.versions.get(package) == previous[package]:
                continue  # came back together with another
            keep = self._keep(package, previous[package])
            if keep is None:
                forced[package] = unusable(self._universe.members[package].recipe, previous[package])
                continue
            if self._ruled_out([], package, previous[package]):
                continue  # by the stack itself
            better, _ = self.settle([*limits, keep])
            if not isinstance(better, Unsolvable):
                outcome = better
                limits.append(keep)
            elif not self._ruled_out(outcome.cuts.values(), package, previous[package]):
                forced[package] = self._why(keep)
        return replace(outcome, forced=forced)

    def _changed(self, outcome: Outcome, previous: Mapping[str, Version]) -> list[str]:
        there = {name for part in outcome.cuts.values() for name in part.present}
        return [name for name in sorted(there & previous.keys()) if previous[name] != outcome.chosen.versions[name]]

    def _keep(self, package: str, version: Version) -> Limit | None:
        """Return the limit that keeps `package` at `version`; None if that version cannot be chosen any more."""
        versions = self._universe.members[package].versions
        if version not in versions:
            return None
        constraint = Constraint(clauses=(Clause(operator="==", version=version),))
        rule = Rule(
            source=Source.PREVIOUS, asker=package, requirement=Requirement(package=package, constraint=constraint)
        )
        return Limit(name=package, ranks=frozenset({versions.index(version) + 1}), rule=rule)

    def _ruled_out(self, cuts: Iterable[Cut], package: str, version: Version) -> bool:
        """Return whether a request for `package` itself, of the stack or active in `cuts`, does not admit `version`."""
        asked = [rule.requirement for rule in self._universe.requests]
        asked += [one.requirement for part in cuts for same in part.edges.values() for one in same]
        return any(one.package == package and not one.constraint.admits(version) for one in asked)

    def _why(self, keep: Limit) -> str:
        alone, limits = self.settle([keep])
        if not isinstance(alone, Unsolvable):
            return "to keep or update others"
        return account(self._universe, keep.name, minimal(self._universe, self._solver, alone, limits))

    def _rank(self, outcome: Outcome, package: str) -> int:
        return self._universe.members[package].versions.index(outcome.chosen.versions[package]) + 1

    def _outcome(self, solution: Solution) -> Outcome:
        versions: dict[str, Version] = {}
        options: dict[tuple[str, str], str] = {}
        for name, member in self._universe.members.items():
            if name not in solution:
                continue
            versions[name] = member.versions[solution[name] - 1]
            for option, values in member.values.items():
                rank = solution.get(option_name(name, option), len(values))
                options[name, option] = values[rank - 1]
        chosen = Chosen(versions=versions, options=options)
        return Outcome(
            chosen=chosen,
            cuts={target: cut(self._universe, chosen, target) for target in sorted(self._universe.targets)},
        )

    def _unasked_options(self, outcome: Outcome) -> list[Limit]:
        asked = asked_options(self._universe, outcome.cuts)
        limits = {}
        for part in outcome.cuts.values():
            for name, choice in part.present.items():
                member = self._universe.members[name]
                for option in member.recipe.options:
                    value = choice.options.get(option.name, option.default)
                    if value == option.default or member.fixed or (name, option.name, value) in asked:
                        continue
                    rule = Rule(
                        source=Source.DEFAULT,
                        asker=name,
                        requirement=Requirement(
                            package=name, options=((option.name, option.default),), place=option.place
                        ),
                    )
                    rank = member.values[option.name].index(option.default) + 1
                    limits[name, option.name] = Limit(
                        name=option_name(name, option.name), ranks=frozenset({rank}), rule=rule
                    )
        return [limits[key] for key in sorted(limits)]

    def _unasked_versions(self, outcome: Outcome) -> list[Limit]:
        limits = []
        for name in sorted({name for part in outcome.cuts.values() for name in part.present}):
            member, version = self._universe.members[name], outcome.chosen.versions[name]
            known = next(known for known in member.recipe.versions if known.version == version)
            if known.deprecated is None or member.fixed:
                continue
            if not asked_exactly(self._universe, outcome.cuts, name, version):
                other = Constraint(clauses=(Clause(operator="!=", version=version),))
                rule = Rule(
                    source=Source.DEPRECATED,
                    asker=name,
                    requirement=Requirement(package=name, constraint=other, place=known.place),
                    reason=known.deprecated,
                )
                rest = frozenset(range(1, len(member.versions) + 1)) - {member.versions.index(version) + 1}
                limits.append(Limit(name=name, ranks=rest, rule=rule))
        return limits
