"""The parts of a release that become images: the whole stack and each of its groups, on each target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lode.building.cache import Cache
from lode.config import Places
from lode.errors import UsageError
from lode.installing import prefix as prefixes
from lode.installing.install import STACK_TESTS, install
from lode.installing.prefix import Prefix
from lode.installing.select import selected
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.workflow.prefix import open_prefix
from lode.workflow.publish import trees
from lode.workflow.report import find_release

GROUPS = "groups"  # folder beside a prefix


def whole(reference: str, places: Places, targets: Sequence[str]) -> tuple[Lock, tuple[Prefix, ...]]:
    """Return the lock and the prefixes that `reference` names: a prefix's folder, or a release's on all its targets.

    A release is a folder, or a stack's newest or the one named. `targets` chooses some. UsageError when one is missing.
    """
    if prefixes.is_prefix(Path(reference)):
        found, lock = open_prefix(Path(reference))
        if targets and targets != (found.target,):
            raise UsageError(f"the prefix {reference} is for {found.target}")
        return lock, (found,)
    folder = find_release(places.releases, reference)
    opened = [open_prefix(root) for root in trees(folder, targets)]
    if not opened:
        raise UsageError(f"{folder} holds no installed tree", hint=f"`lode release {reference}` makes one")
    lock = opened[0][1]
    for prefix, other in opened:
        if other.digest != lock.digest:
            raise UsageError(
                f"the prefix at {prefix.root} is of another lock than those of other targets",
                hint=f"`lode release {reference}` for each target, or choose with --target",
            )
    return lock, tuple(prefix for prefix, _ in opened)


def with_groups(
    lock: Lock, wholes: Sequence[Prefix], groups: Sequence[str], *, places: Places, progress: Progress
) -> tuple[Prefix, ...]:
    """Return `wholes` and, of each, the prefixes of all groups; or, when `groups` is not empty, only of these.

    A group's prefix is installed beside the whole one, from the artifacts in the cache. UsageError for a group that the
    lock does not have, BuildError when an artifact is not in the cache any more.
    """
    made = [*wholes] if not groups else []
    for prefix in wholes:
        if prefix.group is not None:
            continue
        for group in groups or sorted(lock.groups):
            made.append(_group(lock, prefix, group, places, progress))
    return tuple(made)


def _group(lock: Lock, whole: Prefix, group: str, places: Places, progress: Progress) -> Prefix:
    nodes = selected(lock, whole.target, group)  # refuses a group that is not there
    cache = Cache(places.cache, note=progress.note)
    artifacts = [cache.get(node.hashes[whole.target]) for node in nodes]
    task = f"prefix {lock.stack}@{lock.release} {whole.target} {group}"
    progress.start(task)
    try:
        made = install(
            lock,
            whole.target,
            [artifact for artifact in artifacts if artifact is not None],
            whole.root.parent / GROUPS / group,
            group=group,
            final_path=whole.final_path,
            file=lambda package, relative: _test_file(whole, package, relative),
        )
    except BaseException:
        progress.finish(task, "failed")
        raise
    progress.finish(task)
    return made


def _test_file(whole: Prefix, package: str, relative: str) -> bytes:
    return (whole.root / prefixes.TESTS / (package or STACK_TESTS) / relative).read_bytes()
