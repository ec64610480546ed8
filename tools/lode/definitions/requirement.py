"""Requests for packages and the conditions under which things hold: the small languages of recipes and stacks.

A requirement: `geant4 >=11.2,<11.4 +gdml ~qt cxxstd=17`. A condition (`when:`): `>=2.4 +gdml os=debian ^python<3.12`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lode.definitions.version import Constraint
from lode.errors import Place

Options = Mapping[str, str]  # option name to value; a switch has the values "true" and "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A request for a package: its name, a constraint on its version, and values of some of its options."""

    package: str
    constraint: Constraint = Constraint()
    options: tuple[tuple[str, str], ...] = ()  # sorted by name; "+x" is ("x", "true"), "~x" is ("x", "false")
    place: Place | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Return the requirement in its written form."""
        words = [self.package, str(self.constraint)] if self.constraint.clauses else [self.package]
        return " ".join(words + [_option(name, value) for name, value in self.options])


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When something holds: every stated part must. The empty condition always holds."""

    version: Constraint = Constraint()  # of the package that states the condition
    options: tuple[tuple[str, str], ...] = ()  # of the package that states the condition, sorted
    targets: tuple[str, ...] = ()  # target name, any of these (`target=debian12-x86_64`), sorted
    os: tuple[str, ...] = ()  # distribution, any of these (`os=debian`), sorted
    arch: tuple[str, ...] = ()  # machine, any of these (`arch=x86_64`), sorted
    packages: tuple[Requirement, ...] = ()  # of other packages in the lock (`^python<3.12`), sorted by name

    def __str__(self) -> str:
        """Return the condition in its written form, empty when it always holds."""
        words = [str(self.version)] if self.version.clauses else []
        words += [_option(name, value) for name, value in self.options]
        words += [f"target={name}" for name in self.targets]
        words += [f"os={name}" for name in self.os] + [f"arch={name}" for name in self.arch]
        words += [f"^{request.package}{request.constraint}" for request in self.packages]
        return " ".join(words)


ALWAYS = Condition()


def _option(name: str, value: str) -> str:
    return {"true": f"+{name}", "false": f"~{name}"}.get(value, f"{name}={value}")
