"""`lode build --builder spack`: its options, and how its report is printed."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lode.cli.common import Session
from lode.errors import UsageError
from lode.progress import duration, size

if TYPE_CHECKING:
    from lode.definitions.catalogue import Catalogue
    from lode.locking.graph import Lock
    from lode.workflow.spack import Choice, SpackReport


def asking_spack(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the command with the options for Spack, which it gets as `spack`, a mapping."""

    @click.option("--spack-packages", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
                  help="With Spack: a checkout of spack-packages; default: $LODE_SPACK_PACKAGES.")  # fmt: skip
    @click.option("--any-spack", is_flag=True, help="With Spack: take one of another commit than the stack pins.")
    @click.option("--spack-tests", is_flag=True, help="With Spack: run the recipes' tests as Spack's, too.")
    @click.option("--push-cache", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
                  help="With Spack: put what was built into this build cache, signed.")  # fmt: skip
    @click.option("--cache-key", metavar="KEY", help="With --push-cache: the GPG key; default: the only one there is.")
    @functools.wraps(function)
    def command(
        *words: Any,
        spack_packages: Path | None,
        any_spack: bool,
        spack_tests: bool,
        push_cache: Path | None,
        cache_key: str | None,
        **named: Any,
    ) -> Any:
        asked = {"packages": spack_packages, "any_spack": any_spack, "tests": spack_tests, "cache": push_cache,
                 "key": cache_key}  # fmt: skip
        if named["builder"] != "spack" and any(asked.values()):
            raise UsageError("these options are for Spack", hint="add --builder spack")
        return function(*words, spack=asked, **named)

    return command


def build_with_spack(session: Session, lock: Lock, catalogue: Catalogue, target: str, choice: Choice) -> None:
    """Build `lock` on `target`, and print the report."""
    from lode.workflow.spack import build

    report = build(
        lock,
        catalogue,
        target,
        places=session.places,
        choice=choice,
        environ=os.environ,
        progress=session.progress(),
    )
    session.emit(document(report), "\n".join(table(report)))


def document(report: SpackReport) -> dict[str, Any]:
    """Return the report as --json prints it."""
    return {
        "stack": report.stack,
        "release": report.release,
        "target": report.target,
        "builder": "spack",
        "spack": report.spack,
        "seal": report.seal,
        "seal_reason": report.seal_reason,
        "wall_s": round(report.wall_s, 3),
        "folder": str(report.folder),
        "spack_lock": report.spack_lock,
        "tree": str(report.tree),
        "prefix": report.prefix,
        "nodes": [
            {
                "package": node.package,
                "version": node.version,
                "spack_hash": node.spack_hash,
                "path": str(node.path),
                "inventory": node.inventory,
                "size_bytes": node.size_bytes,
            }
            for node in report.nodes
        ],
    }


def table(report: SpackReport) -> Iterator[str]:
    """Yield a line for each node, and where all is."""
    widths = [max(len(text) for text in column) for column in
              zip(*((node.package, node.version) for node in report.nodes), strict=True)]  # fmt: skip
    for node in report.nodes:
        name, version = node.package.ljust(widths[0]), node.version.ljust(widths[1])
        yield f"{name}  {version}  /{node.spack_hash[:7]}  {size(node.size_bytes)}"
    yield (
        f"{report.stack}@{report.release} on {report.target}: {len(report.nodes)} nodes by Spack {report.spack} "
        f"in {duration(report.wall_s)}, as the lock has them"
    )
    yield f"tree: {report.tree} (used at {report.prefix}); spack.lock and record: {report.folder}"
