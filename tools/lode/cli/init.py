"""`lode init`: the repository of a new experiment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.definitions import folders
from lode.definitions.catalogue import Catalogue
from lode.definitions.target import Target
from lode.errors import UsageError
from lode.workflow import host, init
from lode.workflow.keys import stored


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--experiment", metavar="NAME", help="Name of the experiment and its stack; default: the folder's.")
@click.option("--target", "target_name", metavar="TARGET", help="First target of the stack; default: this machine's.")
@common
def command(session: Session, folder: Path, experiment: str | None, target_name: str | None) -> None:
    """Start the repository of an experiment in FOLDER (default: here).

    It holds a stack, a C++ package with its recipe and test, a trust policy that accepts your signing keys, and CI:
    about 100 lines in all. Nothing that is already there is overwritten.
    """
    target = _target(Catalogue.open(session.collections, here=session.here), target_name)
    today = datetime.now(UTC).date()
    name = experiment or (session.here / folder).resolve().name
    keys = [(key.name, key.public.pem) for key in stored(session.places.keys)]
    lode = init.published(folders.shipped())
    files = init.experiment(name, release=f"{today:%Y.%m}", date=today.isoformat(), target=target, keys=keys, lode=lode)
    init.create(files, session.here / folder)
    written = [str(folder / path) for path in sorted(files.files)]
    steps = [*([f"cd {folder}"] if folder != Path() else []), "lode check", f"lode lock {name}", f"lode release {name}"]
    text = "\n".join(["wrote", *(f"  {path}" for path in written), "next", *(f"  {step}" for step in steps)])
    if lode is None:
        text += "\nthen say in .github/workflows/lode.yml where Lode is: OWNER, and the COMMIT that you have looked at"
    session.emit({"experiment": name, "files": written}, text)


def _target(catalogue: Catalogue, name: str | None) -> Target:
    """Return the target asked for, else this machine's; UsageError when no target is for this machine."""
    if name is not None:
        return catalogue.target(name)
    names = catalogue.target_names()
    target = host.fitting([catalogue.target(each) for each in names], host.this_os())
    if target is None:
        hint = f"choose one with --target: {', '.join(names)}"
        raise UsageError("no target is for this machine's operating system", hint=hint)
    return target
