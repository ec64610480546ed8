"""A prefix for the tests of images, laid down by hand in the form of an installed one, and how layers are read back."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.testing.factory import TARGET, node
from tests.testing.factory import lock as new_lock

from lode import inventory
from lode.digest import Digest
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.publishing.oci.layout import Layout

Packages = Mapping[str, Mapping[str, bytes]]  # package to its files by path

PACKAGES: Packages = {
    "zlib": {"lib/libz.so.1": b"z" * 3000, "include/zlib.h": b"#define Z\n"},
    "nest": {"lib/libnest.so": b"n" * 5000, "share/nest/data.txt": b"1 2 3\n", "bin/nest": b"#!/bin/sh\necho nest\n"},
}


def lock(packages: Packages = PACKAGES) -> Lock:
    nodes = [node(name) for name in packages]
    made = new_lock(*nodes, requirements=[f"{name} >=2" for name in packages], groups={"base": (next(iter(packages)),)})
    return lockfile.seal(made)


def prefix(root: Path, locked: Lock, packages: Packages = PACKAGES, *, group: str | None = None) -> Prefix:
    final = locked.final_path(TARGET)
    for package, files in packages.items():
        for path, content in files.items():
            put(root / path, content, executable=path.startswith("bin/"))
        record(root, package, list(files))
    put(root / "setup.sh", f"export LODE_PREFIX={final} PATH={final}/bin:$PATH\n".encode())
    put(root / prefixes.LOCK, lockfile.dump(locked))
    document = {
        "format": prefixes.FORMAT,
        "stack": locked.stack,
        "release": locked.release,
        "target": TARGET,
        "group": group,
        "final_path": final,
        "lock": locked.digest,
        "packages": {},
    }
    put(root / prefixes.RECORD, json.dumps(document).encode())
    return seal(root)


def seal(root: Path) -> Prefix:
    """Return the prefix at `root` after its inventory was written anew."""
    (root / prefixes.INVENTORY).unlink(missing_ok=True)
    beside = root.parent / f".{root.name}.jsonl"
    inventory.write(inventory.scan(root), beside)
    os.replace(beside, root / prefixes.INVENTORY)
    return prefixes.read(root)


def put(path: Path, content: bytes, *, executable: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def record(root: Path, package: str, files: list[str]) -> None:
    document = {"files": sorted(files), "name": package, "version": "2.4.1"}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    put(root / "conda-meta" / f"{package}-2.4.1-h0_0.json", text.encode())


def unpacked(layout: Layout, digest: Digest) -> tarfile.TarFile:
    """Return a gzip layer of `layout` as Python's tarfile reads it."""
    content = gzip.decompress(b"".join(layout.get_blob(digest)))
    return tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape")
