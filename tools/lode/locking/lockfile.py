"""The lock file: canonical JSON that shows well in a diff, read back strictly.

Keys are sorted, what fits on a line is on a line, and the file ends with a line break. Its digest is taken of the
document without the digest itself, so that white space does not count but everything said does.
"""

from __future__ import annotations

import json
from dataclasses import replace
from graphlib import CycleError
from json.encoder import encode_basestring as _quoted
from typing import Any, NoReturn

from lode import digest
from lode.definitions.recipe import Environment, Kind, Origin, System, Upstream
from lode.definitions.stack import Pins, Publish
from lode.definitions.target import Base, Compiler, External, Target
from lode.definitions.version import Version
from lode.digest import Digest
from lode.errors import LockError, Place
from lode.locking import nodehash
from lode.locking.form import (
    DIGEST,
    NUMBER,
    SWITCH,
    TEXT,
    Misfit,
    array,
    choice,
    mapping,
    optional,
    pairs,
    record,
)
from lode.locking.graph import (
    Edge,
    Extended,
    ExternalEdge,
    Lock,
    LockedArgument,
    LockedBuild,
    LockedPatch,
    LockedSource,
    LockedTarget,
    LockedTest,
    Node,
    holes,
)

SCHEMA = 1
_RESTORE = "take the file from version control, or run `lode lock` again with this lode"
UNSEALED = Digest("0" * 64)  # the digest of a lock that is being put together
_WIDTH = 140  # what is shorter stays on one line

_TEXTS = array(TEXT)
_PAIRS = pairs(TEXT)
_KINDS = array(choice(Kind))
_SOURCE = record(
    LockedSource,
    origins=array(record(Origin, scheme=TEXT, location=TEXT)),
    sha256=DIGEST,
    size=optional(NUMBER),
    swhid=optional(TEXT),
    directory=TEXT,
    subdirectory=TEXT,
    unpack=SWITCH,
    filename=TEXT,
    targets=_TEXTS,
)
_PATCH = record(
    LockedPatch,
    file=TEXT,
    sha256=DIGEST,
    strip=NUMBER,
    reason=TEXT,
    upstream=optional(TEXT),
    until=optional(TEXT),
    targets=_TEXTS,
)
_BUILD = record(
    LockedBuild,
    system=choice(System),
    subdirectory=TEXT,
    args=array(
        record(
            LockedArgument,
            words=_TEXTS,
            targets=_TEXTS,
            option=optional(TEXT),
            define=optional(TEXT),
            value=optional(TEXT),
        )
    ),
    environment=_PAIRS,
    prepare=TEXT,
    targets=_TEXTS,
    install_targets=_TEXTS,
    script=TEXT,
    finish=TEXT,
    in_source=SWITCH,
    jobs=optional(NUMBER),
    memory_mb=optional(NUMBER),
)
_TEST = record(
    LockedTest,
    spare="prepare",
    name=TEXT,
    prepare=TEXT,
    run=TEXT,
    compile=TEXT,
    python=TEXT,
    libraries=_TEXTS,
    flags=_TEXTS,
    files=pairs(DIGEST),
    numbers=optional(TEXT),
    tolerance=TEXT,
    timeout_s=NUMBER,
    targets=_TEXTS,
)
_NODE = record(
    Node,
    package=TEXT,
    version=TEXT,
    summary=TEXT,
    homepage=TEXT,
    license=TEXT,
    redistributable=SWITCH,
    cite=_TEXTS,
    tags=_TEXTS,
    options=mapping(TEXT),
    languages=_TEXTS,
    sources=array(_SOURCE),
    patches=array(_PATCH),
    build=_BUILD,
    edges=array(record(Edge, package=TEXT, kinds=_KINDS, targets=_TEXTS, constraint=TEXT, options=_PAIRS)),
    externals=array(record(ExternalEdge, package=TEXT, targets=_TEXTS, constraint=TEXT)),
    environment=record(Environment, prepend=_PAIRS, set=_PAIRS, value=_PAIRS),
    tests=array(_TEST),
    system_libraries=_TEXTS,
    upstream=record(Upstream, spack=optional(TEXT), conda=optional(TEXT)),
    provider=TEXT,
    prebuilt=SWITCH,
    targets=_TEXTS,
    reasons=_TEXTS,
    recipe=DIGEST,
    hashes=mapping(DIGEST),
    absent=mapping(_TEXTS),
)
_TARGET = record(
    Target,
    name=TEXT,
    os=TEXT,
    os_version=TEXT,
    arch=TEXT,
    base=record(Base, image=optional(TEXT), suite=optional(TEXT), snapshot=optional(TEXT)),
    compiler=record(Compiler, name=TEXT, version=TEXT, languages=_TEXTS, c=TEXT, cxx=TEXT, fortran=optional(TEXT)),
    glibc=TEXT,
    libstdcxx=TEXT,
    microarchitecture=TEXT,
    system_packages=_TEXTS,
    runtime_packages=_TEXTS,
    externals=array(record(External, package=TEXT, version=TEXT, system_package=TEXT, program=TEXT)),
    system_libraries=_TEXTS,
    end_of_life=optional(TEXT),
)
_LOCK = record(
    Lock,
    schema=NUMBER,
    stack=TEXT,
    release=TEXT,
    date=TEXT,
    summary=TEXT,
    collections=_PAIRS,
    extends=optional(record(Extended, stack=TEXT, release=TEXT, digest=DIGEST)),
    tools=mapping(TEXT),
    pins=record(Pins, spack=optional(TEXT), spack_packages=optional(TEXT), conda_channels=_PAIRS),
    publish=record(Publish, cvmfs=TEXT, registry=optional(TEXT), channel=optional(TEXT)),
    requirements=_TEXTS,
    groups=mapping(_TEXTS),
    targets=array(record(LockedTarget, definition=_TARGET, digest=DIGEST)),
    nodes=array(_NODE),
    tests=array(_TEST),
    digest=DIGEST,
)


def seal(lock: Lock) -> Lock:
    """Return `lock` with its own digest."""
    return replace(lock, digest=_digest(_LOCK.encode(lock)))


def dump(lock: Lock) -> bytes:
    """Return the file of `lock`; the same lock gives the same bytes."""
    return (_layout(_LOCK.encode(lock), 0) + "\n").encode()


class NewerLock(LockError):
    """A lock that a newer lode wrote: it is not to be written over by this one."""


def load(content: bytes, file: str, *, follow: bool = True) -> Lock:
    """Return the lock in `content`; LockError names what is wrong with it, `file` being its name in messages.

    `follow` says whether to check that the hashes of nodes and targets follow from their fields: all who build, test or
    verify want that, but not one who makes the lock anew.
    """
    try:
        document = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        _refuse(file, f"this is not a lock: {error}", "restore the file from version control, or run `lode lock` again")
    _check_schema(document, file)
    try:
        lock: Lock = _LOCK.decode(document)
    except Misfit as misfit:
        hint = misfit.hint or "a lock is not edited by hand; run `lode lock` again"
        _refuse(file, f"{misfit.path} {misfit.message}", hint)
    if _digest(document) != lock.digest:
        hint = "take the file from version control, or run `lode lock` again: a lock is not edited by hand"
        _refuse(file, "the lock was edited: its content does not have the digest that it states", hint)
    for fault in holes(lock):
        _refuse(file, f"the graph of the lock is not whole: {fault}", _RESTORE)
    if follow:
        _check_hashes(lock, file)
    return lock


def versions(content: bytes) -> dict[str, str]:
    """Return the version of each package in a lock that `load` refuses, as far as they can be made out."""
    try:
        nodes = json.loads(content)["nodes"]
        return {node["package"]: Version(node["version"]).text for node in nodes}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}


def _object(items: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(items)
    if len(result) != len(items):
        seen: set[str] = set()
        twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} is given twice")
    return result


def _check_schema(document: Any, file: str) -> None:
    if not isinstance(document, dict):
        _refuse(file, "this is not a lock: the file holds no object", "run `lode lock` again")
    schema = document.get("schema")
    if "schema" not in document or type(schema) is not int:
        _refuse(
            file, "schema is missing" if schema is None else "schema must be a whole number", "run `lode lock` again"
        )
    if schema < SCHEMA:
        _refuse(
            file,
            f"the lock has schema {schema}, older than the {SCHEMA} that this lode reads",
            "run `lode lock` again: versions and options are kept",
        )
    if schema > SCHEMA:
        raise NewerLock(
            f"the lock has schema {schema}, newer than the {SCHEMA} that this lode reads",
            place=Place(file=file),
            hint="use the lode that wrote it, or a newer one",
        )


def _check_hashes(lock: Lock, file: str) -> None:
    for target in lock.targets:
        if nodehash.of_target(target.definition) != target.digest:
            _refuse(file, f"the digest of target {target.definition.name} does not follow from its fields", _RESTORE)
    try:
        expected = nodehash.hashes(lock.nodes, {target.definition.name: target.digest for target in lock.targets})
    except CycleError as error:
        _refuse(file, f"nodes of the lock need each other in a circle: {', '.join(error.args[1])}", _RESTORE)
    for node in lock.nodes:
        if node.hashes != expected[node.package]:
            _refuse(file, f"the hashes of {node.package} {node.version} do not follow from its fields", _RESTORE)


def _refuse(file: str, message: str, hint: str) -> NoReturn:
    raise LockError(message, place=Place(file=file), hint=hint)


def _digest(document: dict[str, Any]) -> Digest:
    """Return the digest of what `_LOCK` encoded or has decoded: its forms know no floats."""
    fields = {key: value for key, value in document.items() if key != "digest"}
    return digest.of_document("lock", SCHEMA, fields, exact=True)


def _layout(value: Any, indent: int) -> str:
    """Return `value` as JSON: on one line where that fits, else one item a line."""
    if type(value) is str:
        return _quoted(value)
    if type(value) is dict:
        parts = [
            f"{_quoted(key)}: {_quoted(item) if type(item) is str else _layout(item, indent + 2)}"
            for key, item in sorted(value.items())
        ]
        begin, end = "{", "}"
    elif type(value) is list:
        parts = [_quoted(item) if type(item) is str else _layout(item, indent + 2) for item in value]
        begin, end = "[", "]"
    else:
        return json.dumps(value)
    line = ", ".join(parts)
    if len(line) + len("[]") + indent <= _WIDTH:  # never true when a part is broken: such a part alone is too long
        return begin + line + end
    inner = " " * (indent + 2)
    return f"{begin}\n{inner}" + f",\n{inner}".join(parts) + f"\n{' ' * indent}{end}"
