"""What publishing costs in CPU seconds, beside the floor of the same machine: zlib and SHA-1 of the same bytes.

The trees are synthetic: half of each file is random, half text, so that it deflates about as software does; A and B
have the numbers of files and bytes of the trees that CernVM-FS 2.11.5 was measured with (24 and 44 CPU s at best).
LODE_BENCH_ENGINE (libdeflate, zlib) changes the engine. LODE_BENCH_HUGE=1 measures instead a million sparse files of
50 GB, and a million entries in one folder, each step in a process of its own for its memory: a quarter of an hour.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import os
import random
import resource
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path

from lode import inventory
from lode.definitions.read_repository import LEVELS
from lode.definitions.repository import Compression, Repository
from lode.digest import Digest
from lode.progress import Silent
from lode.publishing.cvmfs import check, compress, keys, publish, stratum
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.keys import KeyFiles, SigningKey
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.storage import Folder
from lode.publishing.cvmfs.stratum import Stratum

NAME = "cvmfs"
TREES = {"A": (20_001, 548, 8.0), "B": (3_214, 1400, 12.0)}  # files, megabytes, limit of CPU seconds
JOBS = len(os.sched_getaffinity(0))
REPOSITORY = "bench.example.org"
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
WORDS = [b"return", b"const", b"double", b"energy", b"\t", b"\n", b"(", b");", b"import ", b"0x%08x", b"__init__"]
PLACE = Source(root=Path(), inventory=Path(), digest=Digest("0" * 64), mount="/bench/1/any-x86_64", mtime=1)


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
    aside = root.with_suffix(".inventory")  # a file being written in the tree would be listed
    digest = inventory.write(inventory.scan(root, exclude=[".lode/inventory.jsonl"]), aside)
    aside.replace(place)
    return dataclasses.replace(PLACE, root=root, inventory=place, digest=digest)


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


def huge(root: Path) -> Source:
    """Make a million files of 50,000 bytes, all different and nearly all hole."""
    for number in range(1_000_000):
        place = root / f"p{number // 10_000}" / f"d{number % 10_000 // 100}" / f"f{number}"
        if number % 100 == 0:
            place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            file.write(b"%d" % number)
            file.truncate(50_000)
    return seal(root)


def flat(root: Path) -> Source:
    """Make a million small files in one folder, of a thousand contents."""
    folder = root / "one"
    folder.mkdir(parents=True)
    for number in range(1_000_000):
        (folder / f"entry-{number:07d}.dat").write_bytes(b"%d" % (number % 1000))
    return seal(root)


def apart(work: Callable[[], object]) -> tuple[float, int]:
    """Return the CPU seconds and the peak memory in MB of `work` in a process of its own."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit("a step failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return rows of name, figure, unit and limit (None: none)."""
    engine = os.environ.get("LODE_BENCH_ENGINE", "libdeflate")
    compression = Compression(engine=engine, level=LEVELS[engine])
    rows: list[tuple[str, float, str, float | None]] = []
    if os.environ.get("LODE_BENCH_HUGE"):
        for name, make, most in (("huge", huge, 400), ("one folder", flat, None)):
            with tempfile.TemporaryDirectory(prefix="lode-bench-") as home:
                rows += _large(name, Path(home), make, most, compression)
        return rows
    for name, (files, megabytes, limit) in TREES.items():
        with tempfile.TemporaryDirectory(prefix="lode-bench-") as home:
            rows += _rows(f"{name} ({engine})", Path(home), files, megabytes, limit, compression)
    return [*rows, ("peak memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB", 400)]


def _large(
    name: str, home: Path, make: Callable[[Path], Source], most: int | None, compression: Compression
) -> list[tuple[str, float, str, float | None]]:
    """Return what inventory, publication, publication unchanged and check take; `most` is of megabytes."""
    there, key, cache = repository(home, compression)
    cache.close()
    source = dataclasses.replace(PLACE, root=home / "tree", inventory=home / "tree/.lode/inventory.jsonl")

    def published() -> None:
        with source.inventory.open("rb") as file:
            digest = Digest(hashlib.file_digest(file, "sha256").hexdigest())
        whole = dataclasses.replace(source, digest=digest)
        put(there, key, Cache(home / "cache.sqlite"), whole)()

    def checked() -> None:
        found = check.check(there, now=NOW, jobs=JOBS, progress=Silent())
        if found.faults:
            raise SystemExit(found.faults[0])

    rows: list[tuple[str, float, str, float | None]] = []
    for step, work in (
        ("files and inventory", lambda: make(source.root)),
        ("publish", published),
        ("publish unchanged", published),
        ("check", checked),
    ):
        seconds, megabytes = apart(work)
        rows.append((f"{name}: {step}", round(seconds, 2), "CPU s", None))
        rows.append((f"{name}: {step}", megabytes, "MB", most))
    return rows


def repository(home: Path, compression: Compression) -> tuple[Stratum, SigningKey, Cache]:
    definition = Repository(name=REPOSITORY, compression=compression)
    files = KeyFiles(folder=home / "keys", name=REPOSITORY)
    keys.generate(files, now=NOW)
    key = keys.load_signing(files, None)
    there = Stratum(
        repository=definition,
        storage=Folder(home / "served"),
        public=keys.read_public(files),
        deflate=compress.deflate(compression),
    )
    stratum.create(there, key, keys.load_private(files.master, None), now=NOW)
    return there, key, Cache(home / "cache.sqlite")


def put(there: Stratum, key: SigningKey, cache: Cache, what: Source) -> Callable[[], object]:
    return lambda: publish.publish(there, key, [what], cache=cache, now=NOW, jobs=JOBS, progress=Silent())


def look(there: Stratum) -> Callable[[], object]:
    return lambda: check.check(there, now=NOW, jobs=JOBS, progress=Silent())


def _rows(
    name: str, home: Path, count: int, megabytes: int, limit: float, compression: Compression
) -> list[tuple[str, float, str, float | None]]:
    tree = home / "tree"
    plant(tree, count, megabytes)
    source = seal(tree)
    there, key, cache = repository(home, compression)
    rows: list[tuple[str, float, str, float | None]] = [
        ("floor: zlib 6 and SHA-1", cpu(lambda: floor(tree, 6)), "CPU s", None),
        ("publish", cpu(put(there, key, cache, source)), "CPU s", limit),
        ("publish unchanged", cpu(put(there, key, cache, source)), "CPU s", 0.2),
    ]
    for number in range(0, count, 100):
        place = tree / f"p{number // 500}" / f"d{number % 500 // 50}" / f"f{number}"
        place.write_bytes(place.read_bytes() + b"changed")
    changed = seal(tree)
    rows.append(
        ("publish after changing 1 %", cpu(put(there, key, cache, changed)), "CPU s", 0.5 if name[0] == "A" else None)
    )
    hashed = cpu(lambda: hashing(home / "served"))
    checked = cpu(look(there))
    rows.append(("floor: SHA-1 of what is stored", hashed, "CPU s", None))
    rows.append(("check", checked, "CPU s", None))
    rows.append(("check / floor", checked / hashed, "", 1 / 0.7))
    cache.close()
    return [(f"{name}: {what}", round(figure, 3), unit, bound) for what, figure, unit, bound in rows]
