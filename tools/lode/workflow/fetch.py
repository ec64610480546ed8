"""From a stack's name to its sources in the mirror."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.sourcing.access import Access
from lode.sourcing.fetch import FetchReport, fetch
from lode.sourcing.mirror import Mirror
from lode.workflow.lock import lock_of


def fetch_stack(
    catalogue: Catalogue,
    reference: str,
    *,
    mirror: Path,
    targets: Sequence[str] = (),
    packages: Sequence[str] | None = None,
    progress: Progress,
    jobs: int = 4,
    offline: bool = False,
    access: Access | None = None,
) -> FetchReport:
    """Return what is in `mirror` once all sources of the lock are there, for `targets` (none given: all)."""
    lock = lock_of(catalogue, reference)
    return fetch(
        lock,
        Mirror(mirror),
        targets=_targets(lock, targets),
        packages=_packages(lock, packages),
        recipe_file=catalogue.behind(lock.stack, lock.release).recipe_file,
        progress=progress,
        jobs=jobs,
        offline=offline,
        access=access,
    )


def _targets(lock: Lock, asked: Sequence[str]) -> tuple[str, ...]:
    known = tuple(target.definition.name for target in lock.targets)
    for name in asked:
        if name not in known:
            raise UsageError(f"{lock.stack}@{lock.release} is not for {name}", hint=f"its targets: {', '.join(known)}")
    return tuple(asked) or known


def _packages(lock: Lock, asked: Sequence[str] | None) -> Sequence[str] | None:
    known = {node.package for node in lock.nodes}
    for name in asked or ():
        if name not in known:
            raise UsageError(f"{lock.stack}@{lock.release} has no package {name}")
    return asked
