"""`lode check`: every fault of definitions, with file, line, column and a hint."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.definitions import folders
from lode.definitions.catalogue import Catalogue
from lode.errors import DefinitionError, Fault
from lode.workflow.check import CheckReport, check


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@common
def command(session: Session, path: Path | None) -> None:
    """Name every fault of the recipes, stacks, targets and the trust policy at or below PATH.

    Without PATH, those of the collection that the current folder is in, or else of the shipped one. Looks at each file
    by itself (keys, versions, hashes, conditions), at the files it names, and at what it says of others: packages that
    nobody provides, versions and options that do not exist, circles. Exits with 3 when there are faults; warnings
    alone are no fault.

    \b
    Examples:
      lode check                              the collection here
      lode check recipes/nest                 one recipe
      lode check stacks/dance/2026.11         one stack
      lode check --json | jq '.faults[].file'
    """  # noqa: D301 - \b is click's
    own = folders.nearest(path.resolve()) if path is not None else None
    catalogue = Catalogue.open((*([own] if own else []), *session.collections), here=session.here)
    report = check(catalogue, path, today=datetime.datetime.now(datetime.UTC).date())
    session.emit(_document(report), _text(report))
    if report.errors:
        click.get_current_context().exit(DefinitionError.status)


def _document(report: CheckReport) -> dict[str, object]:
    return {
        "recipes": report.recipes,
        "stacks": report.stacks,
        "targets": report.targets,
        "policies": report.policies,
        "repositories": report.repositories,
        "errors": report.errors,
        "warnings": len(report.faults) - report.errors,
        "faults": [
            {
                "message": fault.message,
                "hint": fault.hint,
                "warning": fault.warning,
                "file": fault.place.file if fault.place else None,
                "line": fault.place.line if fault.place else None,
                "column": fault.place.column if fault.place else None,
            }
            for fault in report.faults
        ],
    }


def _text(report: CheckReport) -> str:
    lines = [_shown(fault) for fault in report.faults]
    counts = [(report.recipes, "recipe"), (report.stacks, "stack"), (report.targets, "target")]
    looked = ", ".join(f"{number} {word if number == 1 else word + 's'}" for number, word in counts)
    looked += ", the trust policy" if report.policies else ""
    count = report.repositories
    looked += f", {count} {'repository' if count == 1 else 'repositories'}" if count else ""
    warnings = len(report.faults) - report.errors
    errors = f"{report.errors or 'no'} fault{'' if report.errors == 1 else 's'}"
    also = f" and {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    return "\n".join([*lines, f"{errors}{also} in {looked}"])


def _shown(fault: Fault) -> str:
    head, *rest = str(fault).split("\n")
    return "\n".join([click.style(head, fg="yellow" if fault.warning else "red"), *rest])
