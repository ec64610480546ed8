"""`lode matrix`: stack by target by test on one page, the physics numbers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.errors import TestFailure
from lode.testing import page
from lode.testing.matrix import Matrix, document
from lode.testing.results import Outcome, TestResult
from lode.workflow import matrix


@click.command()
@click.argument("stacks", nargs=-1, required=True, metavar="STACK…")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Write matrix.html and matrix.json there; default: the folder of the one release.")  # fmt: skip
@common
def command(session: Session, stacks: tuple[str, ...], output: Path | None) -> None:
    """Show the tests of each STACK on all targets that it was released for here, side by side.

    STACK is a name (its newest release), NAME@RELEASE, or a release folder. Nothing is run. Exits with 8 when a test
    failed or a number differs between targets.

    \b
    Examples:
      lode matrix dance-mini
      lode matrix dance daq -o public/
    """  # noqa: D301 - \b is click's
    found = matrix.collect(session.places, stacks)
    folder = output
    if folder is None and len(stacks) == 1:
        from lode.workflow.report import find_release

        folder = find_release(session.places.releases, stacks[0])
    written = matrix.write(found, folder) if folder is not None else None
    lines = [line for each in found for line in _lines(each)]
    session.emit([document(each) for each in found], "\n".join([*lines, *([str(written)] if written else [])]))
    if not all(each.agrees for each in found):
        click.get_current_context().exit(TestFailure.status)


def _lines(found: Matrix) -> Iterator[str]:
    yield f"{found.stack}@{found.release}: {'all targets agree' if found.agrees else 'targets differ, or tests failed'}"
    rows: list[Sequence[str]] = [("number", *found.targets, "reference", "spread")]
    for row in found.numbers:
        values = [page.number(row.values[target].value) if target in row.values else "" for target in found.targets]
        spread = "–" if row.spread is None else f"{row.spread:.2g}"
        rows.append((row.name, *values, page.number(row.reference), spread + (" differs" if row.differs else "")))
    failed = [
        (f"{row.package or 'stack'}: {row.name}", *(_outcome(row.results.get(target)) for target in found.targets))
        for row in found.tests
        if any(result.outcome is Outcome.FAILED for result in row.results.values())
    ]
    for table in (rows if found.numbers else [], failed):
        widths = [max(len(str(cell)) for cell in column) for column in zip(*table, strict=True)]
        yield from (
            "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        )


def _outcome(result: TestResult | None) -> str:
    return "" if result is None else result.outcome.value
