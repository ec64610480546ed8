"""Linking packages into a tree with rattler, as a program: `python -I -m lode.installing.link`, a request on its input.

It is a program of its own because rattler's runtime now and then crashes an interpreter that ends, and because it
holds the interpreter while it works. The request is one JSON object: `packages` (paths of `.conda` files), `tree` (the
folder to fill), `final_path` (what to write where files name their place), `cache` (a folder for unpacked packages).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


async def link(packages: list[str], tree: str, final_path: str, cache: str) -> None:
    """Fill `tree` with the files of `packages`, none of which is looked up anywhere else."""
    from rattler import RepoDataRecord, install
    from rattler.package_streaming import PackageArchive

    async def record(package: Path) -> RepoDataRecord:
        from rattler import PackageRecord

        archive = await PackageArchive.from_path(package)
        index = await archive.read_file("info/index.json")
        if index is None:
            raise ValueError(f"{package} has no info/index.json")
        written = Path(cache, "index.json")  # records are read from files only
        written.write_bytes(index)
        return RepoDataRecord(PackageRecord.from_index_json(written), package.name, package.as_uri(), "file:///channel")

    Path(cache).mkdir(parents=True, exist_ok=True)
    await install(
        [await record(Path(package)) for package in packages],
        tree,
        cache_dir=Path(cache),
        installed_packages=[],
        execute_link_scripts=False,
        show_progress=False,
        alternative_target_prefix=final_path,
    )


def main() -> None:
    """Do what the request says; status 1 and the reason on standard error when it cannot be done."""
    request: dict[str, Any] = json.load(sys.stdin)
    os.umask(0o022)
    status = 0
    try:
        asyncio.run(link(**request))
    except Exception as error:
        traceback.print_exc()
        sys.stderr.write(f"{error}\n")
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # not through the interpreter's end: see above


if __name__ == "__main__":
    main()
