"""A prefix: the tree of all artifacts of a release, or of a group of it, on a target, laid down for its final path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lode.digest import Digest


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
