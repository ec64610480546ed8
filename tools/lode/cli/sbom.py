"""`lode sbom`: a stack's bill of materials, as CycloneDX or SPDX."""

from __future__ import annotations

from pathlib import Path

import click

from lode import tree
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.locking.graph import Lock
from lode.workflow.lock import lock_of


@click.command()
@click.argument("stack")
@click.option("--format", "form", type=click.Choice(("cyclonedx", "spdx")), default="cyclonedx", show_default=True,
              help="CycloneDX 1.6 or SPDX 2.3, both in JSON.")  # fmt: skip
@click.option("--target", metavar="TARGET", help="Of this target; needed when the stack has several.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write it here; default: standard output.")  # fmt: skip
@common
def command(session: Session, stack: str, form: str, target: str | None, output: Path | None) -> None:
    """Write the bill of materials of STACK (a reference or a lock file): every package with sources and licences.

    What is needed only for building is in it and marked. The same lock gives the same bytes. A release's bills, signed,
    lie in its folder.

    \b
    Examples:
      lode sbom dance-mini --target debian12-x86_64 > sbom.cdx.json
      lode sbom dance-mini@2026.11 --format spdx -o sbom.spdx.json
      lode sbom stacks/dance/2026.11/lode.lock --json | jq '.components[].purl'
    """  # noqa: D301 - \b is click's
    lock = lock_of(Catalogue.open(session.collections, here=session.here), stack)
    content = _made(lock, _target(lock, target), form)
    if output is None:
        click.echo(content.decode(), nl=False)
        return
    tree.replace(output, content)
    session.emit({"file": str(output), "format": form}, str(output))


def _made(lock: Lock, target: str, form: str) -> bytes:
    if form == "spdx":
        from lode.describing.spdx import spdx

        return spdx(lock, target)
    from lode.describing.sbom import cyclonedx

    return cyclonedx(lock, target)


def _target(lock: Lock, asked: str | None) -> str:
    names = [target.definition.name for target in lock.targets]
    if asked in names:
        return asked
    hint = f"choose one with --target: {', '.join(names)}"
    if asked is not None:
        raise UsageError(f"{lock.stack}@{lock.release} has no target {asked!r}", hint=hint)
    if len(names) > 1:
        raise UsageError(f"{lock.stack}@{lock.release} has several targets", hint=hint)
    return names[0]
