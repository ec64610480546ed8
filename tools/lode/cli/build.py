"""`lode build`: the nodes of a stack, from source, into the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import click

from lode.building.schedule import Outcome
from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.cli.sharing import Sharing, sharing
from lode.cli.spack import asking_spack, build_with_spack
from lode.definitions.catalogue import Catalogue
from lode.progress import duration, size
from lode.sourcing.access import Access
from lode.workflow.build import BUILDERS, BuildReport, Plan, build, choose_target
from lode.workflow.lock import locked
from lode.workflow.seals import ASKED


@click.command()
@click.argument("stack")
@click.option("--target", metavar="TARGET", help="Build for this target; default: the one that this machine is.")
@click.option("--builder", type=click.Choice(BUILDERS), default="rattler", show_default=True, help="What builds.")
@click.option("--seal", type=click.Choice(ASKED), default="auto", show_default=True,
              help="What holds builds: a container, the target's root file system, or this host.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N",
              help="How many compilers at once, over all nodes; default: the CPUs.")  # fmt: skip
@click.option("--only", multiple=True, metavar="PACKAGE", help="Only this package and what it needs. Repeatable.")
@click.option("-k", "--keep-going", is_flag=True, help="After a failure, build what does not need the failed node.")
@click.option("--keep-work", is_flag=True, help="Leave the folders that nodes are built in.")
@click.option("--offline", is_flag=True, help="Fetch nothing; sources must be in the mirror.")
@asking_spack
@asking
@sharing
@common
def command(
    session: Session,
    stack: str,
    target: str | None,
    builder: str,
    seal: str,
    jobs: int | None,
    only: tuple[str, ...],
    keep_going: bool,
    keep_work: bool,
    offline: bool,
    access: Access,
    shared: Sharing,
    spack: Mapping[str, Any],
) -> None:
    """Build the nodes of STACK that are not in the cache, fetching their sources first.

    A build that was stopped, even killed, goes on where it was. Logs are in the cache's folder `logs`.
    """
    catalogue = Catalogue.open(session.collections, here=session.here)
    lock = locked(catalogue, stack)
    chosen = choose_target(lock, target)
    jobs = jobs or len(os.sched_getaffinity(0))
    if builder == "spack":
        from lode.workflow.spack import Choice

        choice = Choice(jobs=jobs, only=only, keep_work=keep_work, offline=offline, access=access, **spack)
        build_with_spack(session, lock, catalogue, chosen, choice)
        return
    report = build(
        lock,
        catalogue,
        chosen,
        places=session.places,
        plan=Plan(
            jobs=jobs,
            only=only,
            keep_going=keep_going,
            keep_work=keep_work,
            offline=offline,
            builder=builder,
            seal=seal,
            access=access,
            store=shared.store,
            store_policy=shared.policy,
            store_built=shared.built,
            limit_s=shared.limit_s,
        ),
        environ=os.environ,
        progress=session.progress(),
    )
    session.emit(document(report), "\n".join(table(report, every=session.verbosity > 0)))


def document(report: BuildReport) -> dict[str, Any]:
    """Return the report as --json prints it."""
    return {
        "stack": report.stack,
        "release": report.release,
        "target": report.target,
        "seal": report.seal,
        "seal_reason": report.seal_reason,
        "wall_s": round(report.wall_s, 3),
        "nodes": [
            {
                "package": result.package,
                "outcome": str(result.outcome),
                "wall_s": round(result.wall_s, 3),
                "version": result.artifact.version,
                "node_hash": result.artifact.node_hash,
                "file": str(result.artifact.path),
                "sha256": result.artifact.sha256,
                "inventory": result.artifact.inventory,
                "size_bytes": result.artifact.record.size_bytes,
                "cpu_s": result.artifact.record.cpu_s,
                "seal": result.artifact.record.seal,
            }
            for result in report.results
            if result.artifact is not None
        ],
    }


def table(report: BuildReport, *, every: bool) -> Iterator[str]:
    """Yield a line for each node that was built (`every`: and for those that were there), and their sum."""
    rows = [
        (
            result.package,
            result.artifact.version,
            str(result.outcome),
            duration(result.wall_s) if result.outcome is Outcome.BUILT else "",
            f"{result.artifact.record.cpu_s:.1f} s CPU" if result.outcome is Outcome.BUILT else "",
            size(result.artifact.record.size_bytes),
        )
        for result in report.results
        if result.artifact is not None and (every or result.outcome is Outcome.BUILT)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        yield "  ".join([*left, *right]).rstrip()
    built = sum(result.outcome is Outcome.BUILT for result in report.results)
    yield (
        f"{report.stack}@{report.release} on {report.target}: {built} built in {duration(report.wall_s)}, "
        f"{len(report.results) - built} were there"
    )
