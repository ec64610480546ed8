"""`lode render`: a stack as files of another package manager, and whether such files still say what the lock says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.rendering import RENDERERS
from lode.workflow.render import Rendered, check, render


@click.command()
@click.argument("stack")
@click.option("--to", required=True, type=click.Choice(list(RENDERERS)), help="The package manager to write for.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where the files go; one folder for each package manager.")  # fmt: skip
@click.option("--target", "targets", multiple=True, metavar="TARGET", help="Only for this target. Repeatable.")
@click.option("--check", "checking", is_flag=True,
              help="Write nothing; exit with status 9 when the folder says anything else than the lock.")  # fmt: skip
@common
def command(session: Session, stack: str, to: str, output: Path, targets: tuple[str, ...], checking: bool) -> None:
    """Write the lock of STACK as plain files of another package manager, with which it can be built without Lode.

    Everything is pinned as in the lock. What the other side cannot say just as exactly is listed, and kept in
    lode-rendering.json beside the files. --check reads files back in their own format and names every node, version,
    source, patch or dependency that is not as the lock has it.
    """
    work = check if checking else render
    made = work(Catalogue.open(session.collections, here=session.here), stack, to=to, folder=output, targets=targets)
    session.emit(document(made), "\n".join(lines(made, checked=checking, all_of_them=session.verbosity > 0)))


def document(made: Rendered) -> dict[str, Any]:
    """Return what was rendered as --json prints it."""
    return {
        "renderer": made.renderer,
        "stack": made.lock.stack,
        "release": made.lock.release,
        "lock": made.lock.digest,
        "targets": list(made.targets),
        "folder": str(made.folder),
        "files": [str(path) for path in made.files],
        "removed": [str(path) for path in made.removed],
        "weakenings": [{"package": one.package, "what": one.what} for one in made.weakenings],
    }


def lines(made: Rendered, *, checked: bool, all_of_them: bool) -> Iterator[str]:
    """Yield the lines that say what was written, and what it says less exactly than the lock."""
    what = f"{made.lock.stack}@{made.lock.release} for {made.renderer} ({', '.join(made.targets)})"
    if checked:
        yield f"{made.folder} says what the lock says: {what}"
    else:
        gone = f", {len(made.removed)} old ones removed" if made.removed else ""
        yield f"{made.folder}: {what}, {len(made.files)} files{gone}"
    if all_of_them:
        yield from (f"  {path}" for path in made.files)
    if made.weakenings:
        yield "said less exactly than in the lock:"
        yield from (f"  {one}" for one in made.weakenings)
