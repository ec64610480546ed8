"""From a choice to the nodes of a lock: every condition decided, every file hashed, every edge with its targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from lode import digest
from lode.definitions.canonical import recipe_document
from lode.definitions.read_tests import files as test_files
from lode.definitions.recipe import Argument, Dependency, Kind, Patch, Recipe, RecipeVersion, Source, System, Test
from lode.definitions.requirement import ALWAYS, Condition
from lode.definitions.version import Constraint, Version
from lode.digest import Digest
from lode.errors import Fault, ResolutionError, SourceError
from lode.locking.conditions import Choice, holds
from lode.locking.cut import Cut
from lode.locking.extension import restricted
from lode.locking.graph import (
    Edge,
    ExternalEdge,
    LockedArgument,
    LockedBuild,
    LockedPatch,
    LockedSource,
    LockedTest,
    Node,
)
from lode.locking.universe import Universe
from lode.locking.words import define, filename

Files = Callable[[str, str], bytes]  # package ("" is the stack) and relative path to content
Commits = Callable[[str], Digest]  # location of a git origin to the sha256 of its tree's archive; SourceError


def nodes(
    universe: Universe,
    cuts: Mapping[str, Cut],
    file: Files,
    commits: Commits,
    upstream: Iterable[str],
    base: Mapping[str, Node],
) -> tuple[Node, ...]:
    """Return all nodes of `cuts`, sorted by package, without hashes; nodes of `base` are taken as they are.

    ResolutionError names each patch whose end has come and each language that a target's compiler lacks.
    """
    reasons = _reasons(universe, cuts)
    delegated = frozenset(upstream)
    found: list[Node] = []
    faults: list[Fault] = []
    for name in sorted({name for part in cuts.values() for name in part.present}):
        here = tuple(sorted(target for target, part in cuts.items() if name in part.present))
        if name in base:
            found.append(restricted(base[name], here, reasons[name]))
            continue
        member = _Decided(universe, cuts, name, here, file, commits)
        faults += member.faults()
        found.append(member.node(reasons[name], "upstream" if name in delegated else "lode"))
    if faults:
        raise ResolutionError.of(faults)
    return tuple(found)


def locked_test(test: Test, package: str, targets: tuple[str, ...], file: Files) -> LockedTest:
    """Return `test` with the hashes of all its files."""
    return LockedTest(
        name=test.name,
        run=test.run,
        compile=test.compile,
        python=test.python,
        libraries=test.libraries,
        flags=test.flags,
        files=tuple((path, digest.of_bytes(file(package, path))) for path in sorted(set(test_files(test)))),
        numbers=test.numbers,
        tolerance=test.tolerance,
        timeout_s=test.timeout_s,
        prepare=test.prepare,
        targets=targets,
    )


class _Decided:
    """One package of a choice, on the targets that need it."""

    def __init__(
        self,
        universe: Universe,
        cuts: Mapping[str, Cut],
        name: str,
        targets: tuple[str, ...],
        file: Files,
        commits: Commits,
    ) -> None:
        self._universe, self._cuts, self._targets, self._file, self._commits = universe, cuts, targets, file, commits
        self._recipe: Recipe = universe.members[name].recipe
        self._version: Version = cuts[targets[0]].present[name].version
        self._stated = next(known for known in self._recipe.versions if known.version == self._version)

    def node(self, reasons: tuple[str, ...], provider: str) -> Node:
        recipe = self._recipe
        return Node(
            package=recipe.name,
            version=self._version.text,
            summary=recipe.summary,
            homepage=recipe.homepage,
            license=recipe.license,
            redistributable=recipe.redistributable,
            cite=recipe.cite,
            tags=recipe.tags,
            options=self._options(),
            languages=recipe.languages,
            sources=tuple(self._sources()),
            patches=tuple(self._patches()),
            build=self._build(),
            edges=_edges(recipe.name, self._targets, self._cuts),
            externals=_externals(recipe.name, self._targets, self._cuts),
            environment=recipe.environment,
            tests=tuple(
                locked_test(test, recipe.name, where, self._file)
                for test in recipe.tests
                if (where := self._where(test.when))
            ),
            system_libraries=recipe.system_libraries,
            upstream=recipe.upstream,
            provider=provider,
            prebuilt=recipe.build.system is System.WHEEL,
            targets=self._targets,
            reasons=reasons,
            recipe=self._digest(),
            hashes={},
            absent=self._absent(),
        )

    def faults(self) -> Iterable[Fault]:
        name, version = self._recipe.name, self._version
        for patch in self._stated.patches:
            if patch.until and self._where(patch.when) and Constraint.parse(patch.until).admits(version):
                message = f"the patch {patch.file} of {name} {version} must be gone from {patch.until}: {patch.reason}"
                hint = "drop the patch from this version" + (f"; see {patch.upstream}" if patch.upstream else "")
                yield Fault(message=message, place=patch.place, hint=hint)
        for target in self._targets:
            compiler = self._universe.targets[target].compiler
            for language in self._recipe.languages:
                if language not in compiler.languages:
                    message = f"{name} {version} needs a {language} compiler, which target {target} does not have"
                    hint = f"{compiler.name} there compiles: {', '.join(compiler.languages)}"
                    yield Fault(message=message, place=self._recipe.place, hint=hint)

    def _where(self, condition: Condition) -> tuple[str, ...]:
        if condition == ALWAYS:
            return self._targets
        return tuple(
            name
            for name in self._targets
            if holds(condition, self._choice(name), self._universe.targets[name], self._cuts[name].present)
        )

    def _choice(self, target: str) -> Choice:
        return self._cuts[target].present[self._recipe.name]

    def _options(self) -> dict[str, str]:
        options: dict[str, str] = {}
        for target in self._targets:
            options.update(self._choice(target).options)
        return {name: options[name] for name in sorted(options)}

    def _absent(self) -> dict[str, tuple[str, ...]]:
        absent = {}
        for name in self._options():
            lacking = tuple(target for target in self._targets if name not in self._choice(target).options)
            if lacking:
                absent[name] = lacking
        return absent

    def _sources(self) -> Iterable[LockedSource]:
        for source in self._stated.sources:
            where = self._where(source.when)
            if where:
                yield LockedSource(
                    origins=source.origins,
                    sha256=self._hash(source),
                    size=source.size,
                    swhid=source.swhid,
                    directory=source.directory,
                    subdirectory=source.subdirectory,
                    unpack=source.unpack,
                    filename=filename(source.origins[0], unpack=source.unpack),
                    targets=where,
                )

    def _hash(self, source: Source) -> Digest:
        location = source.origins[0].location
        if source.sha256:
            return source.sha256
        if source.origins[0].scheme == "path":
            return digest.of_bytes(self._file(self._recipe.name, location))
        try:
            return self._commits(location)
        except SourceError as error:
            message = f"{self._recipe.name} {self._version}: {error.faults[0].message}"
            raise SourceError(message, place=source.place, hint=error.faults[0].hint) from error

    def _patches(self) -> Iterable[LockedPatch]:
        for patch in self._stated.patches:
            where = self._where(patch.when)
            if where:
                yield self._patch(patch, where)

    def _patch(self, patch: Patch, where: tuple[str, ...]) -> LockedPatch:
        return LockedPatch(
            file=patch.file,
            sha256=digest.of_bytes(self._file(self._recipe.name, patch.file)),
            strip=patch.strip,
            reason=patch.reason,
            upstream=patch.upstream,
            until=patch.until,
            targets=where,
        )

    def _build(self) -> LockedBuild:
        build = self._recipe.build
        return LockedBuild(
            system=build.system,
            subdirectory=build.subdirectory,
            args=tuple(locked for argument in build.args for locked in self._arguments(argument)),
            environment=build.environment,
            prepare=build.prepare,
            targets=build.targets,
            install_targets=build.install_targets,
            script=build.script,
            finish=build.finish,
            in_source=build.in_source,
            jobs=build.jobs,
            memory_mb=build.memory_mb,
        )

    def _arguments(self, argument: Argument) -> Iterable[LockedArgument]:
        where = self._where(argument.when)
        if argument.option is None or argument.define is None:
            if where:
                yield LockedArgument(words=argument.words, targets=where)
            return
        values: dict[str, list[str]] = defaultdict(list)
        for target in where:
            value = self._choice(target).options.get(argument.option)
            if value is not None:
                values[value].append(target)
        for value, targets in sorted(values.items()):
            yield LockedArgument(
                words=(*argument.words, define(self._recipe.build.system, argument.define, value)),
                targets=tuple(targets),
                option=argument.option,
                define=argument.define,
                value=value,
            )

    def _digest(self) -> Digest:
        return recipe_digest(self._recipe, self._stated)


def recipe_digest(recipe: Recipe, stated: RecipeVersion) -> Digest:
    """Return the digest of all that `recipe` says about its version `stated`; other versions do not count, nor order.

    A lock keeps it, so that a recipe that has changed since is noticed.
    """
    document = recipe_document(replace(recipe, versions=(stated,)))
    for key in ("dependencies", "conflicts"):
        document[key] = sorted(document[key], key=lambda item: [str(item[name]) for name in sorted(item)])
    return digest.of_document("recipe", 1, document)


def _reasons(universe: Universe, cuts: Mapping[str, Cut]) -> dict[str, tuple[str, ...]]:
    reasons: dict[str, set[str]] = defaultdict(set)
    for rule in universe.requests:
        reasons[rule.requirement.package].add(f"{rule.asker}: {rule.requirement}")
    for name in {name for part in cuts.values() for name in part.edges}:
        for edges, _ in _alike(part.edges.get(name, ()) for part in cuts.values()):
            for dependency in edges:
                reasons[dependency.requirement.package].add(f"{name}: {dependency.requirement}")
    return {name: tuple(sorted(told)) for name, told in reasons.items()}


def _alike(parts: Iterable[tuple[Dependency, ...]]) -> list[tuple[tuple[Dependency, ...], list[int]]]:
    """Return each different one of `parts` with the places at which it stands: most targets need the same."""
    found: dict[tuple[int, ...], tuple[tuple[Dependency, ...], list[int]]] = {}
    for place, part in enumerate(parts):
        found.setdefault(tuple(map(id, part)), (part, []))[1].append(place)
    return list(found.values())


def _edges(name: str, targets: tuple[str, ...], cuts: Mapping[str, Cut]) -> tuple[Edge, ...]:
    where: dict[tuple[str, tuple[Kind, ...], str, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for edges, places in _alike(cuts[target].edges[name] for target in targets):
        for package, same in _by_package(edges).items():
            kinds = tuple(sorted({kind for dependency in same for kind in dependency.kinds}))
            options = tuple(sorted({pair for dependency in same for pair in dependency.requirement.options}))
            where[package, kinds, _joined(same), options] += [targets[place] for place in places]
    found = [
        Edge(package=package, kinds=kinds, targets=tuple(sorted(there)), constraint=constraint, options=options)
        for (package, kinds, constraint, options), there in where.items()
    ]
    return tuple(sorted(found, key=lambda edge: (edge.package, edge.targets)))


def _externals(name: str, targets: tuple[str, ...], cuts: Mapping[str, Cut]) -> tuple[ExternalEdge, ...]:
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edges, places in _alike(cuts[target].externals[name] for target in targets):
        for package, same in _by_package(edges).items():
            where[package, _joined(same)] += [targets[place] for place in places]
    return tuple(
        ExternalEdge(package=package, targets=tuple(sorted(there)), constraint=constraint)
        for (package, constraint), there in sorted(where.items())
    )


def _by_package(dependencies: Iterable[Dependency]) -> dict[str, list[Dependency]]:
    together: dict[str, list[Dependency]] = defaultdict(list)
    for dependency in dependencies:
        together[dependency.requirement.package].append(dependency)
    return together


def _joined(dependencies: Iterable[Dependency]) -> str:
    return ",".join(sorted({str(one.requirement.constraint) for one in dependencies} - {""}))
