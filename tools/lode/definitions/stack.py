"""What an experiment asks for: a named, versioned list of requirements on some targets."""

from __future__ import annotations

from dataclasses import dataclass, field

from lode.definitions.recipe import Test
from lode.definitions.requirement import Requirement
from lode.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Commits and snapshots of the foreign ecosystems that renderings refer to."""

    spack: str | None = None  # commit
    spack_packages: str | None = None  # commit
    conda_channels: tuple[tuple[str, str], ...] = ()  # channel name and snapshot, sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Where releases of the stack go."""

    cvmfs: str  # fully qualified repository name; also decides the final path /cvmfs/<fqrn>/<stack>/<release>/<target>
    registry: str | None = None  # image name without tag
    channel: str | None = None  # URL of a conda channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named part of the stack: images and views are made of it and what it needs."""

    name: str
    packages: tuple[str, ...]  # sorted; each is required by the stack


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDefinition:
    """One release of a stack as it was written; what it asks, not yet what was chosen."""

    name: str
    release: str  # `2026.11`, verbatim
    date: str  # ISO date of the release: SOURCE_DATE_EPOCH is its midnight UTC
    summary: str
    targets: tuple[str, ...]  # names, sorted
    requirements: tuple[Requirement, ...]  # sorted by package
    extends: str | None = None  # `base@2026.11`
    groups: tuple[Group, ...] = ()  # sorted by name
    own: tuple[str, ...] = ()  # build tools taken from recipes even where the target's OS has them, sorted
    upstream: tuple[str, ...] = ()  # packages delegated to the foreign ecosystem's own (`provider: upstream`), sorted
    pins: Pins = Pins()
    tests: tuple[Test, ...] = ()
    publish: Publish = Publish(cvmfs="lode.example.org")
    folder: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)
