"""From what a stack asks and what recipes know to a lock: the whole way, without touching the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError
from types import MappingProxyType

from lode.definitions.recipe import Recipe, Test
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.digest import Digest
from lode.errors import Fault, ResolutionError, SourceError
from lode.locking import extension, lockfile, nodehash
from lode.locking.choose import choose
from lode.locking.conditions import meets, on_target
from lode.locking.cut import Cut
from lode.locking.graph import Extended, Lock, LockedTarget, LockedTest, Node, dependencies, topological
from lode.locking.nodes import Commits, Files, locked_test, nodes
from lode.locking.survey import Known, requests, survey
from lode.locking.universe import Universe
from lode.locking.update import NOTHING, Update
from lode.yamldoc import meant

NO_VERSIONS: Mapping[str, str] = MappingProxyType({})


def unasked(location: str) -> Digest:
    """Raise SourceError: nobody is there to ask for the tree of a commit."""
    raise SourceError(f"no sha256 is known of {location}", hint="add `sha256:` to the source")


def keep_silent(_package: str, _why: str) -> None:
    """Tell nobody."""


def resolve(
    stack: StackDefinition,
    *,
    targets: Mapping[str, Target],
    recipe: Callable[[str], Recipe | None],
    recipe_names: Callable[[], Sequence[str]],
    file: Files,
    commits: Commits = unasked,
    base: Lock | None = None,
    previous: Lock | None = None,
    preferred: Mapping[str, str] = NO_VERSIONS,
    update: Update = NOTHING,
    collections: Sequence[tuple[str, str]] = (),
    tools: Mapping[str, str],
    tell: Callable[[str, str], None] = keep_silent,
) -> Lock:
    """Return the lock of `stack`: the same for the same content, in whatever order it was written.

    `file` gives the bytes of a file of a recipe's folder, or of the stack's for package "" (of a folder: its packed
    archive). `commits` gives the hash of a commit that the recipe gives no sha256 for. `base` is the lock that the
    stack extends, `previous` the one that changes should be few against; `preferred` stands for a previous lock of
    which only the versions are known. `tell` is called for each package that could not keep its version although no
    request for it says so, with the reason.
    ResolutionError names the requests that cannot hold together, or that name something that does not exist.
    """
    here = {name: targets[name] for name in sorted(stack.targets)}
    if base is not None:
        extension.check(base, stack, here)
    kept = _kept(previous, preferred, update)
    known = Known(recipe=recipe, names=recipe_names)
    asked = (*requests(stack), *(extension.requests(base) if base else ()))
    universe = survey(stack, here, known, extension.fixed(base), kept, asked)
    _refuse_unknown(update, universe)
    outcome = choose(universe, kept, update.packages)
    for package, why in outcome.forced.items():
        tell(package, why)
    fixed = {node.package: node for node in base.nodes} if base else {}
    found = nodes(universe, outcome.cuts, file, commits, stack.upstream, fixed)
    _refuse_cycles(found, here)
    tests = _tests(stack.tests, outcome.cuts, here, file)
    return _sealed(_lock(stack, base, here, found, tests, collections, tools), previous)


def _lock(
    stack: StackDefinition,
    base: Lock | None,
    targets: Mapping[str, Target],
    found: Sequence[Node],
    tests: Sequence[LockedTest],
    collections: Sequence[tuple[str, str]],
    tools: Mapping[str, str],
) -> Lock:
    locked = tuple(LockedTarget(definition=target, digest=nodehash.of_target(target)) for target in targets.values())
    return Lock(
        schema=lockfile.SCHEMA,
        stack=stack.name,
        release=stack.release,
        date=stack.date,
        summary=stack.summary,
        collections=tuple(collections),
        extends=Extended(stack=base.stack, release=base.release, digest=base.digest) if base else None,
        tools={name: tools[name] for name in sorted(tools)},
        pins=stack.pins,
        publish=stack.publish,
        requirements=_requirements(stack, base),
        groups=_groups(stack, base),
        targets=locked,
        nodes=nodehash.hashed(found, {target.definition.name: target.digest for target in locked}),
        tests=tuple(tests),
        digest=lockfile.UNSEALED,
    )


def _kept(previous: Lock | None, preferred: Mapping[str, str], update: Update) -> dict[str, Version]:
    if update.everything:
        return {}
    before = {node.package: node.version for node in previous.nodes} if previous else preferred
    return {name: Version(version) for name, version in before.items() if name not in update.packages}


def _requirements(stack: StackDefinition, base: Lock | None) -> tuple[str, ...]:
    return tuple(sorted({str(request) for request in stack.requirements} | set(base.requirements if base else ())))


def _groups(stack: StackDefinition, base: Lock | None) -> dict[str, tuple[str, ...]]:
    groups = {name: set(packages) for name, packages in base.groups.items()} if base else {}
    for group in stack.groups:
        groups.setdefault(group.name, set()).update(group.packages)
    return {name: tuple(sorted(groups[name])) for name in sorted(groups)}


def _tests(
    tests: Sequence[Test], cuts: Mapping[str, Cut], targets: Mapping[str, Target], file: Files
) -> list[LockedTest]:
    locked = []
    for test in tests:
        where = tuple(
            name
            for name, target in targets.items()
            if on_target(test.when, target)
            and all(meets(other, cuts[name].present.get(other.package)) for other in test.when.packages)
        )
        if where:
            locked.append(locked_test(test, "", where, file))
    return locked


def _refuse_unknown(update: Update, universe: Universe) -> None:
    faults = [
        Fault(
            message=f"{name} cannot be updated: the stack does not need it",
            hint=meant(name, universe.members) or "`lode lock STACK --check --json` lists what it needs",
        )
        for name in update.packages
        if name not in universe.members
    ]
    if faults:
        raise ResolutionError.of(faults)


def _refuse_cycles(nodes: Sequence[Node], targets: Mapping[str, Target]) -> None:
    for target in targets:
        here = [node for node in nodes if target in node.targets]
        try:
            topological({node.package: dependencies(node, target) for node in here})
        except CycleError as error:
            cycle: list[str] = error.args[1][::-1]
            start = cycle.index(min(cycle))
            cycle = cycle[start:-1] + cycle[:start] if start else cycle[:-1]
            told = " needs ".join([*cycle, cycle[0]])
            message = f"packages need each other in a circle on {target}: {told}"
            hint = "a package cannot be built before itself: drop a dependency, or put it under an option"
            raise ResolutionError(message, hint=hint) from error


def _sealed(lock: Lock, previous: Lock | None) -> Lock:
    """Return `lock` with its digest; tools and collections stay those of `previous` when they changed nothing else."""
    if previous is not None:
        unchanged = replace(lock, tools=previous.tools, collections=previous.collections, digest=previous.digest)
        if unchanged == previous:
            return previous
    return lockfile.seal(lock)
