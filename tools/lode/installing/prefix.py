"""A prefix: the tree of all artifacts of a release, or of a group of it, on a target, laid down for its final path.

What a tree is, is written inside it: `.lode/prefix.json` (this value and the nodes it holds), `.lode/lode.lock` and
`.lode/inventory.jsonl`. So a prefix can be opened, tested and verified wherever it has been copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode import digest as digests
from lode.building.artifact import Artifact
from lode.digest import Digest
from lode.errors import HostError, VerificationError
from lode.locking.graph import Lock

RECORD = ".lode/prefix.json"
LOCK = ".lode/lode.lock"
INVENTORY = ".lode/inventory.jsonl"
TESTS = ".lode/tests"
FORMAT = 1  # of the tree: what is laid down beside the packages' files, and how those are made canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """A tree on disk whose files are written for `final_path`; its inventory lies inside at `.lode/inventory.jsonl`."""

    root: Path  # where the tree lies now
    final_path: str  # where it is to be used
    stack: str
    release: str
    target: str
    group: str | None  # None: the whole stack
    lock_digest: Digest
    inventory: Digest  # of everything in the tree but `.lode/inventory.jsonl` itself


def record(lock: Lock, target: str, group: str | None, final_path: str, artifacts: Iterable[Artifact]) -> bytes:
    """Return the content of `.lode/prefix.json`: all that decides a tree's inventory, so equal records are equal trees.

    An artifact counts by what is in it, not by the bytes of its package file.
    """
    document = {
        "format": FORMAT,
        "stack": lock.stack,
        "release": lock.release,
        "target": target,
        "group": group,
        "final_path": final_path,
        "lock": lock.digest,
        "packages": {
            artifact.package: {
                "version": artifact.version,
                "node": artifact.node_hash,
                "inventory": artifact.inventory,
            }
            for artifact in artifacts
        },
    }
    return digests.canonical(document) + b"\n"


def is_prefix(root: Path) -> bool:
    """Return whether a finished prefix lies at `root`."""
    return (root / RECORD).is_file() and (root / INVENTORY).is_file()


def read(root: Path) -> Prefix:
    """Return the prefix that lies at `root`, its tree unchecked; its inventory's digest is that of the file inside.

    HostError when nothing that is a prefix lies there; VerificationError when its record is damaged.
    """
    if not is_prefix(root):
        raise HostError(
            f"no prefix lies at {root}",
            hint=f"a prefix has {RECORD} and {INVENTORY}; make one with `lode release STACK`",
        )
    try:
        document: dict[str, Any] = json.loads((root / RECORD).read_bytes())
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']}, this Lode reads {FORMAT}")
        with (root / INVENTORY).open("rb") as file:
            inventory = Digest(hashlib.file_digest(file, "sha256").hexdigest())
        return Prefix(
            root=root,
            final_path=document["final_path"],
            stack=document["stack"],
            release=document["release"],
            target=document["target"],
            group=document["group"],
            lock_digest=Digest(document["lock"]),
            inventory=inventory,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise VerificationError(
            f"{root / RECORD} is not a prefix's record: {reason}", hint="install the prefix again"
        ) from error
