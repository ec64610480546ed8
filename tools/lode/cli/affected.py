"""`lode affected`: which nodes, stacks and experiments a change touches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from lode.building.history import History
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.progress import duration
from lode.workflow.affected import Affected, AffectedStack, affected
from lode.workflow.pipeline import TIMES


@click.command()
@click.option("--since", required=True, metavar="REF", help="The commit to compare with: a branch, a tag, a hash.")
@click.option("--markdown", is_flag=True, help="Print a report for a pull request.")
@common
def command(session: Session, since: str, markdown: bool) -> None:
    """Name the nodes that a change of recipes, stacks or targets rebuilds, and the stacks that have them.

    The repository's files as they are now, committed or not, are compared with those of REF. With --collection, the
    stacks of experiments that lie elsewhere are looked at too. A comment rebuilds nothing.

    \b
    Examples:
      lode affected --since main
      lode affected --since v2026.11 --collection ../my-experiment --json
      lode affected --since "$BASE" --markdown >>"$GITHUB_STEP_SUMMARY"
    """  # noqa: D301 - \b is click's
    recorded = session.here / TIMES
    history = History(recorded if recorded.is_file() else session.places.cache / "times.jsonl")
    found = affected(
        Catalogue.open(session.collections, here=session.here), since, here=session.here, times=history.times()
    )
    session.emit(document(found), "\n".join(_markdown(found) if markdown else _lines(found, session.verbosity > 0)))


def document(found: Affected) -> dict[str, Any]:
    """Return what is touched as --json prints it."""
    return {
        "since": found.since,
        "files": found.files,
        "recipes": list(found.recipes),
        "unused": list(found.unused),
        "removed": list(found.removed),
        "stacks": [
            {
                "stack": one.stack,
                "release": one.release,
                "new": one.new,
                "current": one.current,
                "cpu_s": round(one.cpu_s, 1),
                "nodes": [{"package": package, "target": target} for package, target in one.rebuilt],
                "changes": list(one.comparison.lines()),
                "problem": [fault.message for fault in one.problem.faults] if one.problem else None,
            }
            for one in found.stacks
        ],
    }


def _lines(found: Affected, every: bool) -> Iterator[str]:
    if not found.stacks and not found.removed:
        yield f"nothing is rebuilt by what changed since {found.since[:12]} ({found.files} files)"
    for one in found.stacks:
        yield _head(one)
        if one.problem:
            yield from (f"  {line}" for line in str(one.problem).splitlines())
        shown = one.comparison.lines()
        yield from (f"  {line}" for line in (shown if every else shown[:20]))
        if len(shown) > 20 and not every:
            yield f"  … and {len(shown) - 20} more (-v shows all)"
        if not one.current and not one.problem:
            yield f"  the committed lock is not what the definitions say: `lode lock {one.stack}@{one.release}`"
    yield from (f"{name} is gone" for name in found.removed)
    if found.unused:
        yield f"in no stack: {', '.join(found.unused)}"


def _head(one: AffectedStack) -> str:
    name = f"{one.stack}@{one.release}"
    if one.problem:
        return f"{name} cannot be locked any more"
    count = len(one.rebuilt)
    work = (
        f"{count} node{'' if count == 1 else 's'} to build, about {duration(one.cpu_s)} of CPU"
        if count
        else "no rebuild"
    )
    return f"{name}{' is new' if one.new else ''}: {work}"


def _markdown(found: Affected) -> Iterator[str]:
    yield f"### What this change rebuilds (since `{found.since[:12]}`)"
    yield ""
    if not found.stacks and not found.removed:
        yield "Nothing."
        return
    yield "| stack | nodes to build | CPU time, about | lock |"
    yield "|---|---|---|---|"
    for one in found.stacks:
        state = "**cannot be locked**" if one.problem else "current" if one.current else "**out of date**"
        new = " (new)" if one.new else ""
        yield f"| {one.stack}@{one.release}{new} | {len(one.rebuilt)} | {duration(one.cpu_s)} | {state} |"
    yield from (f"| {name} | gone | | |" for name in found.removed)
    for one in found.stacks:
        lines = str(one.problem).splitlines() if one.problem else list(one.comparison.lines())
        if lines:
            yield ""
            yield f"<details><summary>{one.stack}@{one.release}</summary>"
            yield ""
            yield from (f"    {_escaped(line)}" for line in lines)
            yield ""
            yield "</details>"
    if found.unused:
        yield ""
        yield f"In no stack: {', '.join(f'`{name}`' for name in found.unused)}"


def _escaped(text: str) -> str:
    """Return `text` for a block of code that is indented, in which nothing is markup but the end of a line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
