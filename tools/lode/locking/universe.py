"""All that a stack could come to need: packages, versions, options and the rules between them, before any choice.

Only what may become active is followed: a dependency under `+qt` is left alone as long as nobody can ask for `+qt`.
Versions and option values are put in order of preference here, the best last; the solver sees places in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lode.definitions.recipe import Kind, Recipe
from lode.definitions.requirement import ALWAYS, Condition, Requirement
from lode.definitions.target import Target
from lode.definitions.version import Constraint, Version
from lode.locking.conditions import admits


class Source(StrEnum):
    """Who stated a rule."""

    STACK = "stack"  # a requirement of the stack
    BASE = "base"  # a node of the lock that the stack extends
    DEPENDENCY = "dependency"
    CONFLICT = "conflict"
    DEFAULT = "default"  # nothing asks for another value of an option
    DEPRECATED = "deprecated"  # nothing asks for a deprecated version by ==
    PREVIOUS = "previous"  # the version that the lock had before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """Something that a choice must respect; each rule is one text at one place of one file."""

    source: Source
    asker: str  # a package, or what stands in its place in messages: "stack", "base@2026.11"
    requirement: Requirement
    when: Condition = ALWAYS
    kinds: tuple[Kind, ...] = ()
    reason: str = ""
    targets: frozenset[str] = frozenset()  # where it can become active


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One package that the stack could come to need."""

    recipe: Recipe
    versions: tuple[Version, ...]  # that may be chosen, in order of preference, the best last
    targets: frozenset[str]  # on which it could come to be needed
    values: Mapping[str, tuple[str, ...]]  # of each option: those that can be chosen, in order of preference
    rules: tuple[Rule, ...]  # its dependencies and conflicts
    fixed: bool = False  # it comes from the lock that the stack extends

    @property
    def name(self) -> str:
        """Return the package's name."""
        return self.recipe.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """All members, and the requirements of the stack."""

    members: Mapping[str, Member]
    requests: tuple[Rule, ...]  # sorted by package
    targets: Mapping[str, Target]
    own: frozenset[str]
    _admitted: dict[tuple[str, int], tuple[Constraint, frozenset[int]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def admitted(self, package: str, constraint: Constraint) -> frozenset[int]:
        """Return the ranks (from 1, the highest is preferred) of the versions of `package` that are admitted."""
        key = (package, id(constraint))  # hashing a constraint costs more than looking; keeping it keeps its id
        if key not in self._admitted:
            versions = self.members[package].versions
            ranks = frozenset(rank for rank, version in enumerate(versions, 1) if admits(constraint, version))
            self._admitted[key] = (constraint, ranks)
        return self._admitted[key][1]

    def having(self, package: str, option: str) -> frozenset[int]:
        """Return the ranks of the versions of `package` that have `option` on some target."""
        stated = next((known for known in self.members[package].recipe.options if known.name == option), None)
        return self.admitted(package, stated.when.version) if stated else frozenset()
