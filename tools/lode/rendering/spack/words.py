"""Names, requirements and conditions of Lode as specs of Spack, and a list of what is lost on the way.

A condition can have several specs, any of which may hold: Spack's conditions have no "or". Conditions on the OS are
decided for the targets of the lock, which are the only systems that Spack could be told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lode.definitions.recipe import Option, Recipe, System
from lode.definitions.requirement import Condition, Requirement
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.errors import Fault
from lode.locking.conditions import on_target
from lode.locking.graph import Lock
from lode.rendering import names
from lode.rendering.spack import versions
from lode.rendering.weakening import Weakening

# Variants that Spack or its build systems have already, and words of its specs: an option of this name gets another.
TAKEN = frozenset((
    "arch", "architecture", "branch", "build_system", "build_type", "buildtype", "cflags", "commit", "cppflags",
    "cxxflags", "default_library", "dev", "dev_path", "fflags", "generator", "ipo", "ldflags", "ldlibs", "namespace",
    "operating_system", "os", "patches", "platform", "ref", "strip", "tag", "target", "when",
))  # fmt: skip
# Virtual packages of Spack: nothing can be a package of this name.
VIRTUAL = frozenset((
    "blas", "c", "cxx", "fortran", "gl", "glu", "glx", "golang", "iconv", "jpeg", "lapack", "libc", "mpi", "scalapack",
    "yacc", "zlib-api",
))  # fmt: skip
# What the class of a build system needs by itself: a package of that name cannot be of that class.
_NEEDED = {
    System.CMAKE: ("cmake", "gmake", "ninja"),
    System.AUTOTOOLS: ("gmake",),
    System.MESON: ("meson", "ninja"),
}
_WHOLE_VERSION = ("ubuntu", "alpine", "opensuse")  # systems that Spack tells by more than the major version


@dataclass(slots=True, kw_only=True)
class Words:
    """What specs are made with; collects weakenings and faults while they are made."""

    lock: Lock
    recipes: Mapping[str, Recipe]
    namespace: str
    weakenings: set[Weakening] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    _known: dict[str, tuple[Version, ...]] = field(default_factory=dict)
    _delegated: dict[str, tuple[str, ...]] = field(default_factory=dict)  # Spack's name, then variants

    def __post_init__(self) -> None:
        """Find out which packages Spack's own ones stand in for."""
        for node in self.lock.nodes:
            if node.provider == "upstream" and node.upstream.spack:
                self._delegated[node.package] = tuple(node.upstream.spack.split())

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return the targets of the lock."""
        return tuple(target.definition for target in self.lock.targets)

    def is_delegated(self, package: str) -> bool:
        """Return whether Spack's own package stands in for `package`."""
        return package in self._delegated

    def is_by_hand(self, package: str, build_system: System) -> bool:
        """Return whether `package` cannot be of Spack's class of its build system, which needs that package itself."""
        return self.name(package) in _NEEDED.get(build_system, ())

    def delegated_variants(self, package: str) -> tuple[str, ...]:
        """Return the variants that the recipe asks of Spack's own package, as parts of a spec."""
        return self._delegated[package][1:]

    def name(self, package: str) -> str:
        """Return what `package` is called in Spack."""
        if package in self._delegated:
            return self._delegated[package][0]
        name = names.elsewhere(package, names.SPACK)
        return f"lode-{name}" if name in VIRTUAL else name

    def known(self, package: str) -> tuple[Version, ...]:
        """Return the versions of `package` that recipes and targets have, sorted."""
        if package not in self._known:
            recipe = self.recipes.get(package)
            found = {one.version for one in recipe.versions} if recipe else set()
            found |= {
                Version(tool.version) for one in self.targets for tool in one.externals if tool.package == package
            }
            self._known[package] = tuple(sorted(found))
        return self._known[package]

    def weaken(self, package: str, what: str) -> None:
        """Note that `what` is said less exactly."""
        self.weakenings.add(Weakening(package=package, what=what))

    def refuse(self, recipe: Recipe, message: str, hint: str | None = None) -> None:
        """Note that something of `recipe` cannot be said at all."""
        self.faults.append(Fault(message=f"{recipe.name}: {message}", place=recipe.place, hint=hint))

    def variant(self, option: str) -> str:
        """Return the name of the variant that an option becomes."""
        return f"option-{option}" if option in TAKEN else option

    def setting(self, package: str, option: str, value: str) -> str:
        """Return the part of a spec that gives an option of `package` its value."""
        name = self.variant(option)
        recipe = self.recipes.get(package)
        stated = next((one for one in recipe.options if one.name == option), None) if recipe else None
        if value in ("true", "false") and (stated is None or is_switch(stated)):
            return f"+{name}" if value == "true" else f"~{name}"
        return f"{name}={value}"

    def requirement(self, owner: str, request: Requirement) -> str | None:
        """Return the spec of what the package `owner` asks for; None when no version can be meant."""
        name = self.name(request.package)
        known = () if self.is_delegated(request.package) else self.known(request.package)
        found = versions.ranges(request.constraint, known)
        if found is None:
            if known:
                return None
            self.weaken(owner, f"Spack has no range for {request}: any version of {name} will do")
            found = versions.Ranges(text="", exact=True)
        elif not found.exact and not known:
            self.weaken(owner, f"{request} is {name}@{found.text} in Spack, which is the nearest range")
        if request.options and self.is_delegated(request.package):
            self.weaken(owner, f"the options of {request} are not asked of Spack's own {name}")
            return _spec(name, found.text)
        settings = [self.setting(request.package, *pair) for pair in request.options]
        return " ".join([_spec(name, found.text), *settings])

    def conditions(self, recipe: Recipe, condition: Condition) -> tuple[str, ...]:
        """Return the specs of which any must hold for `condition`, stated by `recipe`; `("",)` when it always does."""
        parts: list[str] = []
        found = versions.ranges(condition.version, self.known(recipe.name))
        if found is None:
            return ()
        if found.text and not all(condition.version.admits(one) for one in self.known(recipe.name)):
            parts.append(f"@{found.text}")
        parts += [self.setting(recipe.name, *pair) for pair in condition.options]
        others: list[str] = []
        for other in condition.packages:
            spec = self.requirement(recipe.name, other)
            if spec is None:
                return ()
            others.append(f"^{spec}")
        return tuple(
            " ".join(part for part in (*parts, *system, *others) if part) for system in self._systems(recipe, condition)
        )

    def _systems(self, recipe: Recipe, condition: Condition) -> tuple[tuple[str, ...], ...]:
        if not (condition.targets or condition.os or condition.arch):
            return ((),)
        if not condition.targets and not condition.os:
            return tuple((f"target={arch}:",) for arch in condition.arch)
        self.weaken(recipe.name, f"the condition {condition} is decided for the targets of the lock only")
        there = [target for target in self.targets if on_target(condition, target)]
        return tuple(sorted({(f"os={system(target)}", f"target={target.arch}:") for target in there}))


def system(target: Target) -> str:
    """Return what Spack calls the operating system of `target`: `debian12`, `almalinux9`, `ubuntu24.04`."""
    version = target.os_version if target.os.startswith(_WHOLE_VERSION) else target.os_version.partition(".")[0]
    return f"{target.os}{version}"


def is_switch(option: Option) -> bool:
    """Return whether an option is a boolean variant."""
    return sorted(option.values) == ["false", "true"]


def languages(stated: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages that Spack must give a package compilers of, when its recipe names `stated`; sorted.

    CMake looks for compilers of C and C++ whatever a project is written in, unless the project says otherwise, and
    Spack's wrappers refuse to be what a package did not ask for.
    """
    return tuple(sorted({*stated, "c", "cxx"})) if stated else ()


def processor(target: Target) -> str:
    """Return what Spack calls the microarchitecture of `target`: `x86_64_v2`."""
    text = target.microarchitecture
    return text.replace("-", "_") if text.startswith("x86-64") else target.arch


def _spec(name: str, ranges: str) -> str:
    return f"{name}@{ranges}" if ranges else name
