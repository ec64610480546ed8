"""The keys of recipe.yaml: its reader and its JSON Schema are both made of these tables."""

from __future__ import annotations

import re

from lode.definitions.language import NAME
from lode.definitions.recipe import System
from lode.definitions.shape import (
    AnyOf,
    Choice,
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
from lode.definitions.vocabulary import (
    CONSTRAINT,
    FILE,
    FOLDER,
    LINES,
    NAME_TEXT,
    OPTION_NAME,
    RELEASE_NAME,
    REQUIREMENT,
    SHA256,
    TAG,
    TEXT,
    TEXTS,
    URL,
    VARIABLE,
    VERSION,
    WHEN,
    WHEN_KEY,
)

_PATH = re.compile(r"(?!/)(?:\.\./)*(?!(?:.*/)?\.\.(?:/|$))[^\\\x00-\x1f\x7f]*")

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
            pattern=re.compile(r"(?:https|ssh|file)://[^\s@]+(?:@[^\s@]+)?@[0-9a-f]{40}(?:\+submodules)?"),
            hint="such as https://host/repository.git@<40 hexadecimal digits>; a branch or tag can move",
        ),
        summary="git repository and commit: https://host/repository.git@<40 hexadecimal digits>; "
        "`+submodules` after it takes them along",
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
        "sha256": Key(shape=SHA256, summary="SHA-256 of the file; needed unless the source is a path or a git commit"),
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
        "when": WHEN_KEY,
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
        "when": WHEN_KEY,
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
        "when": WHEN_KEY,
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
        "when": WHEN_KEY,
    },
)

ARGUMENT = Form(
    title="argument",
    exactly_one=("option", "args"),
    keys={
        "option": Key(shape=OPTION_NAME, summary="option whose value is passed on"),
        "define": Key(shape=TEXT, summary="name under which the build system knows the option"),
        "args": Key(shape=ListOf(item=TEXT, minimum=1), summary="words for the configure step"),
        "when": WHEN_KEY,
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
        "prepare": Key(shape=LINES, summary="shell lines that compile what `run` needs: they see the OS compiler"),
        "compile": Key(shape=FILE, summary="C or C++ file that is built against the prefix and run"),
        "python": Key(shape=LINES, summary="Python lines, or the name of a .py file"),
        "libraries": Key(shape=TEXTS, summary="libraries that the compiled file links", default=()),
        "flags": Key(shape=TEXTS, summary="compiler flags", default=()),
        "files": Key(shape=ListOf(item=FILE, distinct=True), summary="further files that the test reads", default=()),
        "numbers": Key(shape=FILE, summary="JSON file of reference numbers that the test's numbers must meet"),
        "tolerance": Key(shape=Decimals(), summary="relative tolerance of the numbers", default="0"),
        "timeout_s": Key(shape=Integer(minimum=1, maximum=86400), summary="time limit in seconds", default=300),
        "when": WHEN_KEY,
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
        "spack": Key(
            shape=Text(
                what="a package of Spack, maybe with variants",
                pattern=re.compile(r"[a-z0-9][a-z0-9-]*( ([+~][\w-]+|[\w-]+=[\w.,:-]+))*"),
                hint="such as hdf5, or hdf5 +hl ~mpi",
            ),
            summary="name of Spack's own package, and its variants: hdf5 +hl ~mpi",
        ),
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
