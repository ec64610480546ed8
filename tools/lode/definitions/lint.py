"""What must hold between definitions: names that exist, constraints that can be met, options that there are.

A recipe or stack that was read is valid in itself; here it is seen among the others. Functions of values: files are
checked by whoever knows the folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lode.definitions import read_tests
from lode.definitions.recipe import Option, Recipe, System, Test
from lode.definitions.requirement import ALWAYS, Condition, Requirement
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Constraint, Version
from lode.errors import Fault, Place
from lode.yamldoc import meant

# Recipes with one of these tags are somebody's science: users must be able to cite them.
CITABLE = frozenset({"simulation", "physics", "analysis", "reconstruction", "generator"})
UNKNOWN_LICENCE = "LicenseRef-Unknown"  # what tools/new_recipe.py writes when upstream's metadata says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that definitions may refer to. `find` returns None for a recipe that is missing or has faults."""

    names: frozenset[str]  # of all recipes, with and without faults
    find: Callable[[str], Recipe | None]
    targets: Mapping[str, Target]
    target_names: frozenset[str]  # of all targets, with and without faults
    stacks: frozenset[str] = frozenset()  # `name@release` of all stacks
    _externals: dict[str, list[Version]] = field(init=False, default_factory=dict)
    _versions: dict[str, list[Version]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Note what the targets' OSes provide."""
        for target in self.targets.values():
            for external in target.externals:
                self._externals.setdefault(external.package, []).append(Version(external.version))

    def provided(self, name: str) -> bool:
        """Return whether a recipe or the OS of some target provides `name`, or may: a target that has faults."""
        return name in self.names or name in self._externals or len(self.targets) < len(self.target_names)

    def from_os(self, name: str) -> bool:
        """Return whether the OS of some target provides `name`."""
        return name in self._externals

    def nearest(self, name: str) -> str | None:
        """Return the hint that names the package closest to `name`."""
        return meant(name, self.names | self._externals.keys())

    def versions(self, name: str) -> list[Version]:
        """Return every version of `name` that a recipe or an OS provides, newest first; [] when none is known."""
        if name not in self._versions:
            recipe = self.find(name)
            own = [one.version for one in recipe.versions] if recipe else []
            self._versions[name] = sorted({*own, *self._externals.get(name, ())}, reverse=True)
        return self._versions[name]


def recipe_faults(recipe: Recipe, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with `recipe` among the others."""
    for dependency in recipe.dependencies:
        yield from _request_faults(dependency.requirement, f"{recipe.name} needs", known)
    for conflict in recipe.conflicts:
        if not known.provided(conflict.requirement.package):
            yield _unknown(conflict.requirement, f"{recipe.name} conflicts with", known)
    for condition, place in _conditions(recipe):
        yield from _condition_faults(condition, place, recipe, known)
    yield from _patch_faults(recipe)
    yield from _option_faults(recipe)
    if not recipe.tests and recipe.build.system is not System.BUNDLE:
        hint = 'add `tests:` with one proof that it works, such as {name: version, run: "prog --version"}'
        yield Fault(message=f"{recipe.name} has no test", place=recipe.place, hint=hint, warning=True)
    if UNKNOWN_LICENCE in recipe.license:
        hint = "write its SPDX expression, or a LicenseRef- of your own with its text in the documentation"
        yield Fault(message=f"the licence of {recipe.name} is not known", place=recipe.place, hint=hint, warning=True)
    if not recipe.cite and CITABLE.intersection(recipe.tags):
        hint = "add `cite:` with the DOI that its authors ask for"
        yield Fault(message=f"{recipe.name} says nothing to cite", place=recipe.place, hint=hint, warning=True)


def stack_faults(stack: StackDefinition, known: Known) -> Iterator[Fault]:
    """Yield what is wrong with `stack` among the recipes, targets and other stacks."""
    for name in stack.targets:
        if name not in known.target_names:
            hint = meant(name, known.target_names) or f"the targets are: {', '.join(sorted(known.target_names))}"
            yield Fault(message=f"there is no target called {name!r}", place=stack.place, hint=hint)
    for request in stack.requirements:
        yield from _request_faults(request, f"{stack.name} requires", known)
    for key, names in (("own", stack.own), ("upstream", stack.upstream)):
        for name in names:
            if name not in known.names:
                message = f"{key}: there is no recipe called {name!r}"
                yield Fault(message=message, place=stack.place, hint=meant(name, known.names))
    if stack.extends is not None and stack.extends not in known.stacks:
        message = f"extends: there is no stack {stack.extends}"
        yield Fault(message=message, place=stack.place, hint=meant(stack.extends, known.stacks))
    for test in stack.tests:
        yield from _condition_faults(test.when, test.place, None, known)


def _request_faults(request: Requirement, who: str, known: Known) -> Iterator[Fault]:
    if not known.provided(request.package):
        yield _unknown(request, who, known)
        return
    if request.constraint.clauses:
        yield from _constraint_faults(request, who, known)
    if not request.options:
        return
    recipe = known.find(request.package)
    if recipe is None and request.package not in known.names:
        message = f"{who} {request}, and only an OS provides {request.package}, which has no options"
        yield Fault(message=message, place=request.place)
    if recipe is not None:
        options = {option.name: option for option in recipe.options}
        for name, value in request.options:
            yield from _value_faults(request, name, value, options.get(name), sorted(options), who)


def _unknown(request: Requirement, who: str, known: Known) -> Fault:
    hint = known.nearest(request.package) or f"write recipes/{request.package}/recipe.yaml"
    return Fault(message=f"{who} {request.package}, which nobody provides", place=request.place, hint=hint)


def _constraint_faults(request: Requirement, who: str, known: Known) -> Iterator[Fault]:
    versions = known.versions(request.package)
    if versions and not any(request.constraint.admits(version) for version in versions):
        message = f"{who} {request.package} {request.constraint}, and no known version is that"
        yield Fault(message=message, place=request.place, hint=f"known versions: {_listed(versions)}")


def _value_faults(
    request: Requirement, name: str, value: str, option: Option | None, names: list[str], who: str
) -> Iterator[Fault]:
    if option is None:
        offered = f"its options: {', '.join(names)}" if names else f"{request.package} has no options"
        message = f"{who} {request}, and {request.package} has no option {name!r}"
        yield Fault(message=message, place=request.place, hint=meant(name, names) or offered)
    elif value not in option.values:
        message = f"{who} {request}, and the option {name!r} of {request.package} has no value {value!r}"
        yield Fault(message=message, place=request.place, hint=f"its values: {', '.join(option.values)}")


def _conditions(recipe: Recipe) -> Iterator[tuple[Condition, Place | None]]:
    for version in recipe.versions:
        for source in version.sources:
            yield source.when, source.place
        for patch in version.patches:
            yield patch.when, patch.place
    for option in recipe.options:
        yield option.when, option.place
    for dependency in recipe.dependencies:
        yield dependency.when, dependency.requirement.place
    for conflict in recipe.conflicts:
        yield conflict.when, conflict.requirement.place
    for argument in recipe.build.args:
        yield argument.when, recipe.place
    for test in recipe.tests:
        yield test.when, test.place


def _condition_faults(
    condition: Condition, place: Place | None, recipe: Recipe | None, known: Known
) -> Iterator[Fault]:
    if condition is ALWAYS:
        return
    who = f"the condition {str(condition)!r}"
    for request in condition.packages:
        if not known.provided(request.package):
            hint = known.nearest(request.package)
            yield Fault(message=f"{who} names {request.package}, which nobody provides", place=place, hint=hint)
    if recipe and condition.version.clauses and not _admits_any(condition.version, recipe):
        hint = f"known versions: {_listed([one.version for one in recipe.versions])}"
        yield Fault(message=f"{who} holds for no version of {recipe.name}", place=place, hint=hint, warning=True)
    if not known.targets or not (condition.targets or condition.os or condition.arch):
        return
    targets = known.targets.values()
    for word, asked, there in (
        ("target", condition.targets, known.target_names),
        ("os", condition.os, {target.os for target in targets}),
        ("arch", condition.arch, {target.arch for target in targets}),
    ):
        for value in asked:
            if value not in there:
                hint = meant(value, there) or f"known: {', '.join(sorted(there))}"
                message = f"{who} holds on no target: none has {word}={value}"
                yield Fault(message=message, place=place, hint=hint, warning=True)


def _admits_any(constraint: Constraint, recipe: Recipe) -> bool:
    return any(constraint.admits(one.version) for one in recipe.versions)


def _patch_faults(recipe: Recipe) -> Iterator[Fault]:
    for version in recipe.versions:
        for patch in version.patches:
            if patch.until is not None and Constraint.parse(patch.until).admits(version.version):
                message = (
                    f"the patch {patch.file} must be gone from {patch.until} on, and is listed for {version.version}"
                )
                hint = f"remove it there, or correct `until`; it was for: {patch.reason}"
                yield Fault(message=message, place=patch.place, hint=hint)


def _option_faults(recipe: Recipe) -> Iterator[Fault]:
    if not recipe.options:
        return
    used = {name for condition, _ in _conditions(recipe) for name, _ in condition.options}
    used.update(argument.option for argument in recipe.build.args if argument.option)
    for option in recipe.options:
        if option.name not in used:
            message = f"the option {option.name!r} of {recipe.name} changes nothing"
            hint = f"use it in `when: +{option.name}` or {{option: {option.name}, define: …}}, or remove it"
            yield Fault(message=message, place=option.place, hint=hint, warning=True)


def _listed(versions: list[Version]) -> str:
    names = [str(version) for version in versions[:8]]
    return ", ".join(names) + (f" and {len(versions) - 8} more" if len(versions) > 8 else "")


def test_files(tests: Iterable[Test]) -> Iterator[tuple[str, Place | None]]:
    """Yield the files that `tests` use and where each is named."""
    for test in tests:
        for file in read_tests.files(test):
            yield file, test.place


def recipe_files(recipe: Recipe) -> Iterator[tuple[str, Place | None]]:
    """Yield the files beside recipe.yaml that `recipe` uses, and where each is named."""
    for version in recipe.versions:
        for source in version.sources:
            for origin in source.origins:
                if origin.scheme == "path":
                    yield origin.location, source.place
        for patch in version.patches:
            yield patch.file, patch.place
    yield from test_files(recipe.tests)
