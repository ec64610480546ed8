"""A store that is believed no further than a list of entries goes, which somebody has signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lode.building.cache import Store, Unreachable, entry_node
from lode.digest import Digest


class Vouched:
    """A store whose entries count only when they are listed, by node hash, with the sha256 of the entry's bytes.

    An entry names its package by sha256, which the reader compares (see `cache`); so what is listed fixes every byte.
    What is not listed is as good as missing: it is built here. An entry that is listed with other bytes is Unreachable.
    """

    def __init__(self, behind: Store, listed: Mapping[Digest, Digest]) -> None:
        """Read from and write to `behind`; `listed`: sha256 of entries by node hash."""
        self._behind = behind
        self._listed = listed

    def has(self, key: str) -> bool:
        """Return whether the store has a blob of this key, listed or not: a second one is not to be put there."""
        return self._behind.has(key)

    def get(self, key: str, destination: Path) -> bool:
        """Write the blob to `destination`; False when there is none, or none that is listed."""
        node_hash = entry_node(key)
        if node_hash is None:
            return self._behind.get(key, destination)
        wanted = self._listed.get(node_hash)
        if wanted is None or not self._behind.get(key, destination):
            return False
        if hashlib.sha256(destination.read_bytes()).hexdigest() != wanted:
            destination.unlink()
            raise Unreachable(f"the shared cache's entry for node {node_hash[:16]} is not the one that was signed")
        return True

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` unless the key is there."""
        self._behind.put(key, source)
