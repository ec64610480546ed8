"""The keys of stack.yaml, of a target's file and of collection.yaml."""

from __future__ import annotations

import re

from lode.definitions.recipe_forms import TESTS
from lode.definitions.shape import Choice, Date, Form, Key, ListOf, MapOf, TableOf, Text
from lode.definitions.vocabulary import (
    ABSOLUTE,
    COMMIT,
    NAME_TEXT,
    NAMES,
    REQUIREMENT,
    STACK_NAME,
    TAG,
    TARGET_TEXT,
    TEXT,
    URL,
    VERSION,
)

RELEASE = Text(
    what="a stack and its release",
    pattern=re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*@[A-Za-z0-9][A-Za-z0-9._+\-]*"),
    hint="such as base@2026.11",
)
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
        "mirror": Key(shape=URL, summary="archive below which the snapshots of a suite lie by their times"),
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
