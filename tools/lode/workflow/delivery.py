"""What a tested release becomes: images, a revision of its CVMFS repository, and signatures over all of it.

Each part says why it was left out where this machine cannot make it: a release without images is still a release.
What was made before is not made again.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lode import tree
from lode.config import KEY_PASSWORD, Places
from lode.definitions.catalogue import Catalogue
from lode.errors import HostError, LockError, SourceError, UsageError
from lode.installing.prefix import Prefix
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.publishing.oci.attach import ImageSigner
from lode.signing.signers import Secret
from lode.workflow import keys
from lode.workflow.deliver import release_images
from lode.workflow.identities import Pipeline
from lode.workflow.image import Images, runtimes
from lode.workflow.publish import PASSPHRASE
from lode.workflow.report import DELIVERY
from lode.workflow.signing import SignedRelease, sign_release

PARTS = ("images", "cvmfs", "signatures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a release should become, and with what."""

    without: tuple[str, ...] = ()  # of `PARTS`
    key: str | None = None  # what signs; None: the user's only key, made on first use, or the pipeline's identity
    collection: Path | None = None  # whose trust policy says so
    secret: Secret = field(repr=False)  # asked for the key's password
    offline: bool = False
    jobs: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The state of the CVMFS repository that holds the release."""

    name: str
    revision: int
    root: str  # hash of the root catalog
    new: bool  # made by this run
    place: str  # of the repository's files: a folder, or a bucket
    public_key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a release became, and why a part was left out."""

    images: Images | None
    cvmfs: Revision | None
    left: Mapping[str, str]  # part to reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a release is delivered from."""

    catalogue: Catalogue
    lock: Lock
    folder: Path
    places: Places
    environ: Mapping[str, str]
    now: datetime.datetime
    progress: Progress
    wishes: Wishes


def deliver(desk: Desk, prefixes: Sequence[Prefix]) -> Delivery:
    """Return what the tested `prefixes` became; `delivery.json` says it too. `sign` comes after the report.

    A part that this machine cannot make is left out with the reason; PublicationError when publishing went wrong.
    """
    left: dict[str, str] = {}
    images = None if "images" in desk.wishes.without else _images(desk, prefixes, left)
    revision = None if "cvmfs" in desk.wishes.without else _cvmfs(desk, prefixes)
    for part, reason in left.items():
        desk.progress.note(f"no {part}: {reason}")
    made = Delivery(images=images, cvmfs=revision, left=left)
    tree.replace(desk.folder / DELIVERY, (json.dumps(_record(made), indent=2, sort_keys=True) + "\n").encode())
    return made


def sign(desk: Desk, left: Mapping[str, str]) -> tuple[SignedRelease | None, Mapping[str, str]]:
    """Return what was signed of the release folder, its report written, and `left` with the reason when nothing was.

    The first release of a user makes a key. The errors of the signer that was asked for by name.
    """
    if "signatures" in desk.wishes.without:
        return None, left
    try:
        signer = _signer(desk)
    except (UsageError, HostError) as error:
        if desk.wishes.key is not None:
            raise
        reason = error.faults[0].message
        desk.progress.note(f"no signatures: {reason}")
        return None, {**left, "signatures": reason}
    return sign_release(desk.folder, [signer], now=desk.now), left


def _images(desk: Desk, prefixes: Sequence[Prefix], left: dict[str, str]) -> Images | None:
    for prefix in prefixes:
        try:
            _make_runtime(desk, prefix.target)
        except (HostError, LockError, SourceError) as error:
            left["images"] = f"there is no runtime of {prefix.target} to put them on: {error.faults[0].message}"
            return None
    return release_images(
        desk.lock, prefixes, desk.folder, places=desk.places, jobs=desk.wishes.jobs, progress=desk.progress
    )


def _make_runtime(desk: Desk, target: str) -> None:
    """Make the runtime system of `target` unless it is there; HostError when this machine has not what that needs."""
    from lode.workflow import target as targets

    if target in runtimes(desk.places, [target]):
        return
    definition = desk.lock.target(target).definition
    if definition.base.suite is not None and (os.geteuid() != 0 or shutil.which("mmdebstrap") is None):
        raise HostError(f"`lode target build {target}` makes it, as root and with mmdebstrap")
    targets.build(
        desk.catalogue.behind(desk.lock.stack, desk.lock.release),
        target,
        places=desk.places,
        environ=desk.environ,
        access=None,
        offline=desk.wishes.offline,
        again=False,
        progress=desk.progress,
        roles=("runtime",),
    )


def _cvmfs(desk: Desk, prefixes: Sequence[Prefix]) -> Revision:
    from lode.workflow import cvmfs

    done = cvmfs.publish_release(
        desk.catalogue,
        [prefix.root for prefix in prefixes],
        places=desk.places,
        now=desk.now,
        jobs=desk.wishes.jobs,
        progress=desk.progress,
        passphrase=desk.environ.get(PASSPHRASE, "").encode() or None,
    )
    made = done.publication
    for text in made.warnings:
        desk.progress.note(f"warning: {made.name}: {text}")
    return Revision(
        name=made.name,
        revision=made.revision,
        root=made.root,
        new=made.new,
        place=done.place,
        public_key=done.public_key,
    )


def _signer(desk: Desk) -> ImageSigner:
    """Return what signs: a key without a password, or with the one in the environment, is not asked for it."""
    here = Pipeline(collection=desk.wishes.collection, environ=desk.environ)
    name = desk.wishes.key or (None if here.is_known else _usual_key(desk))
    if KEY_PASSWORD not in desk.environ:
        try:
            return keys.opened(desk.places.keys, name, lambda _: "", here)
        except HostError:
            pass
    return keys.opened(desk.places.keys, name, desk.wishes.secret, here)


def _usual_key(desk: Desk) -> str | None:
    """Return the name of the key that signs when none is asked for, made now if the user has none."""
    if keys.stored(desk.places.keys):
        return None
    password = desk.environ.get(KEY_PASSWORD, "")
    made = keys.make(desk.places.keys, keys.USUAL, password.encode())
    kept = "" if password else ", which no password protects"
    desk.progress.note(f"made a signing key{kept}: {made.private}; its public half is {made.file}")
    return made.name


def _record(made: Delivery) -> dict[str, Any]:
    images = made.images.document() if made.images else {"images": [], "indexes": []}
    rows = [{key: one[key] for key in ("target", "group", "tag", "digest", "size")} for one in images["images"]]
    revision = made.cvmfs
    return {
        "images": rows,
        "indexes": images["indexes"],
        "cvmfs": revision and {"name": revision.name, "revision": revision.revision, "root": revision.root},
    }
