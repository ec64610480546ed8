"""What publishing costs in CPU seconds, beside the floor of the same machine: zlib and SHA-1 of the same bytes.

The tree is synthetic: half of each file is random, half text, so that it deflates about as software does.
LODE_BENCH_FILES, LODE_BENCH_MEGABYTES and LODE_BENCH_ENGINE (zlib-ng, zlib) change it.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import random
import resource
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from lode import inventory
from lode.definitions.read_repository import LEVELS
from lode.definitions.repository import Compression, Repository
from lode.progress import Silent
from lode.publishing.cvmfs import check, compress, keys, publish, stratum
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.keys import KeyFiles
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.storage import Folder
from lode.publishing.cvmfs.stratum import Stratum

NAME = "cvmfs"
SIZE = {"FILES": 20_001, "MEGABYTES": 548}
JOBS = len(os.sched_getaffinity(0))
REPOSITORY = "bench.example.org"
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
WORDS = [b"return", b"const", b"double", b"energy", b"\t", b"\n", b"(", b");", b"import ", b"0x%08x", b"__init__"]


def plant(root: Path, files: int, megabytes: int) -> None:
    """Make the tree: the same for the same numbers."""
    dice = random.Random(1)
    size = megabytes * 1_000_000 // files
    for number in range(files):
        place = root / f"p{number // 500}" / f"d{number % 500 // 50}" / f"f{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        own = int(size * dice.uniform(0.2, 1.8))
        text = b" ".join(dice.choices(WORDS, k=200))
        place.write_bytes(dice.randbytes(own // 2) + (text * (own // 2 // len(text) + 1))[: own // 2])
    seal(root)


def seal(root: Path) -> Source:
    place = root / ".lode" / "inventory.jsonl"
    place.parent.mkdir(exist_ok=True)
    digest = inventory.write(list(inventory.scan(root, exclude=[".lode/inventory.jsonl"])), place)
    return Source(root=root, inventory=place, digest=digest, mount="/bench/1/any-x86_64", mtime=1)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


def floor(root: Path, level: int) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            hashlib.sha1(zlib.compress(path.read_bytes(), level), usedforsecurity=False).hexdigest()


def hashing(folder: Path) -> None:
    for path in (folder / "data").glob("??/*"):
        hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return rows of name, figure, unit and limit (None: none)."""
    engine = os.environ.get("LODE_BENCH_ENGINE", "zlib-ng")
    files, megabytes = (int(os.environ.get(f"LODE_BENCH_{what}", usual)) for what, usual in SIZE.items())
    home = Path(tempfile.mkdtemp(prefix="lode-bench-"))
    try:
        times = _times(home, files, megabytes, Compression(engine=engine, level=LEVELS[engine]))
    finally:
        shutil.rmtree(home)
    rows: list[tuple[str, float, str, float | None]] = [
        (f"{what} ({engine})", round(seconds, 2), "CPU s", None) for what, seconds in times.items()
    ]
    return [*rows, ("peak memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB", 400)]


def _times(home: Path, count: int, megabytes: int, compression: Compression) -> dict[str, float]:
    tree = home / "tree"
    plant(tree, count, megabytes)
    source = seal(tree)
    repository = Repository(name=REPOSITORY, compression=compression)
    files = KeyFiles(folder=home / "keys", name=REPOSITORY)
    keys.generate(files, now=NOW)
    key = keys.load_signing(files, None)
    there = Stratum(
        repository=repository,
        storage=Folder(home / "served"),
        public=keys.read_public(files),
        deflate=compress.deflate(compression),
    )
    stratum.create(there, key, keys.load_private(files.master, None), now=NOW)
    cache = Cache(home / "cache.sqlite")

    def put(what: Source) -> Callable[[], object]:
        return lambda: publish.publish(there, key, [what], cache=cache, now=NOW, jobs=JOBS, progress=Silent())

    times = {"floor: zlib 6 and SHA-1": cpu(lambda: floor(tree, 6)), "publish": cpu(put(source))}
    times["publish unchanged"] = cpu(put(source))
    for number in range(0, count, 100):
        place = tree / f"p{number // 500}" / f"d{number % 500 // 50}" / f"f{number}"
        place.write_bytes(place.read_bytes() + b"changed")
    times["publish after changing 1 %"] = cpu(put(seal(tree)))
    times["floor: SHA-1 of what is stored"] = cpu(lambda: hashing(home / "served"))
    times["check"] = cpu(lambda: check.check(there, now=NOW, jobs=JOBS, progress=Silent()))
    cache.close()
    return times
