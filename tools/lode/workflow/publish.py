"""Publishing a release wherever its stack says: one function a kind of place, by the keys of `publish:`."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.installing import prefix as prefixes
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.workflow import report as reporting


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A release to be published, and what publishing it may need."""

    catalogue: Catalogue
    lock: Lock
    folder: Path  # of the release
    prefixes: tuple[Path, ...]  # of its targets, sorted
    places: Places
    now: datetime.datetime
    jobs: int
    progress: Progress
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one publisher has done."""

    kind: str  # the key of `publish:`
    destination: str
    digest: str  # what a client can hold it to: a root hash, an image's digest
    new: bool  # whether anything was to be done
    document: Mapping[str, Any]  # all of it, for JSON
    lines: tuple[str, ...]  # and for people


Publisher = Callable[[Order], Published]

PASSPHRASE = "LODE_CVMFS_PASSPHRASE"  # noqa: S105 - the name of a variable


def _cvmfs(order: Order) -> Published:
    from lode.workflow import cvmfs

    done = cvmfs.publish_release(
        order.catalogue,
        order.prefixes,
        places=order.places,
        now=order.now,
        jobs=order.jobs,
        progress=order.progress,
        passphrase=order.environ.get(PASSPHRASE, "").encode() or None,
    )
    made = done.publication
    lines = [f"{made.name} {'is at' if made.new else 'stays at'} revision {made.revision}, root {made.root}"]
    lines += [f"  published  {path}" for path in made.changed]
    lines += [f"  unchanged  {path}" for path in made.unchanged]
    lines += [f"  files      {done.place}", f"  public key {done.public_key}"]
    lines += [f"  warning: {text}" for text in made.warnings]
    return Published(
        kind="cvmfs",
        destination=made.name,
        digest=made.root,
        new=made.new,
        document={**asdict(made), "place": done.place, "public_key": str(done.public_key)},
        lines=tuple(lines),
    )


def _registry(order: Order) -> Published:
    from lode.workflow import deliver

    made, pushed = deliver.publish_release(
        order.lock,
        order.prefixes,
        order.folder,
        places=order.places,
        environ=order.environ,
        jobs=order.jobs,
        progress=order.progress,
    )
    lines = [f"{order.lock.publish.registry} has {len(pushed.names)} names of release {order.lock.release}"]
    lines += [f"  {name}" for name in pushed.names]
    what = pushed.copied
    lines.append(f"  moved      {what.moved_bytes:,} bytes, {what.moved} of {what.blobs} blobs")
    return Published(
        kind="registry",
        destination=str(order.lock.publish.registry),
        digest=f"sha256:{made.indexes[0].manifest.digest}",
        new=what.moved > 0,
        document={**made.document(), "pushed": pushed.document()},
        lines=tuple(lines),
    )


PUBLISHERS: Mapping[str, Publisher] = {"cvmfs": _cvmfs, "registry": _registry}


def wanted(lock: Lock) -> tuple[str, ...]:
    """Return the kinds of places that the stack names and a publisher is there for; `cvmfs` always is."""
    named = {"cvmfs": lock.publish.cvmfs, "registry": lock.publish.registry, "channel": lock.publish.channel}
    return tuple(kind for kind in PUBLISHERS if named.get(kind))


def publish(order: Order, kinds: Sequence[str] = ()) -> tuple[Published, ...]:
    """Publish to the places of `kinds`, by default all that the stack names, and return what was done, in order.

    UsageError for a kind without a publisher or a release without a tree; every publisher's own errors: what came
    before stays published, and the next call goes on.
    """
    for kind in kinds:
        if kind not in PUBLISHERS:
            raise UsageError(f"nothing publishes to a {kind}", hint=f"there are: {', '.join(PUBLISHERS)}")
    if not order.prefixes:
        raise UsageError(f"{order.folder} holds no installed tree", hint="`lode release STACK` makes one")
    return tuple(PUBLISHERS[kind](order) for kind in kinds or wanted(order.lock))


def trees(folder: Path, targets: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the prefixes of a release folder, of all its targets or of `targets`; UsageError when one is missing."""
    found = {
        path.parent.name: path for path in sorted(folder.glob(f"*/{reporting.PREFIX}")) if prefixes.is_prefix(path)
    }
    for target in targets:
        if target not in found:
            raise UsageError(
                f"{folder} holds no tree for {target}", hint=f"there are: {', '.join(found)}" if found else None
            )
    return tuple(found[target] for target in sorted(set(targets) or found))
