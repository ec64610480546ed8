"""The Software Heritage archive, the last place that is asked: it keeps public source code for good.

It hands out single files by their hashes (its web API, `/api/1/content/[hash_type:]hash/raw/`), so it can stand in for
a lost archive only when that archive itself was kept as a file, and for single files and data sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from lode.sourcing.access import Wanted
from lode.sourcing.origins.way import Way, at


def ways(base: str, wanted: Wanted) -> Iterator[Way]:
    """Yield the archive's addresses for the wanted bytes: by sha256, then by the id that the lock has."""
    root = f"{base.rstrip('/')}/api/1/content"
    yield at(f"{root}/sha256:{wanted.sha256}/raw/")
    if wanted.swhid and wanted.swhid.startswith("swh:1:cnt:"):
        sha1 = wanted.swhid.partition(";")[0].rpartition(":")[2]
        yield at(f"{root}/sha1_git:{sha1}/raw/")
