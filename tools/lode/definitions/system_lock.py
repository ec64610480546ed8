"""What a target's system is made of, package by package: containers/targets/<os>-<arch>.lock, written by a command.

It is kept beside the target and not in it: it says which bytes a builder and a runtime image are made of, and enters no
node's hash. A distribution keeps its compiler and libraries for a release's whole life, and the target states those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lode.definitions.target import Target
from lode.digest import Digest
from lode.errors import LockError, Place

SCHEMA = 1
ROLES = ("builder", "runtime")
_HINT = "`lode target update {name}` writes it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPackage:
    """One OS package, exactly; where its bytes are when they are fetched one by one (bootstrapped suites)."""

    name: str
    version: str
    arch: str
    roles: tuple[str, ...]  # the systems that it is in
    source: str = ""  # source package, names the folder in the archive's pool
    file: str = ""  # file name in the pool
    sha256: Digest | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLock:
    """The systems of one target."""

    target: str
    asked: Mapping[str, Any]  # what the target said when it was written, see `asked`
    archive: str  # what the archive calls its own state: `Sat, 05 Sep 2026 10:21:42 UTC`; empty for an image
    packages: tuple[SystemPackage, ...]  # sorted by name, version and architecture

    def of(self, role: str) -> tuple[SystemPackage, ...]:
        """Return the packages of the builder or of the runtime image."""
        return tuple(package for package in self.packages if role in package.roles)


def asked(target: Target) -> dict[str, Any]:
    """Return all of `target` that decides which packages its systems are made of; not the place that serves them."""
    base = target.base
    return {
        "image": base.image,
        "suite": base.suite,
        "snapshot": base.snapshot,
        "builder": list(target.system_packages),
        "runtime": list(target.runtime_packages),
    }


def dump(lock: SystemLock) -> bytes:
    """Return the lock as JSON, a line a package."""
    head = {"schema": SCHEMA, "target": lock.target, "asked": dict(lock.asked), "archive": lock.archive}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    rows = [
        json.dumps(
            {
                "name": package.name,
                "version": package.version,
                "arch": package.arch,
                "roles": list(package.roles),
                "source": package.source,
                "file": package.file,
                "sha256": package.sha256,
                "size": package.size,
            }
        )
        for package in lock.packages
    ]
    body = ",\n    ".join(rows)
    return "\n".join(["{", *lines, f'  "packages": [\n    {body}\n  ]', "}", ""]).encode()


def load(content: bytes, file: str, target: Target) -> SystemLock:
    """Return the lock in `content`; LockError when it is no such lock, or not for what `target` says now."""
    hint = _HINT.format(name=target.name)
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}, this version reads {SCHEMA}")
        lock = SystemLock(
            target=document["target"],
            asked=document["asked"],
            archive=document["archive"],
            packages=tuple(_package(entry) for entry in document["packages"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise LockError(f"not the lock of a target's system: {what}", place=Place(file=file), hint=hint) from error
    if lock.target != target.name or dict(lock.asked) != asked(target):
        raise LockError("the lock is not what the target says today", place=Place(file=file), hint=hint)
    return lock


def _package(entry: Mapping[str, Any]) -> SystemPackage:
    roles = tuple(entry["roles"])
    if not roles or not set(roles) <= set(ROLES):
        raise ValueError(f"{entry['name']} has the roles {list(roles)}")
    texts = {key: entry[key] for key in ("name", "version", "arch", "source", "file")}
    if wrong := [key for key, value in texts.items() if not isinstance(value, str)]:
        raise TypeError(f"{wrong[0]} of {entry['name']} is no text")
    size = entry["size"]
    if not (size is None or type(size) is int):
        raise TypeError(f"size of {entry['name']} is no whole number")
    sha256 = None if entry["sha256"] is None else Digest(entry["sha256"])
    return SystemPackage(**texts, roles=roles, sha256=sha256, size=size)
