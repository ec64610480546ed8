"""What is signed and verified: what each kind is made of on disk, and where its signature lies.

The signature of `X` is the file `X.dsse` beside it: of a lock, a bundle or a trust policy beside the file, of a prefix
beside its folder, of a release beside the `index.json` that lists its files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lode.errors import HostError, UsageError
from lode.installing import prefix as prefixes
from lode.signing import envelope as envelopes
from lode.signing.claim import Kind
from lode.signing.envelope import SUFFIX, Envelope
from lode.workflow import report as releases


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something on disk that is signed or verified: its bytes by digest, and the file that holds its signatures."""

    kind: Kind
    name: str  # for messages and the statement's subject
    path: Path
    signature: Path
    digests: Mapping[str, str]


def kind_of(subject: str, releases_folder: Path) -> Kind:
    """Return what `subject` is by its name and place; UsageError when nothing tells. Its content is not looked at."""
    path = Path(subject)
    if path.is_dir():
        if prefixes.is_prefix(path):
            return Kind.CVMFS if (path / ".cvmfscatalog").is_file() else Kind.PREFIX
        if (path / "oci-layout").is_file():
            return Kind.IMAGE
        if (path / releases.INDEX).is_file() or (path / releases.LOCK).is_file():
            return Kind.RELEASE
        if (path / ".cvmfspublished").is_file():
            return Kind.CVMFS
        raise UsageError(f"{subject} is no prefix, release folder, image layout or CVMFS repository")
    if path.is_file():
        if path.suffix == ".lock":
            return Kind.LOCK
        return Kind.POLICY if path.suffix in (".yaml", ".yml") else Kind.BUNDLE
    if subject.startswith(("http://", "https://")):
        return Kind.CVMFS
    if "/" in subject and not path.exists() and not subject.startswith((".", "/")):
        return Kind.IMAGE
    if ":" in subject and (Path(subject.rpartition(":")[0]) / "oci-layout").is_file():
        return Kind.IMAGE
    if any((releases_folder / subject.partition("@")[0]).glob(f"*/{releases.LOCK}")):
        return Kind.RELEASE
    hint = "a file, a folder or the name of a released stack; `image REF` for one in a registry"
    raise UsageError(f"there is no {subject} here", hint=hint)


def subject_of(kind: Kind, subject: str, releases_folder: Path) -> Subject:
    """Return the subject of `kind` that `subject` names, its bytes hashed; HostError when it cannot be read."""
    path = releases.find_release(releases_folder, subject) if kind is Kind.RELEASE else Path(subject)
    match kind:
        case Kind.PREFIX:
            found = path.resolve()
            inventory = prefixes.read(found).inventory
            beside = found.with_name(found.name + SUFFIX)
            return Subject(kind=kind, name=subject, path=path, signature=beside, digests={"sha256": inventory})
        case Kind.RELEASE:
            return file_subject(kind, str(path), path / releases.INDEX)
        case Kind.LOCK | Kind.BUNDLE | Kind.POLICY | Kind.CVMFS:
            if kind is Kind.CVMFS and path.suffix != ".pub":
                hint = f"such as ~/.config/lode/keys/cvmfs/<fqrn>/<fqrn>.pub; trees are signed as prefixes: {subject}"
                raise UsageError("of a CVMFS repository the public key is signed, <fqrn>.pub", hint=hint)
            return file_subject(kind, subject, path)
    raise UsageError(f"a subject of the kind {kind} lies in no file that can be signed alone")


def file_subject(kind: Kind, name: str, path: Path) -> Subject:
    """Return the file at `path` as a subject of `kind`, its bytes hashed; HostError when it cannot be read."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
    beside = path.with_name(path.name + SUFFIX)
    return Subject(kind=kind, name=name, path=path, signature=beside, digests={"sha256": sha256})


def read_envelope(file: Path) -> Envelope | None:
    """Return the envelope in `file`, None when there is none; VerificationError when it is damaged."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}") from error
    return envelopes.load(content, str(file))


def read(path: Path) -> bytes:
    """Return the content of a file; HostError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
