"""`lode list`: what there is."""

from __future__ import annotations

from collections.abc import Sequence

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.workflow import browse

_LISTS = {"recipes": browse.recipes, "stacks": browse.stacks, "targets": browse.targets}


@click.command()
@click.argument("kind", type=click.Choice([*_LISTS, "versions"]), default="recipes")
@click.argument("package", required=False)
@common
def command(session: Session, kind: str, package: str | None) -> None:
    """List recipes (the default), stacks, targets, or the versions of PACKAGE.

    \b
    Examples:
      lode list
      lode list stacks
      lode list versions hdf5
    """  # noqa: D301 - \b is click's
    catalogue = Catalogue.open(session.collections, here=session.here)
    if kind == "versions":
        _versions(session, catalogue, package)
        return
    if package is not None:
        raise UsageError(f"`lode list {kind}` takes no name", hint=f"`lode show {package}` shows one of them")
    lines = _LISTS[kind](catalogue)
    session.emit([document(line) for line in lines], table(lines) or f"no {kind}")


def _versions(session: Session, catalogue: Catalogue, package: str | None) -> None:
    if package is None:
        raise UsageError("`lode list versions` needs the name of a package", hint="lode list versions hdf5")
    recipe = catalogue.recipe(package)
    rows = [{"version": one.version.text, "deprecated": one.deprecated} for one in recipe.versions]
    text = "\n".join(
        one.version.text + (f"  deprecated: {one.deprecated}" if one.deprecated else "") for one in recipe.versions
    )
    session.emit(rows, text)


def document(line: browse.Line) -> dict[str, object]:
    """Return `line` for machines."""
    return {
        "name": line.name,
        "version": line.version,
        "summary": line.summary,
        "tags": list(line.tags),
        "faulty": line.faulty,
    }


def table(lines: Sequence[browse.Line]) -> str:
    """Return `lines` in columns, "" when there are none."""
    name_width = max((len(line.name) for line in lines), default=0)
    version_width = max((len(line.version) for line in lines), default=0)
    rows = []
    for line in lines:
        said = click.style("has faults: `lode check` names them", fg="red") if line.faulty else line.summary
        name = click.style(f"{line.name:<{name_width}}", bold=True)
        rows.append(f"{name}  {line.version:<{version_width}}  {said}")
    return "\n".join(rows)
