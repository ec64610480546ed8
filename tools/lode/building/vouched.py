"""A store that is believed no further than lists of entries go: one that somebody has signed, and a run's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lode import scratch, tree
from lode.building.cache import Store, Unreachable, entry_node
from lode.digest import Digest

_OWN = "record"  # of an entry: when and how long it was built, in which equal packages differ


class Vouched:
    """A store whose entries count only when they are listed, by node hash, with the sha256 of the entry's bytes.

    An entry names its package by sha256, which the reader compares (see `cache`); so what is listed fixes every byte.
    What is not listed is as good as missing: it is built here. An entry that is listed with other bytes is Unreachable.
    """

    def __init__(self, behind: Store, listed: Mapping[Digest, Digest], *, built: Path | None = None) -> None:
        """Read from and write to `behind`; `listed`: sha256 of entries by node hash.

        `built` is a folder in which the jobs of one run list for each other what they have built, a file a node, named
        by its hash, with the sha256 of its entry. Whoever writes there is believed.
        """
        self._behind = behind
        self._listed = listed
        self._built = built

    def has(self, key: str) -> bool:
        """Return whether there is no need to put a blob of this key: the store has one, and so do the run's lists."""
        node_hash = entry_node(key)
        if self._built is not None and node_hash is not None and self._known(node_hash) is None:
            return False
        return self._behind.has(key)

    def get(self, key: str, destination: Path) -> bool:
        """Write the blob to `destination`; False when there is none, or none that is listed."""
        node_hash = entry_node(key)
        if node_hash is None:
            return self._behind.get(key, destination)
        wanted = self._known(node_hash)
        if wanted is None or not self._behind.get(key, destination):
            return False
        if _sha256(destination) != wanted:
            destination.unlink()
            raise Unreachable(f"the shared cache's entry for node {node_hash[:16]} is not the one that was listed")
        return True

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` unless the key is there, and list an entry that says of its node what this does.

        An entry of somebody else's that names another package stays as it is, and unlisted.
        """
        node_hash = entry_node(key)
        if self._built is None or node_hash is None:
            self._behind.put(key, source)
            return
        with scratch.folder("store") as folder:
            there = folder / "entry"
            if not self._behind.get(key, there):
                self._behind.put(key, source)
                there = source
            if _said(there) == _said(source):
                tree.replace(self._built / node_hash, f"{_sha256(there)}\n".encode())

    def _known(self, node_hash: Digest) -> str | None:
        """Return the sha256 that the node's entry is to have; None when no list has the node."""
        if self._built is not None and node_hash not in self._listed:
            with contextlib.suppress(FileNotFoundError):
                return (self._built / node_hash).read_text().strip()
        return self._listed.get(node_hash)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _said(file: Path) -> object:
    """Return what an entry says of its package, None when it is no entry."""
    try:
        said = json.loads(file.read_bytes())
        return {key: value for key, value in said.items() if key != _OWN}
    except (ValueError, AttributeError):
        return None
