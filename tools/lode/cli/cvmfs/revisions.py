"""Going between revisions: what changed, names, the way back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.cli.cvmfs import shared
from lode.cli.cvmfs.shared import placed

DIFFERENT = 1  # as `diff` says it


@click.command()
@click.argument("fqrn")
@click.argument("old", default="trunk-previous")
@click.argument("new", default="trunk")
@placed
@common
@click.pass_context
def diff(
    context: click.Context,
    session: Session,
    fqrn: str,
    old: str,
    new: str,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Name the paths that differ between two tags; by default what the last publication changed.

    Exits with status 0 when there are none and 1 when there are.
    """
    from lode.inventory import printable
    from lode.publishing.cvmfs import revisions, stratum

    there = shared.desk(session, fqrn, key_folder, folder).stratum()
    head = stratum.read(there)
    left, right = revisions.find(head, old), revisions.find(head, new)
    changes = [
        (change.kind, printable(change.path.decode("utf-8", "surrogateescape")))
        for change in revisions.diff(there.storage, left.root, right.root)
    ]
    document = [{"change": kind, "path": path} for kind, path in changes]
    session.emit(document, "\n".join(f"{kind:<8} {path}" for kind, path in changes) or f"{old} and {new} are the same")
    if changes:
        context.exit(DIFFERENT)


@click.command()
@click.argument("fqrn")
@click.argument("name", required=False)
@click.option("-m", "--message", default="", help="What the tag is for.")
@click.option("-d", "--delete", is_flag=True, help="Remove the tag.")
@click.option("-f", "--force", is_flag=True, help="Move the tag when it exists.")
@placed
@common
def tag(
    session: Session,
    fqrn: str,
    name: str | None,
    message: str,
    delete: bool,
    force: bool,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Name the present revision NAME; without NAME, list the tags. What a tag names is never removed."""
    from lode.publishing.cvmfs import publish as publishing
    from lode.publishing.cvmfs import revisions, stratum

    work = shared.desk(session, fqrn, key_folder, folder)
    there = work.stratum()
    if name is not None and delete:
        revisions.untag(there, work.signing(), name, now=shared.now())
    elif name is not None:
        publishing.require_tag(name)
        revisions.tag(there, work.signing(), name, message, now=shared.now(), force=force)
    tags = stratum.read(there).tags
    lines = [
        f"{one.name:<24} {one.revision:>6}  {shared.moment(one.time)}  {one.root}  {one.description}".rstrip()
        for one in tags
    ]
    session.emit([asdict(one) for one in tags], "\n".join(lines))


@click.command()
@click.argument("fqrn")
@click.argument("name", metavar="TAG", default="trunk-previous")
@placed
@common
def rollback(session: Session, fqrn: str, name: str, key_folder: Path | None, folder: Path | None) -> None:
    """Return to TAG, by default to the revision before: a new revision that holds what it held."""
    from lode.publishing.cvmfs import revisions

    work = shared.desk(session, fqrn, key_folder, folder)
    made = revisions.rollback(work.stratum(), work.signing(), name, now=shared.now())
    session.emit(asdict(made), f"{fqrn} is at revision {made.revision}, which holds what {name} did")
