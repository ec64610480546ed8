"""Which package brought which file of a prefix, told from its records without holding them."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from pathlib import Path

from lode.errors import VerificationError

RECORDS = "conda-meta"
_BEGIN, _END = ' "files": [\n', (" ],\n", " ]\n")


def owned(root: Path) -> Iterator[tuple[bytes, str]]:
    """Yield path and package of every file that a package brought, its own record among them, in bytes order of paths.

    VerificationError for a record that is not in the form that `installing.canonical` gives it.
    """
    return heapq.merge(*(_of(file) for file in sorted((root / RECORDS).glob("*.json"))))


def versions(root: Path) -> dict[str, str]:
    """Return the version of each package in the prefix."""
    found = {}
    for file in sorted((root / RECORDS).glob("*.json")):
        name, version, _ = file.stem.rsplit("-", 2)
        found[name] = version
    return found


def _of(file: Path) -> Iterator[tuple[bytes, str]]:
    package = file.stem.rsplit("-", 2)[0]
    own = f"{RECORDS}/{file.name}".encode()
    last = b""
    for path in _listed(file):
        if path <= last:
            raise VerificationError(f"{file} does not list its files in order", hint="install the prefix again")
        if last < own < path:
            yield own, package
        yield path, package
        last = path
    if last < own:
        yield own, package


def _listed(file: Path) -> Iterator[bytes]:
    """Yield the paths in the record's list of files, which has a line for each."""
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if line == _BEGIN:
                    break
            for line in lines:
                if line in _END:
                    break
                yield json.loads(line.rstrip().removesuffix(",")).encode("utf-8", "surrogateescape")
    except (OSError, ValueError) as error:
        raise VerificationError(
            f"{file} is not a package's record: {error}", hint="install the prefix again"
        ) from error
