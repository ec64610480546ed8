"""Fetching a lock's sources into the mirror.

Other mirrors are asked first, then the places that a source names, then the archive of last resort. Nothing gets a name
in the mirror before its sha256 has been checked.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from lode.definitions.recipe import Origin
from lode.digest import Digest
from lode.errors import Fault, SourceError
from lode.locking.graph import Lock, LockedSource, Node
from lode.progress import Progress, Silent
from lode.rendering.mirror import relative_path
from lode.sourcing import heritage, origins, transfer
from lode.sourcing.access import Access, Refused, Wanted, redacted
from lode.sourcing.mirror import Mirror
from lode.sourcing.origins.way import Way, at
from lode.sourcing.reach import Reach

Results = list["Fetched"]
Errors = list[SourceError]
_FAREWELL_S = 2.0
_HINT = "put the file there, name a mirror that has it with --mirror, or fetch with the network"
RecipeFile = Callable[[str, str], Path]  # (package, path relative to its recipe) to file


class Outcome(StrEnum):
    """How a source came to be in the mirror."""

    CACHED = "cached"  # it was there
    FETCHED = "fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One source in the mirror, its sha256 checked in this run."""

    packages: tuple[str, ...]  # that need it, sorted
    source: LockedSource
    path: Path
    size: int
    outcome: Outcome
    place: str  # where it came from, without credentials; empty when it was there


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchReport:
    """All sources that were asked for, sorted by package and file name."""

    mirror: Path
    files: tuple[Fetched, ...]

    @property
    def fetched_bytes(self) -> int:
        """Return how many bytes were new."""
        return sum(file.size for file in self.files if file.outcome is Outcome.FETCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One source and who needs it."""

    packages: tuple[str, ...]
    source: LockedSource
    origins: tuple[tuple[str, Origin], ...]  # of all of them, each with the package whose recipe names it

    @property
    def wanted(self) -> Wanted:
        task = f"{self.packages[0]} {self.source.filename}"
        source = self.source
        return Wanted(sha256=source.sha256, size=source.size, swhid=source.swhid, filename=source.filename, task=task)


def fetch(
    lock: Lock,
    mirror: Mirror,
    *,
    targets: Sequence[str],
    packages: Sequence[str] | None = None,
    recipe_file: RecipeFile,
    progress: Progress | None = None,
    jobs: int = 4,
    offline: bool = False,
    access: Access | None = None,
) -> FetchReport:
    """Return what is in `mirror` once every source of `packages` (None: all) on `targets` is there, checked.

    SourceError has one fault for each source that could not be had, with every place tried and its answer; HostError
    when the mirror cannot be written. With `offline`, only this machine is asked, and what is missing is listed.
    """
    return gather(
        needed(lock.nodes, targets, packages),
        mirror,
        recipe_file=recipe_file,
        progress=progress,
        jobs=jobs,
        offline=offline,
        access=access,
    )


def gather(
    sources: Iterator[tuple[str, LockedSource]],
    mirror: Mirror,
    *,
    recipe_file: RecipeFile,
    progress: Progress | None = None,
    jobs: int = 4,
    offline: bool = False,
    access: Access | None = None,
) -> FetchReport:
    """Return what is in `mirror` once all `sources`, each with the package that needs it, are there; see `fetch`."""
    items = _items(sources)
    stop = threading.Event()
    with Reach(access or Access(), progress or Silent(), stop) as reach:
        work = [lambda item=item: _obtain(item, mirror, recipe_file, reach, offline) for item in items]
        files, errors = _together(work, jobs, stop)
    if errors:
        raise SourceError.of(_last_hint_only([fault for error in errors for fault in error.faults]))
    return FetchReport(mirror=mirror.root, files=tuple(files))


def _last_hint_only(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults with a hint that several share said once, after the last of them."""
    following = [fault.hint for fault in faults[1:]] + [None]
    return [
        replace(fault, hint=None) if fault.hint == after else fault
        for fault, after in zip(faults, following, strict=True)
    ]


def needed(
    nodes: Sequence[Node], targets: Sequence[str], packages: Sequence[str] | None = None
) -> Iterator[tuple[str, LockedSource]]:
    """Yield (package, source) for all that building the nodes on `targets` needs; delegated nodes need nothing."""
    for node in nodes:
        if node.provider == "upstream" or (packages is not None and node.package not in packages):
            continue
        for source in node.sources:
            if set(source.targets) & set(targets):
                yield node.package, source


def _items(pairs: Iterator[tuple[str, LockedSource]]) -> list[_Item]:
    """Return each file once, with all who need it and all the places that any of them names."""
    by_hash: dict[Digest, list[tuple[str, LockedSource]]] = {}
    for package, source in sorted(pairs, key=lambda pair: (pair[0], pair[1].filename, pair[1].sha256)):
        by_hash.setdefault(source.sha256, []).append((package, source))
    return [
        _Item(
            packages=tuple(dict.fromkeys(package for package, _ in rows)),
            source=rows[0][1],
            origins=tuple({origin: (package, origin) for package, row in rows for origin in row.origins}.values()),
        )
        for rows in by_hash.values()
    ]


def _together(work: Sequence[Callable[[], Fetched]], jobs: int, stop: threading.Event) -> tuple[Results, Errors]:
    """Return the results in order and the sources' errors; any other error ends all and is raised.

    The threads are daemons: an interrupted command must not wait for a server that says nothing.
    """
    tasks: queue.SimpleQueue[tuple[int, Callable[[], Fetched]]] = queue.SimpleQueue()
    outcomes: queue.SimpleQueue[tuple[int, Fetched | BaseException]] = queue.SimpleQueue()
    for row in enumerate(work):
        tasks.put(row)

    def labour() -> None:
        with contextlib.suppress(queue.Empty):
            while not stop.is_set():
                index, task = tasks.get_nowait()
                try:
                    outcomes.put((index, task()))
                except BaseException as error:
                    outcomes.put((index, error))

    threads = [threading.Thread(target=labour, name="fetch", daemon=True) for _ in range(min(max(1, jobs), len(work)))]
    for thread in threads:
        thread.start()
    done: dict[int, Fetched | SourceError] = {}
    try:
        while len(done) < len(work):
            index, outcome = outcomes.get()
            if isinstance(outcome, BaseException) and not isinstance(outcome, SourceError):
                raise outcome
            done[index] = outcome
    except BaseException:
        stop.set()
        for thread in threads:
            thread.join(timeout=_FAREWELL_S)
        raise
    rows = [done[index] for index in range(len(work))]
    return [row for row in rows if isinstance(row, Fetched)], [row for row in rows if isinstance(row, SourceError)]


def _obtain(item: _Item, mirror: Mirror, recipe_file: RecipeFile, reach: Reach, offline: bool) -> Fetched:
    """Return the source as it is in the mirror, after bringing it there if it was not."""
    reach.heed()
    wanted = item.wanted
    reach.progress.start(wanted.task, total=item.source.size, unit="B")
    outcome = "failed"
    try:
        found = _present(item, mirror, reach)
        if found is None:
            with mirror.held(item.source.sha256, reach.stop):
                found = _present(item, mirror, reach) or _bring(item, mirror, recipe_file, reach, offline)
        outcome = "cached" if found.outcome is Outcome.CACHED else "done"
        return found
    finally:
        reach.progress.finish(wanted.task, outcome)


def _present(item: _Item, mirror: Mirror, reach: Reach) -> Fetched | None:
    """Return the source if the mirror has it whole; a damaged file counts as missing."""
    path = mirror.find(item.source)
    if path is None:
        return None
    try:
        transfer.check(path, item.wanted)
    except Refused:
        reach.progress.note(f"{path} is damaged and does not count")
        return None
    return _done(item, path, Outcome.CACHED, "")


def _done(item: _Item, path: Path, outcome: Outcome, place: str) -> Fetched:
    size = path.stat().st_size
    return Fetched(packages=item.packages, source=item.source, path=path, size=size, outcome=outcome, place=place)


def _bring(item: _Item, mirror: Mirror, recipe_file: RecipeFile, reach: Reach, offline: bool) -> Fetched:
    wanted = item.wanted
    part = mirror.partial(wanted.sha256)
    tried: list[str] = []
    for text, ways in _places(item, recipe_file, reach, offline):
        try:
            for way in ways:
                if offline and way.network:
                    continue
                try:
                    reach.progress.step(wanted.task, f"from {way.text}")
                    way.deliver(wanted, part, reach)
                    return _done(item, mirror.place(part, item.source), Outcome.FETCHED, way.text)
                except Refused as refused:
                    tried.append(f"{text}{'' if way.text in text else f' at {way.text}'}: {refused}")
        except Refused as refused:
            tried.append(f"{text}: {refused}")
    raise _unobtainable(item, mirror, tried, offline)


def _places(item: _Item, recipe_file: RecipeFile, reach: Reach, offline: bool) -> Iterator[tuple[str, Iterator[Way]]]:
    """Yield each place to ask, as messages name it, with its ways; offline, only those on this machine."""
    access, wanted = reach.access, item.wanted
    for base in access.mirrors:
        yield f"mirror {redacted(base)}", _in_mirror(base, item.source)
    for package, origin in item.origins:
        if not offline or origin.scheme not in origins.NETWORK:
            name = f"{origin.scheme} {redacted(origin.location)}"
            yield name, origins.ways(origin, wanted, reach, functools.partial(recipe_file, package))
    if access.archive and not offline:
        yield "Software Heritage", heritage.ways(access.archive, wanted, [origin for _, origin in item.origins])


def _in_mirror(base: str, source: LockedSource) -> Iterator[Way]:
    path = relative_path(source)
    yield at(f"{base.rstrip('/')}/{path}" if "://" in base else str(Path(base).absolute() / path))


def _unobtainable(item: _Item, mirror: Mirror, tried: Sequence[str], offline: bool) -> SourceError:
    source, who = item.source, " and ".join(item.packages)
    where = mirror.path(source)
    if offline and where.exists():
        return SourceError(f"{who}: {source.filename} is damaged in the mirror at {where}", hint=_HINT)
    if not tried:
        why = "nothing was asked from the network" if offline else "the lock names no place that has it"
        return SourceError(f"{who}: {source.filename} is not in the mirror at {where}, and {why}", hint=_HINT)
    rows = "".join(f"\n    {row}" for row in tried)
    message = f"{who}: {source.filename} (sha256 {source.sha256}) is not to be had; asked were{rows}"
    return SourceError(message, hint=f"put the file at {where}, or name a mirror that has it with --mirror")
