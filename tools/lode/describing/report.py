"""The release page and the plain files beside it: what a release holds, for people, in years to come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lode.building.artifact import BuildRecord
from lode.describing import citations, drawing, licences
from lode.describing.records import NodeRecord
from lode.digest import Digest
from lode.locking.graph import Lock, LockedSource, Node
from lode.testing import page
from lode.testing.results import Outcome, TestReport
from lode.tree import FileTree

INDEX_SCHEMA = 1
PAGE, CITATION, BIBTEX, LICENCES = (
    PurePosixPath(name) for name in ("report.html", "CITATION.cff", "references.bib", "LICENCES.txt")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRelease:
    """What a release left on one of its targets; what was not done, or is not known any more, is None or empty."""

    target: str
    inventory: Digest | None = None  # of the prefix
    files: int | None = None  # entries of the prefix
    size_bytes: int | None = None  # of the prefix
    records: tuple[NodeRecord, ...] = ()
    tests: TestReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A node on a target: a line of the page's table."""

    target: str
    node_hash: Digest | None
    record: BuildRecord | None
    package_sha256: Digest | None
    tests: Mapping[str, int]  # outcome to count


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A node in the page's table."""

    node: Node
    options: str
    installed: bool
    places: tuple[_Place, ...]

    @property
    def wall_s(self) -> float | None:
        """Return the longest build time of the targets, None when no record tells it."""
        return max((place.record.wall_s for place in self.places if place.record), default=None)

    @property
    def size_bytes(self) -> int | None:
        """Return the largest size of the targets, None when no record tells it."""
        return max((place.record.size_bytes for place in self.places if place.record), default=None)

    def count(self, outcome: str) -> int:
        """Return how many tests ended so, on all targets."""
        return sum(place.tests.get(outcome, 0) for place in self.places)


def release(
    lock: Lock, targets: Sequence[TargetRelease], *, version: str, delivery: Mapping[str, Any] | None = None
) -> FileTree:
    """Return `report.html`, `CITATION.cff`, `references.bib` and `LICENCES.txt` of a release.

    The page needs nothing from elsewhere. `version` is that of the program, for the page's foot; `delivery` what the
    release became: `images` and `indexes` with tag and digest, and the revision of the repository in `cvmfs`.
    """
    html = page.render(
        "describing",
        "release.html.j2",
        lock=lock,
        targets=[(lock.target(each.target), each) for each in targets],
        rows=_rows(lock, targets),
        drawing=drawing.draw(lock),
        licences=licences.by_licence(lock),
        kept_back=licences.kept_back(lock),
        citations=citations.citations(lock),
        seals=_seals(targets),
        delivery=delivery or {},
        origin=origin,
        outcomes=Outcome,
        version=version,
    )
    return FileTree(
        files={
            PAGE: html,
            CITATION: citations.cff(lock).encode(),
            BIBTEX: citations.bibtex(lock).encode(),
            LICENCES: licences.text(lock).encode(),
        }
    )


def index(lock: Lock, targets: Sequence[TargetRelease], files: Mapping[PurePosixPath, tuple[Digest, int]]) -> bytes:
    """Return `index.json` of a release folder: its targets, and its files by path with sha256 and size.

    Trees are told by the digest of their inventory, not file by file.
    """
    document: dict[str, Any] = {
        "schema": INDEX_SCHEMA,
        "stack": lock.stack,
        "release": lock.release,
        "date": lock.date,
        "lock": lock.digest,
        "targets": {each.target: _target_entry(lock, each) for each in targets},
        "files": {str(path): {"sha256": sha256, "size": size} for path, (sha256, size) in sorted(files.items())},
    }
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def origin(source: LockedSource) -> str:
    """Return where a source is from, as people read it: its own place, not the mirrors."""
    first = source.origins[0]
    return first.location if first.scheme in ("url", "git") else f"{first.scheme}: {first.location}"


def _target_entry(lock: Lock, each: TargetRelease) -> dict[str, Any]:
    tests = each.tests
    return {
        "digest": lock.target(each.target).digest,
        "final_path": lock.final_path(each.target),
        "inventory": each.inventory,
        "entries": each.files,
        "size": each.size_bytes,
        "tests": None if tests is None else {outcome.value: len(tests.of(outcome)) for outcome in Outcome},
    }


def _rows(lock: Lock, targets: Sequence[TargetRelease]) -> tuple[_Row, ...]:
    present = drawing.installed(lock)
    return tuple(
        _Row(
            node=node,
            options=" ".join(_option(name, value) for name, value in sorted(node.options.items())),
            installed=node.package in present,
            places=tuple(_place(node, each) for each in targets if each.target in node.targets),
        )
        for node in lock.nodes
    )


def _place(node: Node, each: TargetRelease) -> _Place:
    record = next((record for record in each.records if record.package == node.package), None)
    results = each.tests.results if each.tests else ()
    mine = [result.outcome for result in results if result.package == node.package]
    return _Place(
        target=each.target,
        node_hash=node.hashes.get(each.target),
        record=record.record if record else None,
        package_sha256=record.sha256 if record else None,
        tests={outcome.value: mine.count(outcome) for outcome in Outcome},
    )


def _seals(targets: Sequence[TargetRelease]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return each seal that held builds, why it was not a better one, and the packages built under it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in targets:
        for record in each.records:
            groups.setdefault((record.record.seal, record.record.seal_reason), []).append(record.package)
    return tuple((seal, reason, tuple(sorted(set(names)))) for (seal, reason), names in sorted(groups.items()))


def _option(name: str, value: str) -> str:
    return {"true": f"+{name}", "false": f"~{name}"}.get(value, f"{name}={value}")
