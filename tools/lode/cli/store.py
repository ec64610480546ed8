"""`lode store`: the signed index of a store of built packages."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from lode.building.cache import Cache, Store
from lode.cli import secret
from lode.cli.common import Session, common, pipeline
from lode.cli.sharing import addressed, governed, opened, policy
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.workflow import keys, store_index
from lode.workflow.lock import locked


@click.group()
def command() -> None:
    """Say by a signature what the packages in a store are, and whether they are that.

    Others build with `--store URL --store-policy trust.yaml`: what no accepted index lists is built, not taken.
    """


@command.command()
@click.argument("stack")
@click.option("--key", metavar="NAME|FILE|URI", help="What signs; default: the only key of `lode keys show`.")
@addressed
@common
def sign(session: Session, stack: str, key: str | None, address: str | None) -> None:
    """Sign an index of what the store has of STACK, as far as this machine's cache has the same.

    Each call that finds something new writes a further index, which takes the place of the one before.

    \b
    Examples:
      lode store sign dance@2026.11 --store s3://dance-cache/lode --key release
    """  # noqa: D301 - \b is click's
    lock = locked(Catalogue.open(session.collections, here=session.here), stack)
    cache = Cache(session.places.cache)
    signer = keys.opened(session.places.keys, key, secret.secret, pipeline(session))
    made = store_index.sign(lock, cache, _store(address), signer, now=datetime.datetime.now(datetime.UTC))
    document: dict[str, Any] = {
        "stack": lock.stack,
        "release": lock.release,
        "sequence": made.claim.sequence,
        "key": made.key,
        "nodes": made.nodes,
        "fresh": made.fresh,
        "written": made.written,
    }
    what = f"{lock.stack}@{lock.release} ({made.claim.sequence})"
    text = [
        f"signed the index of {what}" if made.written else f"the index of {what} says it already",
        f"  nodes        {made.nodes}, {made.fresh} of them new",
        f"  in the store {made.key}",
    ]
    session.emit(document, "\n".join(text))


@command.command()
@click.argument("stack")
@addressed
@governed
@common
def verify(session: Session, stack: str, address: str | None, policy_file: Path | None) -> None:
    """Read every package of STACK that the store's index lists, and say whether it is the one that was signed.

    Exits with 9 when something is not, with 13 when the policy does not accept who signed, or an old index is offered.

    \b
    Examples:
      lode store verify dance@2026.11 --store https://cache.example.org/lode --store-policy trust.yaml
    """  # noqa: D301 - \b is click's
    if policy_file is None:
        raise UsageError("whose signature counts?", hint="name a trust policy with --store-policy")
    lock = locked(Catalogue.open(session.collections, here=session.here), stack)
    found = store_index.check(
        _store(address),
        lock,
        policy(policy_file),
        seen=Path(session.places.cache, store_index.SEEN),
        today=datetime.datetime.now(datetime.UTC).date(),
        progress=session.progress(),
    )
    claim = found.accepted.claim
    document: dict[str, Any] = {
        "stack": claim.stack,
        "release": claim.release,
        "sequence": claim.sequence,
        "signers": list(found.accepted.signers),
        "nodes": found.nodes,
        "bytes": found.size,
    }
    text = [
        f"the store's packages of {claim.stack}@{claim.release} ({claim.sequence}) are those that were signed",
        f"  nodes        {found.nodes}, {found.size / 1e6:.1f} MB",
        f"  signed by    {', '.join(found.accepted.signers)}",
    ]
    session.emit(document, "\n".join(text))


def _store(address: str | None) -> Store:
    if not address:
        raise UsageError("which store?", hint="name it with --store, or in LODE_STORE")
    return opened(address)
