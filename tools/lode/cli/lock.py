"""`lode lock`: choose versions for a stack and write its lock, or check that the committed one is up to date."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import Fault, LockError, Place, UsageError
from lode.locking.update import Update
from lode.workflow.lock import Relock, relock, write

if TYPE_CHECKING:
    from lode.locking.compare import Comparison


@click.command()
@click.argument("stack")
@click.option("--update", "packages", multiple=True, metavar="PACKAGE",
              help="Take the newest possible version of this package. Repeatable.")  # fmt: skip
@click.option("--update-all", is_flag=True, help="Choose everything anew.")
@click.option("--check", is_flag=True, help="Write nothing; exit with status 5 when the lock is out of date.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the lock here instead of beside the stack.")  # fmt: skip
@common
def command(
    session: Session, stack: str, packages: tuple[str, ...], update_all: bool, check: bool, output: Path | None
) -> None:
    """Choose versions for STACK (`name` or `name@release`) on all its targets and write its lock.

    What the lock chose before is kept unless something forces a change or --update asks for one; what changed is
    printed with the rule behind it.
    """
    if check and (packages or update_all or output):
        raise UsageError("--check goes with no other option", hint="it says whether `lode lock` would change anything")
    update = Update(packages=tuple(sorted(set(packages))), everything=update_all)
    catalogue = Catalogue.open(session.collections, here=session.here)
    if not check and output is None:
        _refuse_foreign(catalogue, stack)
    with _keeping_all():
        made = relock(catalogue, stack, update=update, path=output)
        differences = _differences(made)
        place = catalogue.shown(output or made.path)
        if check:
            _refuse_old(made, differences, place, stack)
        elif made.changed or (output is not None and output != made.path):
            write(made.lock, output or made.path, shown=place)
    session.emit(_document(made, differences, place), "\n".join(_lines(made, differences, place)))


def _refuse_foreign(catalogue: Catalogue, reference: str) -> None:
    """Raise UsageError when the stack is not of the collection that the user works in: its lock is its keeper's."""
    stack = catalogue.stack(reference)
    its = catalogue.behind(stack.name, stack.release)
    if its is not catalogue:
        raise UsageError(
            f"{stack.name}@{stack.release} is a stack of the collection {its.collections[0].name}, not of this one",
            place=stack.place,
            hint="write a lock elsewhere with -o FILE, or go to that collection to change its own",
        )


def _differences(made: Relock) -> Comparison | None:
    if made.previous is None:
        return None
    from lode.locking.compare import compare

    return compare(made.previous, made.lock, why=made.why)


@contextmanager
def _keeping_all() -> Iterator[None]:
    """Hold back the search for cyclic rubbish: what a lock is made of lives to its end, and looking costs a sixth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _refuse_old(made: Relock, differences: Comparison | None, place: str, stack: str) -> None:
    """Raise LockError unless the committed lock is what would be written now."""
    if made.unread is not None:
        raise made.unread
    hint = f"`lode lock {stack}` brings it up to date"
    if differences is None:
        raise LockError("there is no lock yet", place=Place(file=place), hint=hint)
    if made.changed:
        first = Fault(message="the lock is out of date", place=Place(file=place), hint=hint)
        raise LockError.of([first, *(Fault(message=line) for line in differences.lines())])


def _lines(made: Relock, differences: Comparison | None, place: str) -> list[str]:
    lock = made.lock
    targets = ", ".join(target.definition.name for target in lock.targets)
    size = f"{len(lock.nodes)} nodes on {targets}"
    if made.unread is not None:
        kept = "its versions are kept" if made.salvaged else "its versions are lost, all are chosen anew"
        lines = [f"the lock that was there could not be used: {made.unread.faults[0].message}; {kept}"]
        return [*lines, f"wrote {place}: {size}"]
    if differences is None:
        return [*(f"+ {node.package} {node.version}" for node in lock.nodes), f"wrote {place}: {size}"]
    if not made.changed:
        return [f"{place} is up to date: {size}"]
    return [*differences.lines(), f"wrote {place}: {size}, {len(differences.changes)} changed"]


def _document(made: Relock, differences: Comparison | None, place: str) -> dict[str, Any]:
    from lode.cli.diff import document

    lock = made.lock
    return {
        "stack": lock.stack,
        "release": lock.release,
        "file": place,
        "digest": lock.digest,
        "changed": made.changed,
        "targets": [target.definition.name for target in lock.targets],
        "nodes": {node.package: node.version for node in lock.nodes},
        "differences": document(differences) if differences is not None else None,
    }
