"""`lode release`: from a stack's definition to a folder with tested prefixes and a report, in one command."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import click

from lode.cli import secret
from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.cli.sharing import Sharing, sharing
from lode.definitions import folders
from lode.definitions.catalogue import Catalogue
from lode.sourcing.access import Access
from lode.workflow.build import BUILDERS, Plan
from lode.workflow.delivery import PARTS, Wishes
from lode.workflow.release import Release, ReleasedTarget, release


@click.command()
@click.argument("stack")
@click.option("--target", "targets", multiple=True, metavar="TARGET",
              help="Release for this target; default: all that this machine can build. Repeatable.")  # fmt: skip
@click.option("--builder", type=click.Choice(BUILDERS), default="rattler", show_default=True, help="What builds.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N",
              help="How many compilers or tests at once; default: the CPUs.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Make the release here; default: the user's folder for releases.")  # fmt: skip
@click.option("-k", "--keep-going", is_flag=True, help="After a failure, build what does not need the failed node.")
@click.option("--offline", is_flag=True, help="Fetch nothing; sources must be in the mirror.")
@click.option("--without", multiple=True, type=click.Choice(PARTS), help="Leave this out. Repeatable.")
@click.option("--key", metavar="NAME|FILE|URI", help="What signs; default: the only key of `lode keys show`.")
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
    without: tuple[str, ...],
    key: str | None,
    test_again: bool,
    access: Access,
    shared: Sharing,
) -> None:
    """Release STACK: check its definitions and lock, fetch, build, install, test, make images, publish, sign, report.

    Images lie in the release folder; the CVMFS repository is the one that a collection defines, else one of the user's
    own, made on first use; so is the key that signs, unless there is one. Nothing leaves this machine unless that
    repository is in a bucket: `lode publish` and `lode image --push` send it on. When a test fails, nothing is made of
    the trees.

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
            store_policy=shared.policy,
            store_built=shared.built,
            limit_s=shared.limit_s,
        ),
        environ=os.environ,
        now=datetime.datetime.now(datetime.UTC),
        wishes=Wishes(
            without=without,
            key=key,
            secret=secret.secret,
            collection=folders.nearest(session.here),
            offline=offline,
            jobs=jobs or len(os.sched_getaffinity(0)),
        ),
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
        "unable": dict(made.unable),
        "images": made.delivery.images.document() if made.delivery.images else None,
        "cvmfs": _revision(made),
        "signed": made.signed.document() if made.signed else None,
        "left": dict(made.delivery.left),
    }


def _revision(made: Release) -> dict[str, Any] | None:
    revision = made.delivery.cvmfs
    if revision is None:
        return None
    return {
        "name": revision.name,
        "revision": revision.revision,
        "root": revision.root,
        "new": revision.new,
        "place": revision.place,
        "public_key": str(revision.public_key),
    }


def _lines(made: Release, stack: str) -> list[str]:
    lines = [line for one in made.targets for line in _target(one)]
    if made.delivery.images:
        lines += [f"image      {one.tag} sha256:{one.manifest.digest}" for one in made.delivery.images.indexes]
        lines += [f"layout     {made.delivery.images.layout}"]
    if (revision := made.delivery.cvmfs) is not None:
        state = "" if revision.new else " (unchanged)"
        lines += [f"cvmfs      {revision.name} revision {revision.revision}{state}, root {revision.root}"]
        lines += [f"           {revision.place}, public key {revision.public_key}"]
    if made.signed:
        lines += [f"signed by  {', '.join(sorted({key for one in made.signed.signatures for key in one.keys}))}"]
    lines += [f"left out   {part}: {reason}" for part, reason in sorted(made.delivery.left.items())]
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
