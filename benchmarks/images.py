"""What images cost in CPU seconds: a complete, hashed layout, beside tar, gzip and sha256sum of the same tree.

The tree is this machine's own software, up to 985 MB of /usr/lib and of Python's packages; figures are scaled to that.
LODE_BENCH_MEGABYTES changes it. Memory is the peak of a process that lays all of it out, less that of one that lays
out a tenth. Verification is set against hashing the same bytes, and, of the whole tree, against gzip and sha256sum.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lode import inventory
from lode.digest import Digest
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.progress import Silent
from lode.publishing.oci import compression, store
from lode.publishing.oci.assemble import lay
from lode.publishing.oci.compare import compare
from lode.publishing.oci.layout import Layout

NAME = "images"
MEGABYTES = int(os.environ.get("LODE_BENCH_MEGABYTES", "985"))
SOURCES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/gcc", "/usr/share", f"{sys.prefix}/lib")
PACKAGES = 40
FINAL = "/cvmfs/bench.example.org/bench/1/any-x86_64"

_MEASURED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
)


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return name, figure, unit and limit (None: no limit) of each measurement."""
    home = Path(tempfile.mkdtemp(prefix="lode-bench-"))
    try:
        plant(home / "whole", MEGABYTES * 1_000_000)
        plant(home / "tenth", MEGABYTES * 100_000)
        return _rows(home)
    finally:
        shutil.rmtree(home)


def _rows(home: Path) -> list[tuple[str, float, str, float | None]]:
    whole = home / "whole"
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file() and not path.is_symlink())
    scale = 985e6 / size
    used("sh", "-c", f"tar cf - -C {whole} . | cat >/dev/null")  # everything is in the page cache from now on
    peer_s, _ = used("bash", "-c", f"tar cf - -C {whole} . | tee >(sha256sum >/dev/null) | gzip -1 | sha256sum")
    start_s, _ = used(sys.executable, "-c", "import benchmarks.images")
    _, tenth_mb = used(*_laying(home / "tenth", home / "tenth.oci"))
    layout_s, whole_mb = used(*_laying(whole, home / "whole.oci"))
    again_s, _ = used(*_laying(whole, home / "whole.oci"))
    layout = Layout(home / "whole.oci")
    blobs = list((layout.root / "blobs" / "sha256").iterdir())
    raw_s = _spent(lambda: [_hash(path) for path in blobs])
    own_s = _spent(lambda: [sum(map(len, layout.get_blob(Digest(path.name)))) for path in blobs])
    made = layout.get_manifest("bench")
    assert made is not None
    compare_s = _spent(lambda: compare(layout, made, scratch=home, jobs=2, progress=Silent()))
    gzip_s, _ = used(
        "sh", "-c", f"for f in {layout.root}/blobs/sha256/*; do gzip -dcq $f 2>/dev/null; done | sha256sum"
    )
    return [
        ("the tree", size / 1e6, "MB", None),
        ("tar, gzip -1 and twice sha256sum", peer_s * scale, "s CPU", None),
        ("layout of layers", (layout_s - start_s) * scale, "s CPU", 5.5),
        ("layout to tar, gzip -1 and sha256sum", (layout_s - start_s) / peer_s, "x", 0.5),
        ("layout that is there already", (again_s - start_s) * scale, "s CPU", None),
        ("verification of all blobs to hashing them", own_s / raw_s, "x", 1.25),
        ("verification of the tree to gzip -dc and sha256sum", compare_s / gzip_s, "x", 1.25),
        ("peak memory", whole_mb, "MB", None),
        ("more memory for ten times the tree", whole_mb - tenth_mb, "MB", 16.0),
    ]


def _hash(path: Path) -> str:
    """Return the sha256 of a file, read in large pieces: the floor of any verification."""
    hashed = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            hashed.update(piece)
    return hashed.hexdigest()


def plant(root: Path, limit: int) -> Prefix:
    """Copy up to `limit` bytes of software and give them to packages; return the prefix."""
    size = 0
    owned: dict[int, list[str]] = {}
    for number, (path, bytes_) in enumerate(_software()):
        if size + bytes_ > limit:
            break
        size += bytes_
        relative = f"p{number // 500}{path}"
        place = root / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        owned.setdefault(number // 500 % PACKAGES, []).append(relative)
    (root / "conda-meta").mkdir(parents=True)
    for package, files in owned.items():
        document = {"files": sorted(files)}
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (root / "conda-meta" / f"p{package}-1-0.json").write_text(text)
    (root / ".lode").mkdir()
    record = {"format": prefixes.FORMAT, "stack": "bench", "release": "1", "target": "any-x86_64", "group": None}
    record |= {"final_path": FINAL, "lock": "0" * 64}
    (root / prefixes.RECORD).write_text(json.dumps(record))
    beside = root.with_suffix(".jsonl")
    inventory.write(inventory.scan(root), beside)
    beside.rename(root / prefixes.INVENTORY)
    return prefixes.read(root)


def _software() -> Iterator[tuple[str, int]]:
    for source in SOURCES:
        for folder, folders, files in os.walk(source):
            folders.sort()
            for name in sorted(files):
                path = f"{folder}/{name}"
                if path.isascii() and os.path.isfile(path) and not os.path.islink(path):
                    yield path, os.path.getsize(path)


def layout(root: Path, into: Path) -> None:
    """Write the layers of the prefix at `root`, and a manifest of them."""
    there = Layout(into)
    laid = lay(
        there,
        prefixes.read(root),
        order=(),
        room=100,
        epoch_s=0,
        method=compression.method("gzip"),
        jobs=2,
        progress=Silent(),
    )
    config = store.put_bytes(there, b"{}", store.CONFIG)
    document = {
        "schemaVersion": 2,
        "mediaType": store.MANIFEST,
        "config": config.document(),
        "layers": [one.blob.document() for one in laid.layers],
        "annotations": {"lode.prefix": FINAL},
    }
    there.put_manifest(store.manifest(document), "bench")


def _laying(root: Path, into: Path) -> list[str]:
    text = f"import benchmarks.images as b; b.layout(b.Path({str(root)!r}), b.Path({str(into)!r}))"
    return [sys.executable, "-c", text]


def _spent(work: object) -> float:
    """Return the CPU seconds of `work`."""
    before = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - before


def used(*argv: str) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a command and its children."""
    told = subprocess.run([sys.executable, "-c", _MEASURED, *argv], capture_output=True, text=True, check=True).stdout
    seconds, memory = told.split()[-2:]
    return float(seconds), float(memory)
