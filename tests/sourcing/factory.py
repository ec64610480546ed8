"""Nodes and locks with nothing but sources, archives made of tables, and a progress that remembers what it is told."""

from __future__ import annotations

import io
import tarfile
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from lode import digest
from lode.definitions.recipe import Environment, Origin, System, Upstream
from lode.definitions.stack import Pins, Publish
from lode.digest import Digest
from lode.locking.graph import Lock, LockedBuild, LockedPatch, LockedSource, Node
from lode.sourcing.access import Access, Retry

TARGET = "debian12-x86_64"
QUICK = Retry(attempts=3, pause_s=0.01, longest_s=0.02)


def access(**fields: object) -> Access:
    """Return an access that asks no archive and loses no time."""
    return Access(**{"archive": "", "retry": QUICK, "timeout_s": 5.0, **fields})  # type: ignore[arg-type]


def origin(text: str) -> Origin:
    """Return the origin that `scheme location` spells."""
    scheme, _, location = text.partition(" ")
    return Origin(scheme=scheme, location=location)


def source(
    *places: str,
    content: bytes = b"",
    sha256: str | None = None,
    filename: str = "thing-1.0.tar.gz",
    size: int | None = None,
    swhid: str | None = None,
    directory: str = "",
    subdirectory: str = "",
    unpack: bool = True,
    targets: Sequence[str] = (TARGET,),
) -> LockedSource:
    """Return the locked source of `content` (or of a given hash) at `places`, each `scheme location`."""
    return LockedSource(
        origins=tuple(origin(place) for place in places),
        sha256=Digest(sha256) if sha256 else digest.of_bytes(content),
        size=size,
        swhid=swhid,
        directory=directory,
        subdirectory=subdirectory,
        unpack=unpack,
        filename=filename,
        targets=tuple(targets),
    )


def patch(content: bytes, file: str = "patches/fix.patch", **fields: object) -> LockedPatch:
    """Return the locked patch of `content`."""
    values = {
        "file": file,
        "sha256": digest.of_bytes(content),
        "strip": 1,
        "reason": "gcc 13 needs <cstdint>",
        "upstream": "https://example.org/pull/7",
        "until": None,
        "targets": (TARGET,),
        **fields,
    }
    return LockedPatch(**values)  # type: ignore[arg-type]


def node(package: str, *sources: LockedSource, version: str = "1.0", **fields: object) -> Node:
    """Return a node that has nothing but sources, and patches if given."""
    build = LockedBuild(
        system=System.CMAKE, subdirectory="", args=(), environment=(), prepare="", targets=(), install_targets=(),
        script="", finish="", in_source=False, jobs=None, memory_mb=None,
    )  # fmt: skip
    values = {
        "package": package, "version": version, "summary": "", "homepage": "", "license": "MIT",
        "redistributable": True, "cite": (), "tags": (), "options": {}, "languages": (), "sources": sources,
        "patches": (), "build": build, "edges": (), "externals": (), "environment": Environment(), "tests": (),
        "system_libraries": (), "upstream": Upstream(), "provider": "lode", "prebuilt": False, "targets": (TARGET,),
        "reasons": (), "recipe": digest.of_bytes(package.encode()), "hashes": {}, **fields,
    }  # fmt: skip
    return Node(**values)  # type: ignore[arg-type]


def lock(*nodes: Node) -> Lock:
    """Return a lock that has nothing but nodes."""
    return Lock(
        schema=1, stack="probe", release="1", date="2026-11-22", summary="", collections=(), extends=None, tools={},
        pins=Pins(), publish=Publish(cvmfs="probe.example.org"), requirements=(), groups={}, targets=(), nodes=nodes,
        tests=(), digest=digest.of_bytes(b"lock"),
    )  # fmt: skip


def no_recipe_file(package: str, relative: str) -> Path:
    """Fail: the test has no recipe with files."""
    raise AssertionError(f"asked for {relative} of {package}")


Files = Mapping[str, bytes | str] | Sequence[tuple[str, bytes | str]]


def archive(files: Files, *, form: str = "gz", modes: Mapping[str, int] | None = None) -> bytes:
    """Return a tar archive: bytes are a file, `-> x` a link, `=> x` a hard link, `name/` a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{form}" if form else "w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            info = tarfile.TarInfo(name)
            info.mode = (modes or {}).get(name, 0o644)
            if isinstance(content, bytes):
                info.size = len(content)
                if name.endswith("/"):
                    info.type = tarfile.DIRTYPE
                tar.addfile(info, io.BytesIO(content))
                continue
            info.type = tarfile.SYMTYPE if content.startswith("-> ") else tarfile.LNKTYPE
            info.linkname = content[3:]
            tar.addfile(info)
    return buffer.getvalue()


def tree(root: Path) -> dict[str, str]:
    """Return what is below `root`: the text of files, `-> target` for links; folders only when they are empty."""
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text()
        elif not any(path.iterdir()):
            found[f"{name}/"] = ""
    return found


class Recorder:
    """A progress that remembers: how much of each task was done, how tasks ended, and the notes."""

    def __init__(self) -> None:
        self.done: dict[str, float] = defaultdict(float)
        self.totals: dict[str, float | None] = {}
        self.outcomes: dict[str, str] = {}
        self.notes: list[str] = []
        self.steps: list[str] = []
        self._lock = threading.Lock()

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        with self._lock:
            self.done[task] = 0
            self.totals[task] = total

    def advance(self, task: str, amount: float) -> None:
        with self._lock:
            self.done[task] += amount

    def step(self, task: str, text: str) -> None:
        self.steps.append(text)

    def finish(self, task: str, outcome: str = "done") -> None:
        self.outcomes[task] = outcome

    def note(self, text: str) -> None:
        self.notes.append(text)
