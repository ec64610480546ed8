"""Finding the universe of a stack: following every dependency that could become active, and naming what is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from lode.definitions.recipe import Conflict, Dependency, Option, Recipe
from lode.definitions.requirement import Requirement
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.errors import Fault, Place, ResolutionError
from lode.locking.conditions import admits, met_by_os, on_target
from lode.locking.universe import Member, Rule, Source, Universe

_MANY = 12  # known versions named in a hint


_Stated = TypeVar("_Stated", Dependency, Conflict)


class Known(NamedTuple):
    """Where recipes come from."""

    recipe: Callable[[str], Recipe | None]
    names: Callable[[], Sequence[str]]


class Fixed(NamedTuple):
    """What an extended lock settles: recipes made of its nodes, and its name for messages."""

    name: str
    recipes: Mapping[str, Recipe]


NOTHING_FIXED = Fixed(name="", recipes={})


def survey(
    stack: StackDefinition,
    targets: Mapping[str, Target],
    known: Known,
    fixed: Fixed,
    preferred: Mapping[str, Version],
    asked: Sequence[Rule],
) -> Universe:
    """Return the universe of the requests `asked` on `targets`.

    Recipes of `fixed` stand in front of the known ones; `preferred` versions go before newer ones. ResolutionError
    names every package, version, option and option value that does not exist.
    """
    found = _Survey(targets, known, fixed, frozenset(stack.own))
    for rule in asked:
        found.ask_for(rule)
    found.stop_at_faults()
    found.follow()
    found.stop_at_faults()
    return found.universe(asked, preferred)


def requests(stack: StackDefinition) -> tuple[Rule, ...]:
    """Return the requirements of `stack` as rules, whatever their order."""
    wanted = sorted(stack.requirements, key=lambda request: (request.package, str(request)))
    return tuple(Rule(source=Source.STACK, asker="stack", requirement=request) for request in wanted)


def refuse_unknown(known: Known, asked: Sequence[Rule]) -> None:
    """Raise ResolutionError for what `asked` names and does not exist: quick, since no dependency is looked at."""
    found = _Survey({}, known, NOTHING_FIXED, frozenset())
    for rule in asked:
        found.ask_for(rule)
    found.stop_at_faults()


class _Survey:
    """What has been found so far. Sets only grow, so that the order of looking never matters."""

    def __init__(self, targets: Mapping[str, Target], known: Known, fixed: Fixed, own: frozenset[str]) -> None:
        self._targets, self._known, self._fixed, self._own = targets, known, fixed, own
        self._recipes: dict[str, Recipe] = {}
        self._options: dict[str, dict[str, Option]] = {}
        self._where: dict[str, set[str]] = {}  # package -> targets on which it could be needed
        self._values: dict[tuple[str, str], set[str]] = {}  # (package, option) -> values that somebody can ask for
        self._stated: dict[tuple[str, str], str] = {}  # (package, option) -> value that the stack itself asks for
        self._exact: dict[str, set[Version]] = {}  # package -> versions asked for by ==
        self._active: dict[tuple[str, int], set[str]] = {}  # (package, dependency) -> targets
        self._waiting: list[tuple[str, str]] = []
        self._faults: list[Fault] = []

    # -- asking

    def ask_for(self, rule: Rule) -> None:
        """Take a request of the stack; faults are collected."""
        request = rule.requirement
        for name, value in request.options:
            self._stated.setdefault((request.package, name), value)
            self._values.setdefault((request.package, name), set())
        self._meet(request, self._targets)
        if request.package in self._recipes:
            self._check_version(request)

    def follow(self) -> None:
        """Follow every dependency that could become active, until nothing more is found."""
        blocked: list[tuple[str, int, str]] = []
        while self._waiting or blocked:
            again, blocked = blocked, []
            work = [(name, index, target) for name, target in self._waiting for index in self._indices(name)] + again
            self._waiting = []
            unmoved = len(work) == len(again)
            for name, index, target in work:
                outcome = self._try(name, index, target)
                if outcome is None:
                    blocked.append((name, index, target))
                unmoved = unmoved and outcome is None
            if unmoved:
                return

    def stop_at_faults(self) -> None:
        """Raise what was found wrong, if anything was."""
        if self._faults:
            unique = {(fault.place or Place(file=""), fault.message): fault for fault in self._faults}
            raise ResolutionError.of([unique[key] for key in sorted(unique)])

    def _indices(self, name: str) -> range:
        return range(len(self._recipes[name].dependencies))

    def _try(self, name: str, index: int, target: str) -> bool | None:
        """Follow a dependency on a target; False if it can never be active there, None if not as far as is known."""
        dependency = self._recipes[name].dependencies[index]
        when, place = dependency.when, self._targets[target]
        if not on_target(when, place):
            return False
        if name not in self._fixed.recipes and met_by_os(dependency, place, self._own):
            return False
        for option, value in when.options:
            stated = self._options[name].get(option)
            if stated is None or not on_target(stated.when, place):
                return False
            if value not in self._values[name, option]:
                return None
        if any(target not in self._where.get(other.package, ()) for other in when.packages):
            return None
        self._active.setdefault((name, index), set()).add(target)
        self._meet(dependency.requirement, [target])
        return True

    def _meet(self, request: Requirement, targets: Iterable[str]) -> None:
        name = request.package
        if not self._load(request):
            return
        where = self._where.setdefault(name, set())
        for target in targets:
            if target not in where:
                where.add(target)
                self._waiting.append((name, target))
        for option, value in request.options:
            if self._check_option(request, option, value):
                self._values.setdefault((name, option), set()).add(value)
        for clause in request.constraint.clauses:
            if clause.operator == "==" and not clause.prefix:
                self._exact.setdefault(name, set()).add(clause.version)

    def _load(self, request: Requirement) -> bool:
        name = request.package
        if name in self._recipes:
            return True
        recipe = self._fixed.recipes.get(name) or self._known.recipe(name)
        if recipe is None:
            if unfit := self._unfit(request):
                message = f"there is no recipe for {name}, and the operating system's is not {request}: {unfit}"
                self._fault(message, request, f"leave out what cannot build it, or write recipes/{name}")
                return False
            near = difflib.get_close_matches(name, self._known.names(), n=1)
            hint = f"did you mean {near[0]}?" if near else "`lode search` finds recipes; write recipes/" + name
            self._fault(f"there is no recipe for {name}", request, hint)
            return False
        self._recipes[name] = recipe
        self._options[name] = {option.name: option for option in recipe.options}
        for option in recipe.options:
            if (name, option.name) not in self._stated:
                self._values.setdefault((name, option.name), set()).add(option.default)
        return True

    def _unfit(self, request: Requirement) -> str:
        """Return which versions of a tool the OS of each target has that `request` does not admit; empty for none."""
        found = [
            f"{tool.version} on {name}"
            for name, target in sorted(self._targets.items())
            for tool in target.externals
            if tool.package == request.package and not admits(request.constraint, Version(tool.version))
        ]
        return ", ".join(found)

    # -- faults

    def _check_option(self, request: Requirement, name: str, value: str) -> bool:
        options = self._options[request.package]
        if name not in options:
            near = difflib.get_close_matches(name, options, n=1)
            known = ", ".join(sorted(options))
            hint = f"did you mean {near[0]}? " if near else ""
            hint += f"options of {request.package}: {known}" if known else f"{request.package} has no options"
            self._fault(f"{request.package} has no option {name}", request, hint)
            return False
        if value not in options[name].values:
            near = difflib.get_close_matches(value, options[name].values, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            hint += f"values of {name}: {', '.join(options[name].values)}"
            if request.package in self._fixed.recipes:
                hint = f"{self._fixed.name} has {request.package} with {name}={options[name].default}"
                hint += "; a stack on top of it cannot change that"
            self._fault(f"option {name} of {request.package} cannot be {value}", request, hint)
            return False
        return True

    def _check_version(self, request: Requirement) -> None:
        recipe = self._recipes[request.package]
        admitted = [known for known in recipe.versions if request.constraint.admits(known.version)]
        if not admitted:
            message = f"no known version of {recipe.name} is {request.constraint}"
            fixed = f", fixed by {self._fixed.name}" if recipe.name in self._fixed.recipes else ""
            self._fault(message, request, known_versions(recipe, request) + fixed)
        elif not any(known.deprecated is None or known.version in self._asked(recipe) for known in admitted):
            message = f"every version of {recipe.name} that {request} admits is deprecated: {admitted[0].deprecated}"
            self._fault(message, request, f"to take it all the same, ask for {recipe.name} =={admitted[0].version}")

    def _asked(self, recipe: Recipe) -> set[Version]:
        asked = {version.key for version in self._exact.get(recipe.name, ())}
        return {known.version for known in recipe.versions if known.version.key in asked} if asked else set()

    def _fault(self, message: str, request: Requirement, hint: str) -> None:
        self._faults.append(Fault(message=message, place=request.place, hint=hint))

    # -- result

    def universe(self, asked: Sequence[Rule], preferred: Mapping[str, Version]) -> Universe:
        """Return all that was found."""
        members = {name: self._member(name, preferred.get(name)) for name in sorted(self._where)}
        self.stop_at_faults()
        return Universe(members=members, requests=tuple(asked), targets=self._targets, own=self._own)

    def _member(self, name: str, preferred: Version | None) -> Member:
        recipe = self._recipes[name]
        asked = self._asked(recipe)
        usable = [known for known in recipe.versions if known.deprecated is None or known.version in asked]
        usable.sort(key=lambda known: (known.version == preferred, known.deprecated is None, known.version))
        values = {}
        for option in sorted(recipe.options, key=lambda option: option.name):
            possible = self._values[name, option.name]
            best = self._stated.get((name, option.name), option.default)
            values[option.name] = tuple(sorted(possible, key=lambda value: (value == best, value)))
        return Member(
            recipe=recipe,
            versions=tuple(known.version for known in usable),
            targets=frozenset(self._where[name]),
            values=values,
            rules=tuple(self._rules(recipe)),
            fixed=name in self._fixed.recipes,
        )

    def _rules(self, recipe: Recipe) -> Iterable[Rule]:
        for index, dependency in _sorted(recipe.dependencies):
            targets = self._active.get((recipe.name, index))
            if targets:
                yield _dependency_rule(recipe.name, dependency, frozenset(targets))
        for _, conflict in _sorted(recipe.conflicts):
            where = {name for name in self._where[recipe.name] if on_target(conflict.when, self._targets[name])}
            if where and conflict.requirement.package in self._where:
                yield Rule(
                    source=Source.CONFLICT,
                    asker=recipe.name,
                    requirement=conflict.requirement,
                    when=conflict.when,
                    reason=conflict.reason,
                    targets=frozenset(where),
                )


def _sorted(stated: Sequence[_Stated]) -> list[tuple[int, _Stated]]:
    """Return what a recipe states with its places in the recipe, in an order that does not depend on them."""
    by_package: dict[str, list[tuple[int, _Stated]]] = {}
    for index, one in enumerate(stated):
        by_package.setdefault(one.requirement.package, []).append((index, one))
    for same in by_package.values():
        if len(same) > 1:
            same.sort(key=lambda item: (str(item[1].requirement), str(item[1].when)))
    return [item for name in sorted(by_package) for item in by_package[name]]


def _dependency_rule(asker: str, dependency: Dependency, targets: frozenset[str]) -> Rule:
    return Rule(
        source=Source.DEPENDENCY,
        asker=asker,
        requirement=dependency.requirement,
        when=dependency.when,
        kinds=dependency.kinds,
        targets=targets,
    )


def known_versions(recipe: Recipe, request: Requirement | None = None) -> str:
    """Return a hint that names the versions of `recipe`, and the nearest one when `request` asks for one by ==."""
    texts = [known.version.text for known in recipe.versions if known.deprecated is None]
    wanted = (
        [clause.version.text for clause in request.constraint.clauses if clause.operator == "=="] if request else []
    )
    near = difflib.get_close_matches(wanted[0], texts, n=1) if wanted else []
    shown = ", ".join(texts[:_MANY]) + (f" and {len(texts) - _MANY} older" if len(texts) > _MANY else "")
    return (f"did you mean {near[0]}? " if near else "") + f"known versions of {recipe.name}: {shown or 'none'}"
