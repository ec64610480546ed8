"""A small world for tests of locking: recipes, targets and stacks written in a line each, held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lode import digest
from lode.definitions import language
from lode.definitions.recipe import (
    Argument,
    Build,
    Conflict,
    Dependency,
    Kind,
    Option,
    Origin,
    Recipe,
    RecipeVersion,
    Source,
    System,
)
from lode.definitions.requirement import Requirement
from lode.definitions.stack import Group, StackDefinition
from lode.definitions.target import Base, Compiler, External, Target
from lode.definitions.version import Version
from lode.errors import Place
from lode.locking.graph import Lock, Node
from lode.locking.nodes import Commits
from lode.locking.resolve import resolve, unasked
from lode.locking.update import Update

TOOLS = {"lode-format": "1", "rattler": "0.28.0", "rattler-build": "0.73.0"}
NOTHING = Update()


def target(
    name: str = "debian12-x86_64", *, externals: str = "", languages: str = "c cxx", glibc: str = "2.36"
) -> Target:
    """Return a target; `externals` is `cmake=3.25.1 make=4.3`."""
    system, _, arch = name.partition("-")
    return Target(
        name=name,
        os=system.rstrip("0123456789"),
        os_version=system.lstrip("abcdefghijklmnopqrstuvwxyz"),
        arch=arch,
        base=Base(suite="bookworm"),
        compiler=Compiler(name="gcc", version="12.2.0", languages=tuple(languages.split())),
        glibc=glibc,
        libstdcxx="3.4.30",
        system_packages=("gcc", "make"),
        externals=tuple(
            External(package=package, version=version, system_package=package, program=f"/usr/bin/{package}")
            for package, _, version in (word.partition("=") for word in externals.split())
        ),
        system_libraries=("libc.so.6",),
    )


class World:
    """What is known: recipes and targets; and the lock of whatever is asked of it."""

    def __init__(self, *targets: Target) -> None:
        self.targets = {one.name: one for one in targets or (target(),)}
        self.recipes: dict[str, Recipe] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.loaded: list[str] = []
        self.told: dict[str, str] = {}  # why packages could not keep their versions

    def add(
        self,
        name: str,
        versions: str = "1.0",
        *,
        needs: Sequence[str] = (),
        build: Sequence[str] = (),
        run: Sequence[str] = (),
        test: Sequence[str] = (),
        options: Sequence[str] = (),
        conflicts: Sequence[str] = (),
        languages: str = "",
        args: Sequence[Argument] = (),
        system: System = System.CMAKE,
        deprecated: str = "",
    ) -> None:
        """Add a recipe.

        `needs` are link dependencies, `xerces-c >=3.2 when +gdml`; options are `gdml=true`, `std=17:17,20`, `gdml=true
        when >=2`; conflicts are `qt >=6: not ported yet`, `+qt | root +x11: both open windows`.
        """
        kinds = [(Kind.LINK, needs), (Kind.BUILD, build), (Kind.RUN, run), (Kind.TEST, test)]
        written = [(kind, text) for kind, texts in kinds for text in texts]
        file = f"recipes/{name}/recipe.yaml"
        self.recipes[name] = Recipe(
            name=name,
            summary=f"{name}, for tests",
            homepage=f"https://{name}.example.org",
            license="MIT",
            versions=tuple(
                sorted(
                    (self._version(name, text, deprecated) for text in versions.split()),
                    key=lambda known: known.version,
                    reverse=True,
                )
            ),
            build=Build(system=system, args=tuple(args)),
            options=tuple(sorted((self._option(text) for text in options), key=lambda option: option.name)),
            languages=tuple(languages.split()),
            dependencies=tuple(
                self._dependency(text, kind, Place(file=file, line=20 + number, column=5))
                for number, (kind, text) in enumerate(written)
            ),
            conflicts=tuple(
                self._conflict(text, Place(file=file, line=50 + number, column=5))
                for number, text in enumerate(conflicts)
            ),
            folder=f"/here/recipes/{name}",
            place=Place(file=file, line=1, column=1),
        )

    def stack(self, *requirements: str, own: str = "", groups: Iterable[Group] = (), **more: object) -> StackDefinition:
        """Return a stack with these requirements on all targets of the world."""
        requests = [
            placed(language.requirement(text), Place(file="stacks/x.yaml", line=5 + number, column=3))
            for number, text in enumerate(requirements)
        ]
        return StackDefinition(
            name=str(more.pop("name", "x")),
            release=str(more.pop("release", "1")),
            date="2026-11-01",
            summary="a stack for tests",
            targets=tuple(sorted(self.targets)),
            requirements=tuple(sorted(requests, key=lambda request: request.package)),
            own=tuple(own.split()),
            groups=tuple(groups),
            place=Place(file="stacks/x.yaml", line=1, column=1),
            **more,  # type: ignore[arg-type]
        )

    def lock(
        self,
        stack: StackDefinition | str,
        *more: str,
        previous: Lock | None = None,
        base: Lock | None = None,
        update: Update = NOTHING,
        commits: Commits = unasked,
        **options: str,
    ) -> Lock:
        """Return the lock of a stack, or of one with these requirements."""
        return resolve(
            stack if isinstance(stack, StackDefinition) else self.stack(stack, *more, **options),  # type: ignore[arg-type]
            targets=self.targets,
            recipe=self._find,
            recipe_names=lambda: sorted(self.recipes),
            file=lambda package, path: self.files[package, path],
            base=base,
            previous=previous,
            update=update,
            commits=commits,
            collections=(("lode", "1.0"),),
            tools=TOOLS,
            tell=self.told.__setitem__,
        )

    def _find(self, name: str) -> Recipe | None:
        self.loaded.append(name)
        return self.recipes.get(name)

    def _version(self, name: str, text: str, deprecated: str) -> RecipeVersion:
        origin = Origin(scheme="url", location=f"https://{name}.example.org/{name}-{text}.tar.gz")
        return RecipeVersion(
            version=Version(text),
            sources=(Source(origins=(origin,), sha256=digest.of_bytes(f"{name} {text}".encode()), size=100),),
            deprecated="has a known fault" if text in deprecated.split() else None,
            place=Place(file=f"recipes/{name}/recipe.yaml", line=10, column=5),
        )

    @staticmethod
    def _option(text: str) -> Option:
        text, _, when = text.partition(" when ")
        name, _, rest = text.partition("=")
        default, _, values = rest.partition(":")
        return Option(
            name=name,
            values=tuple(values.split(",")) if values else ("true", "false"),
            default=default,
            summary="an option",
            when=language.optional_condition(when),
            place=Place(file="recipes/options.yaml", line=7, column=3),
        )

    @staticmethod
    def _dependency(text: str, kind: Kind, place: Place) -> Dependency:
        request, _, when = text.partition(" when ")
        return Dependency(
            requirement=placed(language.requirement(request), place),
            kinds=(kind,),
            when=language.optional_condition(when),
        )

    @staticmethod
    def _conflict(text: str, place: Place) -> Conflict:
        head, _, reason = text.partition(": ")
        when, bar, request = head.rpartition(" | ")
        return Conflict(
            requirement=placed(language.requirement(request), place),
            reason=reason,
            when=language.optional_condition(when if bar else ""),
        )


def placed(request: Requirement, place: Place) -> Requirement:
    """Return `request` at `place`."""
    return replace(request, place=place)


def versions(lock: Lock) -> dict[str, str]:
    """Return the version of every node."""
    return {node.package: node.version for node in lock.nodes}


def node(lock: Lock, package: str) -> Node:
    """Return the node of `package`."""
    return lock.node(package)
