"""What was put where: uploads that are under way and repositories that have a blob, noted for the next call.

A note is a help, not a promise: the registry has the last word. Losing the notes costs moving bytes again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lode import digest as digests
from lode import tree
from lode.digest import Digest


class Notes:
    """A folder with a file for each blob that was put, or is being put, into a registry."""

    def __init__(self, folder: Path) -> None:
        """Use the folder, which is made at the first note."""
        self._folder = folder

    def upload(self, host: str, repository: str, digest: Digest) -> str | None:
        """Return the address of an upload of the blob that was begun and not ended."""
        found = self._read(host, digest).get("uploads", {}).get(repository)
        return str(found) if found else None

    def repository(self, host: str, digest: Digest) -> str | None:
        """Return a repository of the registry that was given the blob."""
        found = self._read(host, digest).get("repository")
        return str(found) if found else None

    def begun(self, host: str, repository: str, digest: Digest, address: str) -> None:
        """Note where the blob is being put."""
        said = self._read(host, digest)
        self._write(host, digest, {**said, "uploads": {**said.get("uploads", {}), repository: address}})

    def ended(self, host: str, repository: str, digest: Digest) -> None:
        """Note that the repository has the blob."""
        said = self._read(host, digest)
        uploads = {name: at for name, at in said.get("uploads", {}).items() if name != repository}
        self._write(host, digest, {"repository": repository, "uploads": uploads})

    def _read(self, host: str, digest: Digest) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            said = json.loads((self._folder / host / digest).read_bytes())
            if isinstance(said, dict) and isinstance(said.get("uploads", {}), dict):
                return said
        return {}

    def _write(self, host: str, digest: Digest, said: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):
            tree.replace(self._folder / host / digest, digests.canonical(said), mode=0o600)
