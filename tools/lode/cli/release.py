"""`lode release`: from a stack's definition to a folder with tested prefixes and a report, in one command."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import click

from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.cli.sharing import Sharing, sharing
from lode.definitions.catalogue import Catalogue
from lode.sourcing.access import Access
from lode.workflow.build import BUILDERS, Plan
from lode.workflow.release import Release, ReleasedTarget, release


@click.command()
@click.argument("stack")
@click.option("--target", "targets", multiple=True, metavar="TARGET",
              help="Release for this target; default: the one that this machine is. Repeatable.")  # fmt: skip
@click.option("--builder", type=click.Choice(BUILDERS), default="rattler", show_default=True, help="What builds.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N",
              help="How many compilers or tests at once; default: the CPUs.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Make the release here; default: the user's folder for releases.")  # fmt: skip
@click.option("-k", "--keep-going", is_flag=True, help="After a failure, build what does not need the failed node.")
@click.option("--offline", is_flag=True, help="Fetch nothing; sources must be in the mirror.")
@click.option("--test-again", is_flag=True, help="Run the tests even if they have passed on this very tree.")
@asking
@sharing
@common
def command(
    session: Session,
    stack: str,
    targets: tuple[str, ...],
    builder: str,
    jobs: int | None,
    output: Path | None,
    keep_going: bool,
    offline: bool,
    test_again: bool,
    access: Access,
    shared: Sharing,
) -> None:
    """Release STACK: check its definitions and lock, fetch, build, install, test, and write the report.

    What is done already is not done again: a second call takes seconds, and a call after an interruption goes on
    where the first one was.

    \b
    Examples:
      lode release dance-mini
      lode release dance-mini@2026.11 -o /data/releases/mini -j 8
      lode release dance-mini --json | jq -r .report
    """  # noqa: D301 - \b is click's
    made = release(
        Catalogue.open(session.collections, here=session.here),
        stack,
        targets=targets,
        places=session.places,
        folder=output.absolute() if output else None,
        plan=Plan(
            jobs=jobs or len(os.sched_getaffinity(0)),
            keep_going=keep_going,
            offline=offline,
            builder=builder,
            access=access,
            store=shared.store,
            limit_s=shared.limit_s,
        ),
        environ=os.environ,
        now=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        progress=session.progress(),
        test_again=test_again,
    )
    session.emit(document(made), "\n".join(_lines(made, stack)))


def document(made: Release) -> dict[str, Any]:
    """Return the release as --json prints it."""
    return {
        "stack": made.stack,
        "release": made.release,
        "folder": str(made.folder),
        "lock": made.lock_digest,
        "report": str(made.report),
        "targets": [
            {
                "target": one.target,
                "nodes": one.nodes,
                "built": one.built,
                "prefix": str(one.prefix),
                "final_path": one.final_path,
                "inventory": one.inventory,
                "tests": dict(one.tests),
                "tested": one.tested,
            }
            for one in made.targets
        ],
    }


def _lines(made: Release, stack: str) -> list[str]:
    lines = [line for one in made.targets for line in _target(one)]
    lines += [
        f"report     {made.report}",
        f"use it     lode shell {stack}",
    ]
    return [f"{made.stack}@{made.release} is released", *(f"  {line}" for line in lines)]


def _target(one: ReleasedTarget) -> list[str]:
    tests = ", ".join(f"{count} {outcome}" for outcome, count in one.tests.items() if count) or "none"
    return [
        f"target     {one.target}",
        f"nodes      {one.nodes}, {one.built} built now",
        f"tests      {tests}{'' if one.tested else ' (before, on this very tree)'}",
        f"tree       {one.prefix}, for {one.final_path}",
        f"inventory  sha256:{one.inventory}",
    ]
