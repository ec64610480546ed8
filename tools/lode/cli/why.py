"""`lode why`: the chains of requests that bring a package into a stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.locking.explain import Explanation, Link, why
from lode.locking.graph import Lock
from lode.workflow.lock import lock_of
from lode.yamldoc import meant


@click.command()
@click.argument("stack")
@click.argument("package")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many chains.")
@common
def command(session: Session, stack: str, package: str, limit: int) -> None:
    """Say why PACKAGE is in STACK (a reference or a lock file): each chain of requests from the stack to it."""
    catalogue = Catalogue.open(session.collections, here=session.here)
    lock = lock_of(catalogue, stack)
    found = why(lock, package, limit=limit)
    if not found.chains:
        known = {tool.package for node in lock.nodes for tool in node.externals} | {node.package for node in lock.nodes}
        hint = meant(package, known) or f"`lode lock {lock.stack} --check --json` lists what is"
        raise UsageError(f"{package} is not in {lock.stack}@{lock.release}", hint=hint)
    session.emit(_document(found), "\n".join(_lines(found, lock)))


def _lines(found: Explanation, lock: Lock) -> Iterator[str]:
    everywhere = tuple(target.definition.name for target in lock.targets)
    for chain in found.chains:
        yield " → ".join(["stack", *(_link(link, everywhere) for link in chain)])
    if found.more:
        yield f"and more than these {len(found.chains)}; --limit shows them"


def _link(link: Link, everywhere: tuple[str, ...]) -> str:
    notes = [*(str(kind) for kind in link.kinds)]
    if link.targets != everywhere:
        notes.append("on " + ", ".join(link.targets))
    chosen = link.version or "the OS's"
    told = f"{link.request} ({', '.join(notes)})" if notes else link.request
    return f"{told} = {chosen}"


def _document(found: Explanation) -> dict[str, Any]:
    return {
        "package": found.package,
        "more": found.more,
        "chains": [
            [
                {
                    "asker": link.asker,
                    "request": link.request,
                    "kinds": [str(kind) for kind in link.kinds],
                    "targets": list(link.targets),
                    "package": link.package,
                    "version": link.version,
                }
                for link in chain
            ]
            for chain in found.chains
        ],
    }
