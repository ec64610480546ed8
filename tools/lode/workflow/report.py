"""The release folder's records and page: what is kept of a release's builds and tests, and what is written from it."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lode import __version__, inventory, tree
from lode.building.artifact import Artifact
from lode.definitions.version import Version
from lode.describing import records
from lode.describing import report as describing
from lode.describing.report import TargetRelease
from lode.digest import Digest
from lode.errors import HostError, UsageError
from lode.installing import prefix as prefixes
from lode.inventory import EntryType
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.testing import report as forms
from lode.testing import results
from lode.testing.results import TestReport

LOCK = "lode.lock"
INDEX = "index.json"
DELIVERY = "delivery.json"  # digests of the images, revision and root hash of the repository, see `delivery`
IMAGES = "images"  # the OCI layout of a release folder
PREFIX = "prefix"  # the tree of a target, below its folder
SIGNATURES = (".dsse", ".sigstore.json")  # files that sign others, the index among them
_BUILD, _TESTS = "build.json", "tests.json"


def save_builds(folder: Path, target: str, artifacts: Iterable[Artifact]) -> None:
    """Put down in the release folder how the nodes of `target` were built."""
    tree.replace(folder / target / _BUILD, records.dump(records.of(artifacts)))


def save_tests(folder: Path, report: TestReport) -> None:
    """Put down in the release folder what the tests of the report's target gave, as JSON, JUnit XML and HTML."""
    place = folder / report.target
    tree.replace(place / _TESTS, forms.dump(report))
    tree.replace(place / "tests.xml", forms.junit(report))
    tree.replace(place / "tests.html", forms.html(report))


def write_report(folder: Path) -> Path:
    """Return the release page, written with the files beside it and `index.json` from what lies in the release folder.

    The folder's own lock is told of, not the collection's. HostError when `folder` holds no release.
    """
    lock, targets = read(folder)
    try:
        tree.write(describing.release(lock, targets, version=__version__, delivery=_delivery(folder)), folder)
        tree.replace(folder / INDEX, _index(folder, lock, targets))
    except OSError as error:
        raise HostError(
            f"the report cannot be written to {folder}: {error.strerror}", hint="copy the release folder elsewhere"
        ) from error
    return folder / describing.PAGE


def rewrite_report(folder: Path) -> Path:
    """Return the release page, written as by `write_report`; UsageError when that would undo a signature.

    A signed release may be written again as long as all of it comes out the same.
    """
    signed = folder / f"{INDEX}{SIGNATURES[0]}"
    lock, targets = read(folder)
    written = describing.release(lock, targets, version=__version__, delivery=_delivery(folder))
    same = all(_reads(folder / path) == content for path, content in written.files.items())
    if signed.is_file() and not (same and _reads(folder / INDEX) == _index(folder, lock, targets)):
        raise UsageError(
            f"the release in {folder} is signed, and its page or index would come out otherwise",
            hint=f"a signed release stays as it is; to write it all the same, remove {signed}, and sign it again after",
        )
    return write_report(folder)


def _reads(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _index(folder: Path, lock: Lock, targets: Sequence[TargetRelease]) -> bytes:
    return describing.index(lock, targets, listed_files(folder))


def _delivery(folder: Path) -> Mapping[str, Any]:
    """Return what the release became, as `delivery.json` says; empty when nothing was made of it, or it is damaged."""
    try:
        document = json.loads((folder / DELIVERY).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def find_release(releases: Path, reference: str) -> Path:
    """Return the release folder that `reference` names: a folder, or NAME[@RELEASE] below `releases`, else the newest.

    UsageError when there is none, with those that there are.
    """
    if "/" in reference or reference in (".", "..") or (Path(reference) / LOCK).is_file():
        return Path(reference)
    name, _, release = reference.partition("@")
    made = [path.parent.name for path in releases.glob(f"{glob.escape(name)}/*/{LOCK}")]
    if release in made or (made and not release):
        return releases / name / (release or max(made, key=Version))
    others = sorted(f"{path.parent.parent.name}@{path.parent.name}" for path in releases.glob(f"*/*/{LOCK}"))
    raise UsageError(
        f"no release of {reference} lies in {releases}",
        hint=f"there are: {', '.join(others)}" if others else f"`lode release {reference}` makes one",
    )


def read(folder: Path) -> tuple[Lock, tuple[TargetRelease, ...]]:
    """Return the lock of a release folder and what lies there of each target; HostError when there is no release."""
    lock = read_lock(folder)
    names = [target.definition.name for target in lock.targets]
    return lock, tuple(_target(folder, name) for name in names if (folder / name).is_dir())


def read_lock(folder: Path) -> Lock:
    """Return the lock that a release folder holds; HostError when there is none."""
    try:
        content = (folder / LOCK).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise HostError(f"no release lies at {folder}", hint="`lode release STACK` makes one") from error
    return lockfile.load(content, str(folder / LOCK))


def _target(folder: Path, target: str) -> TargetRelease:
    place = folder / target
    build, tests, prefix = place / _BUILD, place / _TESTS, place / PREFIX
    digest, entries, size = _tree(prefix) if prefixes.is_prefix(prefix) else (None, None, None)
    return TargetRelease(
        target=target,
        inventory=digest,
        files=entries,
        size_bytes=size,
        records=records.load(build.read_bytes(), str(build)) if build.is_file() else (),
        tests=results.load(tests.read_bytes(), str(tests)) if tests.is_file() else None,
    )


def _tree(prefix: Path) -> tuple[Digest, int, int]:
    """Return the inventory's digest, how many entries it lists, and the bytes of its files."""
    entries = size = 0
    for entry in inventory.read(prefix / prefixes.INVENTORY):
        entries += 1
        size += entry.size if entry.type is EntryType.FILE else 0
    return prefixes.read(prefix).inventory, entries, size


def listed_files(folder: Path) -> dict[PurePosixPath, tuple[Digest, int]]:
    """Return the files of the release folder with sha256 and size.

    Left out are the index, signatures, trees, images (which are signed by themselves) and hidden files.
    """
    found: dict[PurePosixPath, tuple[Digest, int]] = {}
    for path in (
        *folder.iterdir(),
        *(file for place in folder.iterdir() if place.is_dir() and place.name != IMAGES for file in place.iterdir()),
    ):
        kept_out = path.name == INDEX or path.name.endswith(SIGNATURES) or path.name.startswith(".")
        if path.is_file() and not path.is_symlink() and not kept_out:
            with path.open("rb") as file:
                sha256 = Digest(hashlib.file_digest(file, "sha256").hexdigest())
            found[PurePosixPath(path.relative_to(folder))] = (sha256, path.stat().st_size)
    return found
