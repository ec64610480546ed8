"""`lode verify`: is this what was signed, by those who may?"""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.cli.kinds import split
from lode.definitions import folders
from lode.definitions.trust import TrustPolicy, sole
from lode.errors import Fault, HostError, UsageError
from lode.signing.claim import Kind
from lode.signing.keys import PublicKey, load_public
from lode.workflow import subjects, trust
from lode.workflow.registry import reach
from lode.workflow.signing import opener
from lode.workflow.trust import Request, Verified

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[KIND] SUBJECT")
@click.option("--policy", "policy_file", type=_FILE, metavar="FILE",
              help="The trust policy; default: trust.yaml of the collection here.")  # fmt: skip
@click.option("--root", type=_FILE, metavar="FILE", help="The public key that the policy itself must be signed by.")
@click.option("--key", type=_FILE, metavar="FILE", help="A public key to trust for everything, instead of a policy.")
@click.option("--signature", type=_FILE, metavar="FILE", help="Where the signature is; default: beside SUBJECT.")
@click.option("--cvmfs-key", type=_FILE, metavar="FILE",
              help="The public key of the repository; default: where clients and Lode keep it.")  # fmt: skip
@click.option("--share", type=click.FloatRange(0, 1), default=1.0, metavar="PART",
              help="Of a tree in CVMFS, read this part of the files, chosen anew each time; default: all.")  # fmt: skip
@click.option("--tree", is_flag=True,
              help="Of an image, unpack the layers too, and compare the tree in them with its inventory.")  # fmt: skip
@click.option("--stack", metavar="NAME[@RELEASE]", help="Accept it only as this stack, or this release of it.")
@common
def command(
    session: Session,
    arguments: tuple[str, ...],
    policy_file: Path | None,
    root: Path | None,
    key: Path | None,
    signature: Path | None,
    cvmfs_key: Path | None,
    share: float,
    tree: bool,
    stack: str | None,
) -> None:
    """Verify SUBJECT against its signature and a trust policy; no network is needed but to read what lies elsewhere.

    SUBJECT is a lode.lock, a prefix, a release folder or the name of a released stack, an image layout (DIR or
    DIR:TAG), an image in a registry, a trust.yaml, a tree where CVMFS is mounted, the URL of one or of a whole
    repository, or any other file. KIND says what it is where its name does not. Everything that was signed is read.
    Exits with 9 when the bytes are not those that were signed, with 13 when the policy does not accept who signed
    them or when, and in any doubt with one of the two.

    \b
    Examples:
      lode verify stacks/dance/2026.11/lode.lock
      lode verify /cvmfs/dance.example.org/dance/2026.11/el9-x86_64 --signature prefix.dsse --share 0.1
      lode verify https://s1.example.org/cvmfs/dance.example.org/dance/2026.11/el9-x86_64 --signature prefix.dsse
      lode verify dance@2026.11 --policy trust.yaml --root root.pub
      lode verify image registry.example.org/dance:2026.11 --policy trust.yaml
      lode verify bundle dance.tar --key release.pub --stack dance@2026.12
    """  # noqa: D301 - \b is click's
    given, name = split(arguments)
    today = datetime.datetime.now(datetime.UTC).date()
    kind = given or subjects.kind_of(name, session.places.releases)
    if kind not in trust.VERIFIERS:
        raise UsageError(f"this Lode cannot verify the kind {kind}")
    wanted, _, release = (stack or "").partition("@")
    request = Request(
        kind=kind,
        subject=name,
        policy=_policy(session, policy_file, root, key, today),
        today=today,
        progress=session.progress(),
        releases=session.places.releases,
        jobs=len(os.sched_getaffinity(0)),
        open_store=opener(reach(session.places, os.environ)) if kind is Kind.IMAGE else None,
        signature=signature,
        stack=wanted or None,
        release=release or None,
        share=share,
        tree=tree,
        cvmfs_key=cvmfs_key,
        keys=session.places.keys,
    )
    emit(session, trust.VERIFIERS[kind](request))


def emit(session: Session, found: Verified) -> None:
    """Print what was verified."""
    claim, accepted = found.accepted.claim, found.accepted
    document = {
        "verified": True,
        "kind": found.kind.value,
        "subject": found.name,
        "digests": dict(found.digests),
        "stack": claim.stack,
        "release": claim.release,
        "target": claim.target,
        "group": claim.group,
        "sequence": claim.sequence,
        "signed": claim.signed,
        "signers": list(accepted.signers),
        "checked": list(found.checked),
        "warnings": [_warning(warning) for warning in accepted.warnings],
    }
    what = f"{claim.stack}@{claim.release}" if claim.release else claim.stack
    lines = [
        f"verified: {found.name} is the {found.kind} of {what} ({claim.sequence})",
        f"  signed by  {', '.join(accepted.signers)}, {claim.signed}",
        *(f"  looked at  {each}" for each in found.checked),
        *(click.style(str(warning), fg="yellow") for warning in accepted.warnings),
    ]
    session.emit(document, "\n".join(lines))


def _policy(
    session: Session, file: Path | None, root: Path | None, key: Path | None, today: datetime.date
) -> TrustPolicy:
    if key is not None:
        if file is not None or root is not None:
            raise UsageError("--key takes the place of a policy", hint="give --policy and --root, or --key")
        return sole(_public(key))
    if file is None:
        collection = folders.nearest(session.here)
        file = collection / folders.TRUST_FILE if collection else None
    if file is None or not file.exists():
        hint = "name one with --policy, or a public key with --key"
        raise UsageError(f"there is no trust policy {file or 'here'}".rstrip(), hint=hint)
    return trust.load_policy(file, root=_public(root) if root else None, today=today)


def _public(file: Path) -> PublicKey:
    try:
        return load_public(file.read_bytes(), str(file))
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}") from error


def _warning(fault: Fault) -> dict[str, object]:
    place = {"file": fault.place.file, "line": fault.place.line, "column": fault.place.column} if fault.place else {}
    return {"message": fault.message, "hint": fault.hint, **place}
