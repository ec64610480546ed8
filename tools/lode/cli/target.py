"""`lode target`: the operating systems that stacks are built for, and the systems that they are built in."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.sourcing.access import Access
from lode.workflow import seals
from lode.workflow import target as targets
from lode.workflow.target import Made, State, Update

if TYPE_CHECKING:
    from lode.workflow.system_image import SystemImage


@click.group()
def command() -> None:
    """Make the systems that a stack is built and tested in, one builder and one runtime for each target.

    A target's file says which packages it asks for, its lock beside it which exact ones it is made of. Systems lie in
    the cache and are the same wherever they are made.

    \b
    Examples:
      lode target list
      lode target build debian13-x86_64
      lode target update debian12-x86_64 && git diff containers/targets
    """  # noqa: D301 - \b is click's


@command.command(name="list")
@common
def list_(session: Session) -> None:
    """List the targets: what they are, until when they are supported, what this machine can build them in."""
    today = datetime.datetime.now(datetime.UTC).date()
    catalogue = _catalogue(session)
    found = targets.states(catalogue, places=session.places, environ=os.environ, today=today)
    session.emit([_state(each) for each in found], "\n".join(_rows(found)))
    for fault in targets.ending([each.target for each in found], today):
        click.echo(click.style(str(fault), fg="yellow"), err=True)


@command.command()
@click.argument("target")
@common
def show(session: Session, target: str) -> None:
    """Show one target, its systems here, and what can hold its builds."""
    from lode.cli import cards

    today = datetime.datetime.now(datetime.UTC).date()
    site = seals.Site(cache=session.places.cache, environ=os.environ)
    found = targets.state(_catalogue(session), target, site=site, today=today)
    session.emit(_state(found), "\n".join([cards.target(found.target), *_here(found)]))
    for fault in targets.ending([found.target], today):
        click.echo(click.style(str(fault), fg="yellow"), err=True)


@command.command()
@click.argument("target", nargs=-1, required=True)
@click.option("--again", is_flag=True, help="Make systems that are there too, to see that they come out the same.")
@click.option(
    "--image", "as_image", is_flag=True, help="Also write each as an OCI image, in a layout beside its files."
)
@click.option("--offline", is_flag=True, help="Fetch nothing; OS packages must be in the mirror.")
@asking
@common
def build(
    session: Session, target: tuple[str, ...], again: bool, as_image: bool, offline: bool, access: Access
) -> None:
    """Make the builder and the runtime of each TARGET from the packages in its lock, unless they are there.

    What comes out is compared with what the target says: compiler, C and C++ libraries, tools. A Debian suite needs
    mmdebstrap; a base image needs a container engine and its registry.
    """
    catalogue = _catalogue(session)
    made: dict[str, tuple[Made, ...]] = {}
    for name in target:
        made[name] = targets.build(
            catalogue,
            name,
            places=session.places,
            environ=os.environ,
            access=access,
            offline=offline,
            again=again,
            progress=session.progress(),
        )
    all_made = [each for pair in made.values() for each in pair]
    images = {each.root.folder: _image(catalogue, each) for each in all_made} if as_image else {}
    session.emit(
        [_made(each, images.get(each.root.folder)) for each in all_made],
        "\n".join(line for each in all_made for line in _made_lines(each, images.get(each.root.folder))),
    )


@command.command()
@click.argument("target", nargs=-1)
@click.option("--mirror", metavar="URL", help="Take the suite from this mirror of Debian's archive.")
@common
def update(session: Session, target: tuple[str, ...], mirror: str | None) -> None:
    """Choose each TARGET's exact OS packages as its archive has them today, and write them beside it.

    Nothing is built. Node hashes stay: they cover the versions that the target itself states.
    """
    catalogue = _catalogue(session)
    if not target:
        raise UsageError("lode target update needs a target", hint=f"they are: {', '.join(catalogue.target_names())}")
    done = [
        targets.update(catalogue, name, mirror=mirror, environ=os.environ, progress=session.progress())
        for name in target
    ]
    session.emit([_update(each) for each in done], "\n".join(line for each in done for line in _told(catalogue, each)))


def _catalogue(session: Session) -> Catalogue:
    return Catalogue.open(session.collections, here=session.here)


def _state(state: State) -> dict[str, Any]:
    target = state.target
    return {
        "name": target.name,
        "os": target.os,
        "os_version": target.os_version,
        "arch": target.arch,
        "base": target.base.image or target.base.suite,
        "compiler": f"{target.compiler.name} {target.compiler.version}",
        "glibc": target.glibc,
        "libstdcxx": target.libstdcxx,
        "end_of_life": target.end_of_life,
        "ends_in_days": state.ends_in_days,
        "locked_packages": state.locked,
        "systems": {
            role: {"folder": str(root.folder), "inventory": root.inventory} for role, root in state.systems.items()
        },
        "seal": state.seal,
    }


def _rows(states: tuple[State, ...]) -> Iterator[str]:
    rows = [("target", "compiler", "glibc", "supported until", "packages", "systems here", "builds held by")]
    for state in states:
        target = state.target
        rows.append(
            (
                target.name,
                f"{target.compiler.name} {target.compiler.version}",
                target.glibc,
                target.end_of_life or "",
                f"{state.locked} locked" if state.locked else "not locked",
                ", ".join(sorted(state.systems)) or "none",
                state.seal or "nothing here",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _here(state: State) -> Iterator[str]:
    yield ""
    yield f"builds here are held by  {state.seal or 'nothing: `lode target build` makes its systems'}"
    for role, root in sorted(state.systems.items()):
        yield f"{role:<8} {root.inventory}  {root.packages} packages  {root.folder}"


def _image(catalogue: Catalogue, made: Made) -> SystemImage:
    from lode.workflow import system_image

    return system_image.write(made.root, catalogue.target(made.root.target))


def _made(made: Made, image: SystemImage | None) -> dict[str, Any]:
    root = made.root
    written = {} if image is None else {"layout": str(image.layout), "digest": f"sha256:{image.digest}"}
    return {
        **written,
        "target": root.target,
        "role": root.role,
        "made": made.new,
        "inventory": root.inventory,
        "packages": root.packages,
        "folder": str(root.folder),
        "image": root.image,
    }


def _made_lines(made: Made, image: SystemImage | None) -> Iterator[str]:
    root = made.root
    told = "made" if made.new else "was there"
    yield f"{root.target} {root.role:<8} {root.inventory}  {root.packages} packages, {told}"
    if image is not None:
        yield f"  sha256:{image.digest}  {image.layout}:{root.role}"


def _update(update: Update) -> dict[str, Any]:
    return {
        "target": update.target,
        "file": str(update.path),
        "packages": update.packages,
        "changes": list(update.changes),
    }


def _told(catalogue: Catalogue, update: Update) -> Iterator[str]:
    yield f"{catalogue.shown(update.path)}: {update.packages} packages, {len(update.changes) or 'none'} changed"
    yield from (f"  {change}" for change in update.changes)
