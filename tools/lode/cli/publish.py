"""`lode publish`: a release to the places that its stack names."""

from __future__ import annotations

import datetime
import os

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue


@click.command()
@click.argument("stack")
@click.option("--to", "kinds", multiple=True, metavar="KIND", help="Only here: cvmfs, registry. Repeatable.")
@click.option("--target", "targets", multiple=True, metavar="TARGET", help="Only this target. Repeatable.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@common
def command(session: Session, stack: str, kinds: tuple[str, ...], targets: tuple[str, ...], jobs: int | None) -> None:
    """Publish the release of STACK, all its targets, to the places that `publish:` in its file names.

    STACK is NAME[@RELEASE] or a release folder. What is published already is left as it is.

    \b
    Examples:
      lode publish dance-mini
      lode publish dance-mini@2026.11 --to cvmfs --target debian12-x86_64
    """  # noqa: D301 - \b is click's
    from lode.workflow import publish as publishing
    from lode.workflow.report import find_release, read_lock

    folder = find_release(session.places.releases, stack)
    done = publishing.publish(
        publishing.Order(
            catalogue=Catalogue.open(session.collections, here=session.here),
            lock=read_lock(folder),
            folder=folder,
            prefixes=publishing.trees(folder, targets),
            places=session.places,
            now=datetime.datetime.now(datetime.UTC),
            jobs=jobs or len(os.sched_getaffinity(0)),
            progress=session.progress(),
            environ=os.environ,
        ),
        kinds,
    )
    document = [
        {"kind": one.kind, "destination": one.destination, "digest": one.digest, "new": one.new, **one.document}
        for one in done
    ]
    session.emit(document, "\n".join(line for one in done for line in one.lines))
