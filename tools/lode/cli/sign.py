"""`lode sign`: a signature beside a lock, prefix, release, bundle or trust policy."""

from __future__ import annotations

import datetime
import os
from typing import Any

import click

from lode.cli import secret
from lode.cli.common import Session, common, pipeline
from lode.cli.kinds import split
from lode.signing.claim import Claim, Kind
from lode.workflow import keys, signatures, signing, subjects
from lode.workflow.registry import reach
from lode.workflow.report import find_release


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[KIND] SUBJECT")
@click.option("--key", metavar="NAME|FILE|URI", help="What signs; default: the only key of `lode keys show`.")
@click.option("--stack", metavar="NAME@RELEASE", help="What a bundle belongs to.")
@click.option("--sequence", type=click.IntRange(1), metavar="N",
              help="Which try of the release this is; default: one more for other bytes of it.")  # fmt: skip
@click.option("--as", "reference", metavar="REGISTRY/REPOSITORY",
              help="What the images of a layout are to be called; default: the stack's name.")  # fmt: skip
@common
def command(
    session: Session,
    arguments: tuple[str, ...],
    key: str | None,
    stack: str | None,
    sequence: int | None,
    reference: str | None,
) -> None:
    """Sign SUBJECT; the signature is written to a file of its own, SUBJECT.dsse.

    SUBJECT is a lode.lock, a prefix, a release folder or the name of a released stack, an image layout or an image
    in a registry, a trust.yaml, or any other file (a bundle). Of a release everything is signed: lock, prefixes,
    what is known of them (SBOM, provenance, tests), images, index. What an image's signature needs is put beside
    the image, in the forms that cosign, skopeo and podman read. KIND says what SUBJECT is where its name does not.
    A second key's signature is added to the first one's. The key's password is taken from LODE_KEY_PASSWORD, or
    asked for on a terminal.

    With --key sigstore: the pipeline that runs this signs by its identity, without a key, at the Sigstore instance of
    the trust policy here. A pipeline that the policy names does so by itself where there is no key.

    \b
    Examples:
      lode sign stacks/dance/2026.11/lode.lock
      lode sign dance@2026.11
      lode sign trust.yaml --key root
      lode sign dance.tar --stack dance@2026.11 --key hsm:2
      lode sign dance@2026.11 --key sigstore:
    """  # noqa: D301 - \b is click's
    given, name = split(arguments)
    kind = given or subjects.kind_of(name, session.places.releases)
    now = datetime.datetime.now(datetime.UTC)
    if kind in (Kind.RELEASE, Kind.IMAGE):
        signer = keys.opened(session.places.keys, key, secret.secret, pipeline(session))
        opened = signing.opener(reach(session.places, os.environ))
        signed = (
            signing.sign_release(find_release(session.places.releases, name), [signer], now=now, sequence=sequence)
            if kind is Kind.RELEASE
            else signing.sign_images(name, [signer], now=now, sequence=sequence, reference=reference, open_store=opened)
        )
        session.emit(signed.document(), "\n".join(_lines(signed)))
        return
    subject = subjects.subject_of(kind, name, session.places.releases)
    claim = signatures.read_claim(subject, stack=stack, now=now)
    signer = keys.opened(session.places.keys, key, secret.secret, pipeline(session))
    made = signatures.sign(subject, claim, signer, sequence=sequence)
    text = [
        f"signed the {made.claim.kind} {name}",
        *_what(made.claim),
        f"  signature    {made.file}",
        *(f"  key          {fingerprint}" for fingerprint in made.keys),
    ]
    session.emit(_document(made, subject.digests), "\n".join(text))


def _lines(signed: signing.SignedRelease) -> list[str]:
    lines = [f"signed {signed.folder}"] if signed.folder else ["signed"]
    for each in signed.signatures:
        what = f"{each.claim.kind} {each.claim.target}".strip()
        lines.append(f"  {what}: {each.file}")
    for image in signed.images:
        said = len(image.attached)
        lines.append(
            f"  image {image.reference}: {said} statement{'' if said == 1 else 's'}, {image.written} new objects"
        )
    return lines


def _what(claim: Claim) -> list[str]:
    if claim.kind is Kind.POLICY:
        return [f"  policy       {claim.stack} ({claim.sequence})"]
    return [f"  release      {claim.stack}@{claim.release} ({claim.sequence})"]


def _document(made: signatures.Signed, digests: Any) -> dict[str, Any]:
    return {
        "kind": made.claim.kind.value,
        "stack": made.claim.stack,
        "release": made.claim.release,
        "target": made.claim.target,
        "sequence": made.claim.sequence,
        "digests": dict(digests),
        "signature": str(made.file),
        "keys": list(made.keys),
    }
