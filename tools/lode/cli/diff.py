"""`lode diff`: what differs between two locks, and the rules that forced it."""

from __future__ import annotations

from typing import Any

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.locking.compare import Comparison, compare
from lode.workflow.lock import lock_of

DIFFERENT = 1  # as `diff` says it


@click.command()
@click.argument("old")
@click.argument("new")
@common
@click.pass_context
def command(context: click.Context, session: Session, old: str, new: str) -> None:
    """Explain what differs between the locks OLD and NEW: stack references (`name@release`) or lock files.

    Exits with status 0 when they are the same and 1 when they differ.
    """
    catalogue = Catalogue.open(session.collections, here=session.here)
    differences = compare(lock_of(catalogue, old), lock_of(catalogue, new))
    session.emit(document(differences), "\n".join(differences.lines()) or "the locks are the same")
    if differences:
        context.exit(DIFFERENT)


def document(differences: Comparison) -> dict[str, Any]:
    """Return the differences as --json prints them."""
    return {
        "head": list(differences.head),
        "changes": [
            {
                "package": change.package,
                "turn": str(change.turn),
                "old": change.old,
                "new": change.new,
                "what": list(change.what),
                "rules": list(change.rules),
                "rebuilt": list(change.rebuilt),
            }
            for change in differences.changes
        ],
    }
