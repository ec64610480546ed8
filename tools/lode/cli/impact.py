"""`lode impact`: what a bump of a package rebuilds, who forbids it, and who has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from lode.building.history import History
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.progress import duration
from lode.workflow.impact import Impact, StackImpact, impact
from lode.workflow.pipeline import TIMES


@click.command()
@click.argument("package", metavar="PACKAGE[@VERSION]")
@common
def command(session: Session, package: str) -> None:
    """Say what changing PACKAGE, or moving it to VERSION, does to every stack that has it.

    With --collection, the stacks of experiments that lie elsewhere are looked at too. A version that the recipe does
    not have yet is held against the constraints of all that use the package.

    \b
    Examples:
      lode impact zlib
      lode impact hdf5@2.0.0 --collection ../my-experiment
    """  # noqa: D301 - \b is click's
    name, _, version = package.partition("@")
    recorded = session.here / TIMES
    history = History(recorded if recorded.is_file() else session.places.cache / "times.jsonl")
    found = impact(Catalogue.open(session.collections, here=session.here), name, version or None, times=history.times())
    session.emit(document(found), "\n".join(_lines(found)))


def document(found: Impact) -> dict[str, Any]:
    """Return the impact as --json prints it."""
    return {
        "package": found.package,
        "version": found.version,
        "known": found.known,
        "unread": list(found.unread),
        "stacks": [
            {
                "stack": one.stack,
                "release": one.release,
                "extends": one.extends,
                "version": one.version,
                "cpu_s": round(one.cpu_s, 1),
                "nodes": [{"package": package, "target": target} for package, target in one.rebuilt],
                "forbidden": list(one.forbidden),
                "changes": list(one.comparison.lines()) if one.comparison else [],
                "problem": [fault.message for fault in one.problem.faults] if one.problem else None,
            }
            for one in found.stacks
        ],
    }


def _lines(found: Impact) -> Iterator[str]:
    if not found.stacks:
        yield f"no stack has {found.package}"
    if found.version and not found.known:
        yield f"the recipe of {found.package} has no version {found.version} yet: held against the constraints only"
    for one in found.stacks:
        yield from _stack(one, found)
    if found.unread:
        yield f"not looked at, having no lock that can be read: {', '.join(found.unread)}"


def _stack(one: StackImpact, found: Impact) -> Iterator[str]:
    count = len(one.rebuilt)
    work = f"{count} node{'' if count == 1 else 's'} to build, about {duration(one.cpu_s)} of CPU"
    overlay = f", an overlay of {one.extends}," if one.extends else ""
    yield f"{one.stack}@{one.release}{overlay} has {found.package} {one.version}: {work}"
    yield from (f"  forbidden: {text}" for text in one.forbidden)
    if one.problem:
        yield from (f"  {line}" for line in str(one.problem).splitlines())
    elif one.comparison is not None:
        yield from (f"  {line}" for line in one.comparison.lines())
    else:
        packages = sorted({package for package, _ in one.rebuilt})
        yield f"  {', '.join(packages)}"
