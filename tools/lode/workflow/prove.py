"""Verifying what was published to CVMFS: a tree where it is mounted or served, or a whole repository."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path

from lode import scratch
from lode.errors import HostError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.publishing.cvmfs import check, keys, manifest, proof
from lode.publishing.cvmfs.proof import Depth, Proved
from lode.publishing.cvmfs.storage import Folder, Reader
from lode.signing.claim import Kind
from lode.signing.envelope import SUFFIX
from lode.verifying.verify import Accepted
from lode.workflow import report as releases
from lode.workflow.subjects import Subject
from lode.workflow.trust import Request, Verified

ETC = Path("/etc/cvmfs/keys")  # where clients keep public keys


def verify_cvmfs(request: Request) -> Verified:
    """Return the acceptance of a tree or a repository; VerificationError, TrustError with the reason.

    A tree, at a mount point or at a URL, is compared with its inventory, whose digest must be the one that was signed
    as its prefix. A repository, a folder or a URL, is checked whole from its public key on, which must be signed as
    CVMFS. What a server gives is proved by the repository's public key besides.
    """
    path = Path(request.subject)
    if request.subject.startswith(("http://", "https://")):
        from lode.publishing.cvmfs.web import Web, split

        url, name, mount = split(request.subject)
        web = Web(url)
        try:
            if mount is None:
                return _repository(request, web, name)
            return _served(request, web, name, mount)
        finally:
            web.close()
    if prefixes.is_prefix(path):
        return _mounted(request, path)
    folder = Folder(path)
    content = folder.read(manifest.KEY)
    if content is None:
        raise UsageError(
            f"{request.subject} is no tree and no repository",
            hint="name the folder /cvmfs/<fqrn>/<stack>/<release>/<target>, the one that is served, or a URL",
        )
    return _repository(request, folder, manifest.load(content).name)


def _mounted(request: Request, path: Path) -> Verified:
    prefix = prefixes.read(path)
    accepted = _accept(request, prefix.inventory, (prefix.stack, prefix.release, prefix.target))
    made = proof.mounted(path, path / prefixes.INVENTORY, depth=_depth(request), progress=request.progress)
    return _verified(request, {"sha256": prefix.inventory}, accepted, made)


def _served(request: Request, reader: Reader, name: str, mount: str) -> Verified:
    file = _public_key(request, name)
    public = keys.load_public(file.read_bytes(), str(file))
    with scratch.folder("verify") as folder:
        made, digest = proof.served(
            reader,
            name,
            public,
            mount,
            prefixes.INVENTORY,
            depth=_depth(request),
            progress=request.progress,
            scratch=folder,
        )
    stack, release, target = mount.strip("/").split("/")
    accepted = _accept(request, digest, (stack, release, target))
    return _verified(request, {"sha256": digest}, accepted, made, f"the chain from {file} to every file read")


def _accept(request: Request, digest: str, place: tuple[str, str, str]) -> Accepted:
    """Return what the tree of an inventory is accepted as, which must be what its place says."""
    stack, release, target = place
    beside = request.releases / stack / release / target / f"{releases.PREFIX}{SUFFIX}"
    subject = Subject(
        kind=Kind.PREFIX,
        name=request.subject,
        path=Path(request.subject),
        signature=beside,
        digests={"sha256": digest},
    )
    accepted = request.accept(subject)
    claim = accepted.claim
    for what, signed, found in (
        ("stack", claim.stack, stack),
        ("release", claim.release, release),
        ("target", claim.target, target),
    ):
        if signed != found:
            raise VerificationError(f"{request.subject} was signed as {what} {signed!r}; it lies at that of {found!r}")
    return accepted


def _verified(request: Request, digests: dict[str, str], accepted: Accepted, made: Proved, *more: str) -> Verified:
    what = "every byte of all" if made.whole else "every byte of"
    return Verified(
        kind=request.kind,
        name=request.subject,
        digests=digests,
        accepted=accepted,
        checked=(f"{made.entries:,} entries", f"{what} {made.files:,} files, {made.size / 1e6:,.1f} MB", *more),
    )


def _repository(request: Request, reader: Reader, name: str) -> Verified:
    file = _public_key(request, name)
    content = file.read_bytes()
    subject = Subject(
        kind=Kind.CVMFS,
        name=name,
        path=file,
        signature=file.with_name(file.name + SUFFIX),
        digests={"sha256": hashlib.sha256(content).hexdigest()},
    )
    accepted = request.accept(subject)
    if accepted.claim.stack != name:
        raise VerificationError(f"{file} was signed as the key of {accepted.claim.stack}, not of {name}")
    now = datetime.datetime.combine(request.today, datetime.time(), datetime.UTC)
    public = keys.load_public(content, str(file))
    found = check.examine(reader, name, public, now=now, jobs=request.jobs, progress=request.progress)
    if found.faults:
        raise VerificationError("; ".join(found.faults[: proof.SHOWN]))
    checked = (
        f"revision {found.revision}, root {found.root}",
        f"{found.catalogs:,} catalogs, {found.entries:,} entries",
        f"every byte of {found.objects:,} objects, {found.stored_bytes / 1e6:,.1f} MB",
        *found.warnings,
    )
    return Verified(kind=Kind.CVMFS, name=name, digests=subject.digests, accepted=accepted, checked=checked)


def _public_key(request: Request, name: str) -> Path:
    """Return the file of the repository's public key; HostError when it is at none of the usual places."""
    places = list(_places(request, name))
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise HostError(
            f"the public key of {name} is at none of {', '.join(map(str, places))}",
            hint="name it with --cvmfs-key; `lode cvmfs client-config` gives it to sites",
        )
    return found


def _places(request: Request, name: str) -> Iterator[Path]:
    if request.cvmfs_key is not None:
        yield request.cvmfs_key
        return
    if request.keys is not None:
        yield request.keys / "cvmfs" / name / f"{name}.pub"
    yield ETC / name / f"{name}.pub"


def _depth(request: Request) -> Depth:
    return Depth(jobs=request.jobs, share=request.share)
