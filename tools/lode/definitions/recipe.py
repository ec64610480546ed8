"""What is known of one package: its versions and sources, options, dependencies, build, tests and environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lode.definitions.requirement import ALWAYS, Condition, Requirement
from lode.definitions.version import Version
from lode.digest import Digest
from lode.errors import Place


class Kind(StrEnum):
    """What a dependency is needed for."""

    BUILD = "build"  # present while building: tools, build back-ends
    LINK = "link"  # headers and libraries: in the host environment of the build, and at run time
    RUN = "run"  # at run time only
    TEST = "test"  # while the recipe's tests run


class System(StrEnum):
    """The build systems that every renderer knows."""

    CMAKE = "cmake"
    AUTOTOOLS = "autotools"
    MESON = "meson"
    MAKE = "make"
    PYTHON = "python"  # an sdist with a PEP 517 back-end, built without isolation
    WHEEL = "wheel"  # a prebuilt wheel, installed and marked so everywhere
    SCRIPT = "script"
    BUNDLE = "bundle"  # no source, only dependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One place where a source's bytes are: exactly one of the five forms.

    url: an absolute URL. pypi: `nestpy==2.1.3` or a file name after a slash, `nestpy==2.1.3/nestpy-2.1.3.tar.gz`.
    debian: `zeromq3=4.3.4-6/zeromq3_4.3.4.orig.tar.gz` (source package, its version, file). git: URL and commit,
    `https://host/repo.git@<40 hex>`, with `+submodules` after it to take them along. path: a folder or file relative to
    the recipe.
    """

    scheme: str  # "url" | "pypi" | "debian" | "git" | "path"
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One archive (or file, or tree) of a version: places that serve the same bytes, and their hash."""

    origins: tuple[Origin, ...]  # in order of preference, the first is the recipe's own, the rest its mirrors
    sha256: Digest | None  # None only for `path` and `git` origins: the content is hashed when locked
    size: int | None = None  # bytes, when the recipe says it
    swhid: str | None = None  # Software Heritage id, `swh:1:cnt:…` or `swh:1:dir:…`, when the recipe says it
    directory: str = ""  # unpack below this folder of the source tree; "" is the root
    subdirectory: str = ""  # take this folder of the archive as its root; after stripping the single top folder
    unpack: bool = True  # False: the file itself is the source (a wheel, a data file)
    when: Condition = ALWAYS
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A change to the source, why it is there, and when it must go."""

    file: str  # relative to the recipe's folder
    reason: str
    upstream: str | None = None  # URL of the report or commit
    until: str | None = None  # constraint on the version from which it must be gone, `>=2.4.1`
    strip: int = 1
    when: Condition = ALWAYS
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeVersion:
    """One version of a package with its sources and patches."""

    version: Version
    sources: tuple[Source, ...]
    patches: tuple[Patch, ...] = ()
    deprecated: str | None = None  # why nobody should choose it: never chosen unless asked for by ==
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice that the recipe offers; a switch has the values "true" and "false"."""

    name: str
    values: tuple[str, ...]
    default: str
    summary: str
    when: Condition = ALWAYS  # the option exists only when this holds (version and targets only)
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A requirement of a package on another, what for, and when."""

    requirement: Requirement
    kinds: tuple[Kind, ...]  # sorted
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A request that cannot hold together with this package when the condition holds, and why."""

    requirement: Requirement
    reason: str
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """Words for the build system's configure step, when a condition holds.

    `{option: gdml, define: NEST_GDML}` becomes `define="NEST_GDML"`, `option="gdml"`: -DNEST_GDML=ON/OFF for cmake,
    --enable-/--disable- for autotools, -Dx=true/false for meson. Texts may name the
    variables of `variables`.
    """

    words: tuple[str, ...] = ()
    option: str | None = None
    define: str | None = None
    when: Condition = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How the package is configured, compiled and installed, in words that every renderer can translate.

    Shell texts are POSIX sh, run with `set -eu` in the source's root (`subdirectory` for cmake, meson, autotools, make
    and python), with the variables of `variables` and the recipe's `environment`.
    """

    system: System
    subdirectory: str = ""
    args: tuple[Argument, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()  # sorted; set while building
    prepare: str = ""  # before configuring, after patches
    targets: tuple[str, ...] = ()  # build targets (make, cmake); empty: the default one
    install_targets: tuple[str, ...] = ("install",)
    script: str = ""  # the whole build, for system "script"
    finish: str = ""  # after installing
    in_source: bool = False  # configure and build in the source folder (autotools, cmake that need it)
    jobs: int | None = None  # a limit on parallel make, when a build breaks in parallel
    memory_mb: int | None = None  # the peak of one job, for the scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A proof that the installed package works: exactly one of run, compile, python.

    run: a shell text. compile: a C or C++ file (relative to the recipe or stack), built with `libraries` and `flags`
    against the prefix, then run. python: a Python text or a `.py` file. A test that has `numbers` writes one JSON
    object (name to number) to the file named by $LODE_NUMBERS; it is compared with the committed reference file.
    """

    __test__ = False  # not a pytest class

    name: str
    run: str = ""
    compile: str = ""
    python: str = ""
    libraries: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # further files the test needs, relative to the recipe or stack
    numbers: str | None = None  # reference file, relative to the recipe or stack
    tolerance: str = "0"  # relative, as text so that it has a canonical form
    timeout_s: int = 300
    prepare: str = ""  # shell text that runs before `run`, where the target's compiler is
    when: Condition = ALWAYS
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What activation sets for a package: values are paths relative to the prefix when they begin without a slash.

    `prepend` puts a path in front of a colon list; `set` gives a variable a path below the prefix; `value` a plain
    text.
    """

    prepend: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    value: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where other ecosystems have a ready package: Spack's builtin name, a conda channel and name."""

    spack: str | None = None
    conda: str | None = None  # `conda-forge::nest`


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one package is built; complete and valid in itself (other recipes are not looked at)."""

    name: str  # lower-case letters, digits and dashes, beginning with a letter
    summary: str
    homepage: str
    license: str  # SPDX expression
    versions: tuple[RecipeVersion, ...]  # newest first by Version order, whatever the file's order
    build: Build
    redistributable: bool = True
    cite: tuple[str, ...] = ()  # DOIs
    tags: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()  # sorted by name
    languages: tuple[str, ...] = ()  # of "c", "cxx", "fortran": given as build dependencies in the file
    dependencies: tuple[Dependency, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    environment: Environment = Environment()
    tests: tuple[Test, ...] = ()
    system_libraries: tuple[str, ...] = ()  # sonames of the OS that it may link beyond the target's list, globs
    upstream: Upstream = Upstream()
    folder: str = field(default="", compare=False)  # where it was read, for messages and for its files
    place: Place | None = field(default=None, compare=False)
