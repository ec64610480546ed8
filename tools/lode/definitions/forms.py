"""The keys of every definition file, in one place: the readers and the JSON Schemas are both made of these tables."""

from __future__ import annotations

import re

from lode.definitions.language import NAME, OPTION
from lode.definitions.recipe import System
from lode.definitions.shape import (
    AnyOf,
    Choice,
    Date,
    Decimals,
    Flag,
    Form,
    Integer,
    Key,
    ListOf,
    MapOf,
    Setting,
    TableOf,
    Text,
)

_FILE = re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))[^\\\x00-\x1f\x7f]*[^\\/\x00-\x1f\x7f]")
_PATH = re.compile(r"(?!/)(?:\.\./)*(?!(?:.*/)?\.\.(?:/|$))[^\\\x00-\x1f\x7f]*")
_URL = re.compile(r"(?:https?|ftp)://[^\s/]+(?:/\S*)?")
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+\-]*")
TARGET_NAME = re.compile(r"[a-z][a-z0-9.]*-[a-z0-9_]+")

TEXT = Text()
LINES = Text(what="a text", lines=True)
NAME_TEXT = Text(what="a package name", pattern=NAME, hint="lower-case letters, digits and dashes: xerces-c")
STACK_NAME = Text(what="a stack name", pattern=NAME, hint="lower-case letters, digits and dashes: dance-mini")
OPTION_NAME = Text(what="an option's name", pattern=OPTION, hint="lower-case letters, digits and dashes")
VERSION = Text(what="a version", pattern=RELEASE_NAME, hint='such as "6.32.04"')
URL = Text(what="a URL", pattern=_URL, hint="begin with https://")
FILE = Text(what="a relative path without '..'", pattern=_FILE, hint="relative to the folder of this file")
FOLDER = Text(what="a relative path without '..'", pattern=_FILE, hint="relative to the root of the source")
SHA256 = Text(what="a sha256", pattern=re.compile(r"[0-9a-f]{64}"), hint="64 lower-case hexadecimal digits")
COMMIT = Text(what="a commit", pattern=re.compile(r"[0-9a-f]{40}"), hint="40 lower-case hexadecimal digits")
VARIABLE = Text(what="a variable's name", pattern=re.compile(r"[A-Za-z_][A-Za-z0-9_]*"))
ABSOLUTE = Text(what="an absolute path", pattern=re.compile(r"/[^\s]*"))
TAG = Text(what="a tag", pattern=NAME, hint="lower-case letters, digits and dashes")
WHEN = Text(what="a condition", hint='such as "+gdml" or ">=2.4 os=debian"')
CONSTRAINT = Text(what="a constraint", hint='such as ">=2.4"')
REQUIREMENT = Text(what="a requirement", hint="such as: cmake >=3.16")
NAMES = ListOf(item=NAME_TEXT, distinct=True)
TEXTS = ListOf(item=TEXT)

_when = Key(shape=WHEN, summary="condition under which it counts, such as '+gdml os=debian'")

_ORIGINS = {
    "url": Key(shape=URL, summary="absolute URL of the file"),
    "pypi": Key(
        shape=Text(
            what="a pinned Python project",
            pattern=re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*(?:/[A-Za-z0-9][^\s/]*)?"),
            hint="such as nestpy==2.1.3, or nestpy==2.1.3/nestpy-2.1.3.tar.gz to name the file",
        ),
        summary="pinned project on the Python package index, with the file's name after a slash where it has several",
    ),
    "debian": Key(
        shape=Text(
            what="a file of a Debian source package",
            pattern=re.compile(r"[a-z0-9][a-z0-9.+-]*=[A-Za-z0-9.+:~-]+/[A-Za-z0-9][^\s/]*"),
            hint="such as zeromq3=4.3.4-6/zeromq3_4.3.4.orig.tar.gz",
        ),
        summary="Debian source package, its version, and the file: zeromq3=4.3.4-6/zeromq3_4.3.4.orig.tar.gz",
    ),
    "git": Key(
        shape=Text(
            what="a git repository at a commit",
            pattern=re.compile(r"(?:https|ssh|file)://[^\s@]+(?:@[^\s@]+)?@[0-9a-f]{40}"),
            hint="such as https://host/repository.git@<40 hexadecimal digits>; a branch or tag can move",
        ),
        summary="URL of a git repository and a commit: https://host/repository.git@<40 hexadecimal digits>",
    ),
    "path": Key(
        shape=Text(what="a relative path", pattern=_PATH, hint="relative to the recipe, inside the collection"),
        summary="file or folder of the collection, relative to the recipe",
    ),
}
ORIGIN = Form(title="mirror", keys=_ORIGINS, exactly_one=tuple(_ORIGINS))

SOURCE = Form(
    title="source",
    exactly_one=tuple(_ORIGINS),
    keys=_ORIGINS
    | {
        "sha256": Key(shape=SHA256, summary="SHA-256 of the file; needed unless the source is a path"),
        "size": Key(shape=Integer(minimum=1), summary="size of the file in bytes"),
        "swhid": Key(
            shape=Text(
                what="a Software Heritage id",
                pattern=re.compile(r"swh:1:(?:cnt|dir|rev|rel|snp):[0-9a-f]{40}"),
                hint="such as swh:1:cnt:<40 hexadecimal digits>",
            ),
            summary="Software Heritage id of the file or folder",
        ),
        "mirrors": Key(shape=ListOf(item=TableOf(form=ORIGIN)), summary="other places of the same bytes"),
        "directory": Key(shape=FOLDER, summary="unpack below this folder of the source tree"),
        "subdirectory": Key(shape=FOLDER, summary="take this folder of the archive as its root"),
        "unpack": Key(shape=Flag(), summary="false: the file itself is the source", default=True),
        "when": _when,
    },
)

PATCH = Form(
    title="patch",
    keys={
        "file": Key(shape=FILE, summary="patch file, relative to the recipe", required=True),
        "reason": Key(shape=TEXT, summary="why the patch is there", required=True),
        "upstream": Key(shape=URL, summary="URL of the report or commit"),
        "until": Key(shape=CONSTRAINT, summary="versions from which the patch must be gone, such as '>=2.4.1'"),
        "strip": Key(shape=Integer(maximum=9), summary="leading folders to strip from its paths", default=1),
        "when": _when,
    },
)

VERSION_FORM = Form(
    title="version",
    keys={
        "version": Key(shape=VERSION, summary="version as upstream writes it, quoted", required=True),
        "source": Key(
            shape=ListOf(item=TableOf(form=SOURCE)), summary="archives or trees it is built from", default=()
        ),
        "patches": Key(shape=ListOf(item=TableOf(form=PATCH)), summary="changes to the source, in order", default=()),
        "deprecated": Key(shape=TEXT, summary="why nobody should choose it; then only == chooses it"),
    },
)

OPTION_FORM = Form(
    title="option",
    keys={
        "summary": Key(shape=TEXT, summary="what the option does", required=True),
        "default": Key(
            shape=Setting(),
            summary="true or false for a switch, else one of the values",
            required=True,
        ),
        "values": Key(
            shape=ListOf(item=Text(what="a value", pattern=RELEASE_NAME), minimum=2, distinct=True),
            summary="the values to choose from; without them the option is a switch",
            default=(),
        ),
        "when": Key(shape=WHEN, summary="versions and targets that have the option"),
    },
)

DEPENDENCY = Form(
    title="dependency",
    keys={
        "package": Key(shape=REQUIREMENT, summary="requirement, such as 'xerces-c >=3.2'", required=True),
        "when": _when,
    },
)
_DEPENDENCIES = ListOf(item=AnyOf(scalar=REQUIREMENT, table=TableOf(form=DEPENDENCY)))
DEPENDENCIES = Form(
    title="dependencies",
    keys={
        "build": Key(shape=_DEPENDENCIES, summary="needed while building: c, cxx, fortran, tools", default=()),
        "link": Key(shape=_DEPENDENCIES, summary="headers and libraries, needed at run time too", default=()),
        "run": Key(shape=_DEPENDENCIES, summary="needed at run time only", default=()),
        "test": Key(shape=_DEPENDENCIES, summary="needed by the recipe's tests only", default=()),
    },
)

CONFLICT = Form(
    title="conflict",
    keys={
        "package": Key(shape=REQUIREMENT, summary="requirement that cannot hold together with this", required=True),
        "reason": Key(shape=TEXT, summary="why", required=True),
        "when": _when,
    },
)

ARGUMENT = Form(
    title="argument",
    exactly_one=("option", "args"),
    keys={
        "option": Key(shape=OPTION_NAME, summary="option whose value is passed on"),
        "define": Key(shape=TEXT, summary="name under which the build system knows the option"),
        "args": Key(shape=ListOf(item=TEXT, minimum=1), summary="words for the configure step"),
        "when": _when,
    },
)

BUILD = Form(
    title="build",
    keys={
        "system": Key(
            shape=Choice(values=tuple(str(system) for system in System)), summary="build system", required=True
        ),
        "subdirectory": Key(shape=FOLDER, summary="folder of the source to build"),
        "args": Key(
            shape=ListOf(item=AnyOf(scalar=TEXT, table=TableOf(form=ARGUMENT))),
            summary="words for the configure step",
            default=(),
        ),
        "environment": Key(
            shape=MapOf(key=VARIABLE, value=Text(empty=True)), summary="variables set while building", default=()
        ),
        "prepare": Key(shape=LINES, summary="shell lines before configuring, after patches"),
        "targets": Key(shape=TEXTS, summary="build targets; the default one when left out", default=()),
        "install_targets": Key(shape=ListOf(item=TEXT, minimum=1), summary="install targets", default=("install",)),
        "script": Key(shape=LINES, summary="shell lines of the whole build, for the system 'script'"),
        "finish": Key(shape=LINES, summary="shell lines after installing"),
        "in_source": Key(shape=Flag(), summary="build in the source folder", default=False),
        "jobs": Key(shape=Integer(minimum=1, maximum=1024), summary="limit on parallel jobs"),
        "memory_mb": Key(shape=Integer(minimum=1, maximum=1 << 20), summary="peak memory of one job in MB"),
    },
)

TEST = Form(
    title="test",
    exactly_one=("run", "compile", "python"),
    keys={
        "name": Key(
            shape=Text(what="a test name", pattern=NAME, hint="lower-case letters, digits and dashes"),
            summary="name of the test",
            required=True,
        ),
        "run": Key(shape=LINES, summary="shell lines"),
        "compile": Key(shape=FILE, summary="C or C++ file that is built against the prefix and run"),
        "python": Key(shape=LINES, summary="Python lines, or the name of a .py file"),
        "libraries": Key(shape=TEXTS, summary="libraries that the compiled file links", default=()),
        "flags": Key(shape=TEXTS, summary="compiler flags", default=()),
        "files": Key(shape=ListOf(item=FILE, distinct=True), summary="further files that the test reads", default=()),
        "numbers": Key(shape=FILE, summary="JSON file of reference numbers that the test's numbers must meet"),
        "tolerance": Key(shape=Decimals(), summary="relative tolerance of the numbers", default="0"),
        "timeout_s": Key(shape=Integer(minimum=1, maximum=86400), summary="time limit in seconds", default=300),
        "when": _when,
    },
)
TESTS = Key(shape=ListOf(item=TableOf(form=TEST)), summary="proofs that the installed result works", default=())

ENVIRONMENT = Form(
    title="environment",
    keys={
        "prepend": Key(
            shape=MapOf(key=VARIABLE, value=TEXT),
            summary="paths put in front of colon lists, relative to the prefix",
            default=(),
        ),
        "set": Key(
            shape=MapOf(key=VARIABLE, value=TEXT), summary="variables set to paths, relative to the prefix", default=()
        ),
        "value": Key(
            shape=MapOf(key=VARIABLE, value=Text(empty=True)), summary="variables set to plain texts", default=()
        ),
    },
)

UPSTREAM = Form(
    title="upstream",
    keys={
        "spack": Key(shape=NAME_TEXT, summary="name of Spack's own package"),
        "conda": Key(
            shape=Text(
                what="a conda package with its channel",
                pattern=re.compile(r"[A-Za-z0-9][\w./-]*::[a-z0-9_][a-z0-9._-]*"),
                hint="such as conda-forge::nest",
            ),
            summary="channel and name of a conda package: conda-forge::nest",
        ),
    },
)

RECIPE = Form(
    title="recipe",
    keys={
        "name": Key(shape=NAME_TEXT, summary="package name, the same as the folder's", required=True),
        "summary": Key(shape=TEXT, summary="what the package is, in one line", required=True),
        "homepage": Key(shape=URL, summary="URL of the project", required=True),
        "license": Key(shape=TEXT, summary="SPDX expression, such as BSD-3-Clause", required=True),
        "redistributable": Key(shape=Flag(), summary="false: binaries may not be given to others", default=True),
        "cite": Key(
            shape=ListOf(
                item=Text(
                    what="a DOI", pattern=re.compile(r"10\.[0-9]{4,9}/\S+"), hint="such as 10.5281/zenodo.1234567"
                ),
                distinct=True,
                single=True,
            ),
            summary="DOI, or list of DOIs, to cite",
            default=(),
        ),
        "tags": Key(shape=ListOf(item=TAG, distinct=True), summary="words to find it by", default=()),
        "maintainers": Key(shape=TEXTS, summary="who looks after the recipe", default=()),
        "versions": Key(
            shape=ListOf(item=TableOf(form=VERSION_FORM), minimum=1), summary="known versions", required=True
        ),
        "options": Key(
            shape=MapOf(key=OPTION_NAME, value=TableOf(form=OPTION_FORM)), summary="choices it offers", default=()
        ),
        "dependencies": Key(shape=TableOf(form=DEPENDENCIES), summary="what it needs, by what for"),
        "conflicts": Key(shape=ListOf(item=TableOf(form=CONFLICT)), summary="what it cannot live with", default=()),
        "build": Key(shape=TableOf(form=BUILD), summary="how it is built", required=True),
        "environment": Key(shape=TableOf(form=ENVIRONMENT), summary="what activation sets"),
        "tests": TESTS,
        "system_libraries": Key(
            shape=TEXTS, summary="sonames of the OS that it may link beyond the target's list", default=()
        ),
        "upstream": Key(shape=TableOf(form=UPSTREAM), summary="ready packages of other ecosystems"),
    },
)

RELEASE = Text(
    what="a stack and its release",
    pattern=re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*@[A-Za-z0-9][A-Za-z0-9._+\-]*"),
    hint="such as base@2026.11",
)
TARGET_TEXT = Text(what="a target name", pattern=TARGET_NAME, hint="<os>-<arch>: debian12-x86_64")
CHANNEL = Form(
    title="channel",
    keys={
        "name": Key(shape=TEXT, summary="name of the channel", required=True),
        "snapshot": Key(shape=TEXT, summary="time or digest of the snapshot", required=True),
    },
)
PINS = Form(
    title="pins",
    keys={
        "spack": Key(shape=COMMIT, summary="commit of Spack"),
        "spack-packages": Key(shape=COMMIT, summary="commit of Spack's package repository"),
        "conda-channels": Key(
            shape=ListOf(item=TableOf(form=CHANNEL)), summary="conda channels with their snapshots", default=()
        ),
    },
)
PUBLISH = Form(
    title="publish",
    keys={
        "cvmfs": Key(
            shape=Text(
                what="a CernVM-FS repository name",
                pattern=re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+"),
                hint="such as dance.example.org",
            ),
            summary="repository name; releases lie at /cvmfs/<name>/<stack>/<release>/<target>",
            default="lode.example.org",
        ),
        "registry": Key(
            shape=Text(what="an image name without a tag", pattern=re.compile(r"[a-z0-9][a-z0-9._:/-]*[a-z0-9]")),
            summary="image name without a tag: ghcr.io/dance/stack",
        ),
        "channel": Key(shape=Text(what="a URL", pattern=re.compile(r"\S+://\S+")), summary="URL of a conda channel"),
    },
)
STACK = Form(
    title="stack",
    keys={
        "name": Key(shape=STACK_NAME, summary="name, the same as the folder's", required=True),
        "release": Key(shape=VERSION, summary="release, quoted, the same as the folder's", required=True),
        "date": Key(shape=Date(), summary="day of the release, the time stamp of all that is built", required=True),
        "summary": Key(shape=TEXT, summary="what the stack is for, in one line", required=True),
        "targets": Key(
            shape=ListOf(item=TARGET_TEXT, minimum=1, distinct=True), summary="targets it is built for", required=True
        ),
        "requirements": Key(shape=ListOf(item=REQUIREMENT, minimum=1), summary="packages it asks for", required=True),
        "extends": Key(shape=RELEASE, summary="stack release that this one adds to: base@2026.11"),
        "groups": Key(
            shape=MapOf(key=STACK_NAME, value=ListOf(item=NAME_TEXT, minimum=1, distinct=True)),
            summary="named parts that images and views are made of",
            default=(),
        ),
        "own": Key(shape=NAMES, summary="build tools taken from recipes even where the OS has them", default=()),
        "upstream": Key(shape=NAMES, summary="packages left to the other ecosystem's own recipes", default=()),
        "pins": Key(shape=TableOf(form=PINS), summary="commits and snapshots of other ecosystems"),
        "tests": TESTS,
        "publish": Key(shape=TableOf(form=PUBLISH), summary="where releases go"),
    },
)

BASE = Form(
    title="base",
    exactly_one=("image", "suite"),
    keys={
        "image": Key(
            shape=Text(
                what="an image pinned by digest",
                pattern=re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}"),
                hint="such as docker.io/library/almalinux@sha256:<64 hexadecimal digits>",
            ),
            summary="image pinned by digest",
        ),
        "suite": Key(shape=TAG, summary="Debian suite that is bootstrapped: bookworm"),
        "snapshot": Key(
            shape=Text(
                what="an archive time stamp", pattern=re.compile(r"[0-9]{8}T[0-9]{6}Z"), hint="such as 20261101T000000Z"
            ),
            summary="time of the archive snapshot that versions are taken from",
        ),
    },
)
COMPILER = Form(
    title="compiler",
    keys={
        "name": Key(shape=Choice(values=("gcc",)), summary="compiler family", required=True),
        "version": Key(shape=VERSION, summary="full version, as gcc -dumpfullversion prints it", required=True),
        "languages": Key(
            shape=ListOf(item=Choice(values=("c", "cxx", "fortran")), minimum=1, distinct=True),
            summary="languages it compiles",
            default=("c", "cxx"),
        ),
        "c": Key(shape=ABSOLUTE, summary="path of the C compiler", default="/usr/bin/gcc"),
        "cxx": Key(shape=ABSOLUTE, summary="path of the C++ compiler", default="/usr/bin/g++"),
        "fortran": Key(shape=ABSOLUTE, summary="path of the Fortran compiler"),
    },
)
EXTERNAL = Form(
    title="external",
    keys={
        "package": Key(shape=NAME_TEXT, summary="recipe name that it stands for", required=True),
        "version": Key(shape=VERSION, summary="its version", required=True),
        "system_package": Key(shape=TEXT, summary="OS package that brings it", required=True),
        "program": Key(shape=ABSOLUTE, summary="absolute path that proves it is there", required=True),
    },
)
_OS_PACKAGES = ListOf(
    item=Text(
        what="an OS package",
        pattern=re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~^_-]+)?"),
        hint="name, or name=version",
    ),
    distinct=True,
)
TARGET = Form(
    title="target",
    keys={
        "name": Key(shape=TARGET_TEXT, summary="name, the same as the file's", required=True),
        "os": Key(shape=TAG, summary="ID of /etc/os-release", required=True),
        "os_version": Key(shape=VERSION, summary="VERSION_ID of /etc/os-release, quoted", required=True),
        "arch": Key(
            shape=Choice(values=("x86_64", "aarch64", "ppc64le", "riscv64")),
            summary="machine, as uname -m prints it",
            required=True,
        ),
        "base": Key(shape=TableOf(form=BASE), summary="where the root file system comes from", required=True),
        "compiler": Key(shape=TableOf(form=COMPILER), summary="the OS compiler", required=True),
        "glibc": Key(shape=VERSION, summary="version of the C library, quoted", required=True),
        "libstdcxx": Key(shape=VERSION, summary="newest GLIBCXX symbol version, quoted", required=True),
        "microarchitecture": Key(shape=TEXT, summary="value of -march", default="x86-64-v2"),
        "system_packages": Key(shape=_OS_PACKAGES, summary="OS packages of the builder", default=()),
        "runtime_packages": Key(shape=_OS_PACKAGES, summary="OS packages of the runtime image", default=()),
        "externals": Key(
            shape=ListOf(item=TableOf(form=EXTERNAL)), summary="build tools that the OS provides", default=()
        ),
        "system_libraries": Key(
            shape=ListOf(item=TEXT, distinct=True), summary="sonames that every runtime image has", default=()
        ),
        "end_of_life": Key(shape=Date(), summary="day on which the OS's support ends"),
    },
)

COLLECTION = Form(
    title="collection",
    keys={
        "name": Key(shape=STACK_NAME, summary="name of the collection", required=True),
        "version": Key(shape=VERSION, summary="version of the collection, quoted", required=True),
        "summary": Key(shape=TEXT, summary="what it holds, in one line"),
    },
)

# file name of the schema -> form
FILES = {"recipe": RECIPE, "stack": STACK, "target": TARGET, "collection": COLLECTION}
