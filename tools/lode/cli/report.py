"""`lode report`: a release's page, written again from its folder."""

from __future__ import annotations

import click

from lode.cli.common import Session, common


@click.command()
@click.argument("release", metavar="STACK|FOLDER")
@common
def command(session: Session, release: str) -> None:
    """Write the report page and the index of a release again from what lies in its folder.

    STACK is a name (its newest release) or NAME@RELEASE; FOLDER is a release folder, wherever it was copied. A release
    that is signed is left as it is.
    """
    from lode.workflow.report import find_release, rewrite_report

    page = rewrite_report(find_release(session.places.releases, release))
    session.emit({"report": str(page), "index": str(page.with_name("index.json"))}, str(page))
