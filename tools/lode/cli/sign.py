"""`lode sign`: a signature beside a lock, prefix, release, bundle or trust policy."""

from __future__ import annotations

import datetime
from typing import Any

import click

from lode.cli import secret
from lode.cli.common import Session, common
from lode.cli.kinds import split
from lode.signing.claim import Claim, Kind
from lode.workflow import keys, trust


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[KIND] SUBJECT")
@click.option("--key", metavar="NAME|FILE|URI", help="What signs; default: the only key of `lode keys show`.")
@click.option("--stack", metavar="NAME@RELEASE", help="What a bundle belongs to.")
@click.option("--sequence", type=click.IntRange(1), metavar="N",
              help="Which try of the release this is; default: one more for other bytes of it.")  # fmt: skip
@common
def command(
    session: Session, arguments: tuple[str, ...], key: str | None, stack: str | None, sequence: int | None
) -> None:
    """Sign SUBJECT; the signature is written to a file of its own, SUBJECT.dsse.

    SUBJECT is a lode.lock, a prefix, a release folder or the name of a released stack, a trust.yaml, or any other
    file (a bundle). KIND says what it is where its name does not. A second key's signature is added to the first
    one's. The key's password is taken from LODE_KEY_PASSWORD, or asked for on a terminal.

    \b
    Examples:
      lode sign stacks/dance/2026.11/lode.lock
      lode sign dance@2026.11
      lode sign trust.yaml --key root
      lode sign dance.tar --stack dance@2026.11 --key hsm:2
    """  # noqa: D301 - \b is click's
    given, name = split(arguments)
    kind = given or trust.kind_of(name, session.places.releases)
    subject = trust.subject_of(kind, name, session.places.releases)
    claim = trust.read_claim(subject, stack=stack, now=datetime.datetime.now(datetime.UTC))
    signer = keys.opened(session.places.keys, key, secret.secret)
    made = trust.sign(subject, claim, signer, sequence=sequence)
    text = [
        f"signed the {made.claim.kind} {name}",
        *_what(made.claim),
        f"  signature    {made.file}",
        *(f"  key          {fingerprint}" for fingerprint in made.keys),
    ]
    session.emit(_document(made, subject.digests), "\n".join(text))


def _what(claim: Claim) -> list[str]:
    if claim.kind is Kind.POLICY:
        return [f"  policy       {claim.stack} ({claim.sequence})"]
    return [f"  release      {claim.stack}@{claim.release} ({claim.sequence})"]


def _document(made: trust.Signed, digests: Any) -> dict[str, Any]:
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
