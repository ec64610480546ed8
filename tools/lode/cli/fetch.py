"""`lode fetch`: a stack's sources, by hash, into a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.progress import size
from lode.sourcing.access import Access
from lode.sourcing.fetch import Fetched, FetchReport, Outcome
from lode.workflow.fetch import fetch_stack


@click.command()
@click.argument("stack")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="MIRROR",
              help="The mirror to fill; default: your own, where `lode build` looks.")  # fmt: skip
@click.option("--target", "targets", multiple=True, metavar="TARGET", help="Only for this target. Repeatable.")
@click.option("--package", "packages", multiple=True, metavar="PACKAGE", help="Only for this package. Repeatable.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="How many at once.")
@click.option("--offline", is_flag=True, help="Ask nothing from the network; list what is missing.")
@asking
@common
def command(
    session: Session,
    stack: str,
    output: Path | None,
    targets: tuple[str, ...],
    packages: tuple[str, ...],
    jobs: int,
    offline: bool,
    access: Access,
) -> None:
    """Fetch the sources of STACK into the mirror, each checked against the sha256 in its lock.

    Places are asked in this order: the mirrors given, those that the recipe names, Software Heritage. An interrupted
    download goes on where it was.
    """
    report = fetch_stack(
        Catalogue.open(session.collections, here=session.here),
        stack,
        mirror=(output or session.places.mirror).absolute(),
        targets=targets,
        packages=packages or None,
        progress=session.progress(),
        jobs=jobs,
        offline=offline,
        access=access,
    )
    session.emit(document(report), "\n".join(table(report)))


def document(report: FetchReport) -> dict[str, Any]:
    """Return the report as --json prints it."""
    return {
        "mirror": str(report.mirror),
        "fetched_bytes": report.fetched_bytes,
        "files": [
            {
                "packages": list(file.packages),
                "file": file.source.filename,
                "sha256": file.source.sha256,
                "path": str(file.path),
                "size": file.size,
                "outcome": str(file.outcome),
                "place": file.place,
            }
            for file in report.files
        ],
    }


def table(report: FetchReport) -> Iterator[str]:
    """Yield the lines that say what came and what was there, and their sum."""
    rows = [(_packages(file), file.source.filename, size(file.size), str(file.outcome)) for file in report.files]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for packages, name, length, outcome in rows:
        yield f"{packages:<{widths[0]}}  {name:<{widths[1]}}  {length:>{widths[2]}}  {outcome}"
    fetched = sum(file.outcome is Outcome.FETCHED for file in report.files)
    yield (
        f"{fetched} fetched ({size(report.fetched_bytes)}), {len(report.files) - fetched} were there; "
        f"mirror: {report.mirror}"
    )


def _packages(file: Fetched) -> str:
    return ", ".join(file.packages)
