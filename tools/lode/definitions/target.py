"""An operating system and architecture that a stack is built for: its base, compiler, tools and libraries."""

from __future__ import annotations

from dataclasses import dataclass, field

from lode.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Where the target's root file system comes from: an image pinned by digest, or a suite to bootstrap."""

    image: str | None = None  # `docker.io/library/almalinux@sha256:…`
    suite: str | None = None  # `bookworm`: bootstrapped by mmdebstrap from Debian's archive
    snapshot: str | None = None  # time stamp of the archive that versions are taken from, `20261101T000000Z`
    mirror: str | None = field(default=None, compare=False)  # URL below which a suite's snapshots lie by their times


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """The OS compiler of a target; a host with another version is refused."""

    name: str  # "gcc"
    version: str  # full, as `gcc -dumpfullversion` prints it
    languages: tuple[str, ...] = ("c", "cxx")
    c: str = "/usr/bin/gcc"
    cxx: str = "/usr/bin/g++"
    fortran: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A build tool that the target's OS provides, found before a recipe when its version is admitted."""

    package: str  # recipe name it stands for: "cmake"
    version: str
    system_package: str  # the OS package that brings it
    program: str  # absolute path, proves that it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One OS target; all that decides what a build on it yields is stated here and enters every node's hash."""

    name: str  # `debian12-x86_64`
    os: str  # "debian"
    os_version: str  # "12", as VERSION_ID of /etc/os-release
    arch: str  # "x86_64", as `uname -m`
    base: Base
    compiler: Compiler
    glibc: str  # version of the C library: nothing built here may need a newer symbol
    libstdcxx: str  # newest GLIBCXX_ symbol version, `3.4.30`
    microarchitecture: str = "x86-64-v2"  # -march=
    system_packages: tuple[str, ...] = ()  # OS packages of the builder, `name` or `name=version`, sorted
    runtime_packages: tuple[str, ...] = ()  # OS packages of the runtime image, sorted
    externals: tuple[External, ...] = ()  # sorted by package
    system_libraries: tuple[str, ...] = ()  # sonames that every runtime image has, globs, sorted
    end_of_life: str | None = None  # ISO date
    place: Place | None = field(default=None, compare=False)
