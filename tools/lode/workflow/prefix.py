"""Prefixes: made from artifacts, found again by the name of their stack, opened wherever they lie, and used there."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from lode.building.artifact import Artifact
from lode.building.seal import Seal
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.definitions.version import Version
from lode.errors import HostError, LodeError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.installing import shell
from lode.installing.install import STACK_TESTS, install
from lode.installing.prefix import Prefix
from lode.installing.select import selected
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.workflow.lock import files


def prefix_path(places: Places, stack: str, release: str, target: str) -> Path:
    """Return where the prefix of a release on a target lies in the release folder."""
    return places.releases / stack / release / target / "prefix"


def prefix(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    artifacts: Iterable[Artifact],
    root: Path,
    *,
    group: str | None = None,
    progress: Progress,
) -> Prefix:
    """Return the prefix of the lock, or of a group of it, at `root`: installed, audited and listed, or found there."""
    task = f"prefix {lock.stack}@{lock.release} {target}"
    progress.start(task)
    try:
        stack = catalogue.stack(f"{lock.stack}@{lock.release}")
        made = install(lock, target, artifacts, root, group=group, file=files(catalogue, stack))
    except BaseException:
        progress.finish(task, "failed")
        raise
    progress.finish(task)
    return made


def open_prefix(path: Path) -> tuple[Prefix, Lock]:
    """Return the prefix at `path` and the lock inside it; nothing else of the tree is read.

    HostError when no prefix is there; VerificationError when its record and its lock do not belong together.
    """
    found = prefixes.read(path.absolute())
    lock_file = found.root / prefixes.LOCK
    try:
        lock = lockfile.load(lock_file.read_bytes(), str(lock_file))
    except OSError as error:
        raise VerificationError(f"{lock_file} cannot be read: {error.strerror}") from error
    if lock.digest != found.lock_digest:
        raise VerificationError(
            f"the prefix at {path} was made of the lock {found.lock_digest}, but holds {lock.digest}",
            hint="install the prefix again",
        )
    return found, lock


def find_prefix(reference: str, places: Places, *, target: str | None = None) -> Path:
    """Return the folder of the prefix that `reference` names: its path, or a stack (`name`, `name@release`) built here.

    `name` is the newest release that has a prefix. `target` chooses among several. UsageError when there is none.
    """
    path = Path(reference)
    if prefixes.is_prefix(path):
        return path
    if "/" in reference:
        raise UsageError(f"no prefix lies at {reference}", hint=f"a prefix has {prefixes.RECORD} in it")
    stack, _, release = reference.partition("@")
    found = [
        record.parent.parent
        for record in sorted(places.releases.glob(f"{glob.escape(stack)}/*/*/prefix/{prefixes.RECORD}"))
        if release in ("", record.parents[3].name) and target in (None, record.parents[2].name)
    ]
    if not found:
        what = f"{reference} on {target}" if target else reference
        raise UsageError(f"{what} has no prefix on this machine", hint=f"`lode release {reference}` makes it")
    newest = max(Version(path.parents[1].name) for path in found)
    found = [path for path in found if path.parents[1].name == newest.text]
    if len(found) > 1:
        targets = ", ".join(path.parent.name for path in found)
        raise UsageError(f"{stack}@{newest} has prefixes for {targets}", hint="choose one with --target")
    return found[0]


def usable(prefix: Prefix, lock: Lock, places: Places, seal: Seal) -> Prefix:
    """Return a prefix that programs of this machine can use: `prefix`, seen at its final path, or one made for here.

    A machine that can show nothing at another path gets an installation of its own in the cache, made of the same
    artifacts. HostError when these are not in the cache.
    """
    if seal.kind != "none" or shell.in_place(prefix):
        return prefix
    from lode.building.cache import Cache

    cache = Cache(places.cache)
    artifacts = [cache.get(node.hashes[prefix.target]) for node in selected(lock, prefix.target, prefix.group)]
    name = "-".join(filter(None, (lock.stack, lock.release, prefix.target, prefix.group)))
    root = places.cache.absolute() / "prefixes" / name
    try:
        return install(
            lock,
            prefix.target,
            [artifact for artifact in artifacts if artifact is not None],
            root,
            group=prefix.group,
            final_path=str(root),
            file=lambda package, relative: _test_file(prefix, package, relative),
        )
    except LodeError as error:
        raise HostError(
            f"{prefix.root} cannot be used here: this machine cannot show it at {prefix.final_path}"
            f" ({seal.reason}), and it cannot be installed anew at {root}: {error.faults[0].message}",
            hint="install bubblewrap (apt-get install bubblewrap) or allow user namespaces; or build the stack here",
        ) from error


def _test_file(prefix: Prefix, package: str, relative: str) -> bytes:
    return (prefix.root / prefixes.TESTS / (package or STACK_TESTS) / relative).read_bytes()
