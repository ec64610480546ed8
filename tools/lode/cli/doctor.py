"""`lode doctor`: whether this machine can build a stack, and what is missing."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.definitions.target import Target
from lode.errors import HostError, UsageError
from lode.workflow import doctor, host

_COLOURS = {doctor.Verdict.GOOD: "green", doctor.Verdict.NOTE: "yellow", doctor.Verdict.MISSING: "red"}


@click.command()
@click.argument("stack", required=False)
@click.option("--target", "target_name", metavar="TARGET", help="The target to build for; default: the one of this OS.")
@click.option("--install-deps", is_flag=True, help="Install the OS packages that are missing. Needs root.")
@common
def command(session: Session, stack: str | None, target_name: str | None, install_deps: bool) -> None:
    """Say whether this machine can build STACK (default: anything) and run it.

    Looks at the operating system, compiler, OS packages, sealing, folders, disk, memory, FUSE and proxy variables.
    Exits with 10 when something that a build needs is missing.
    """
    catalogue = Catalogue.open(session.collections, here=session.here)
    target = _target(catalogue, stack, target_name)
    places = session.places
    folders = {"cache": places.cache, "mirror": places.mirror, "releases": places.releases}
    machine = host.look(target, cache=places.cache, environ=os.environ, folders=folders)
    examination = doctor.examine(target, machine)
    if install_deps and examination.missing_packages:
        doctor.install(
            machine,
            examination.missing_packages,
            environ=os.environ,
            say=lambda line: click.echo(line, err=True),
        )
        examination = doctor.examine(target, host.look(target, cache=places.cache, environ=os.environ, folders=folders))
    document = {
        "good": examination.good,
        "target": examination.target,
        "missing_packages": list(examination.missing_packages),
        "checks": [asdict(check) for check in examination.checks],
    }
    session.emit(document, _table(examination))
    if not examination.good:
        click.get_current_context().exit(HostError.status)


def _target(catalogue: Catalogue, stack: str | None, name: str | None) -> Target | None:
    """Return the target asked for, else the one among the stack's (or all) that this machine has."""
    names = catalogue.stack(stack).targets if stack else catalogue.target_names()
    if name is not None:
        if stack and name not in names:
            raise UsageError(f"{stack} is not for {name}", hint=f"its targets: {', '.join(names)}")
        return catalogue.target(name)
    return host.fitting([catalogue.target(each) for each in names], host.this_os())


def _table(examination: doctor.Examination) -> str:
    width = max(len(check.name) for check in examination.checks)
    lines = []
    for check in examination.checks:
        verdict = click.style(f"{check.verdict:<7}", fg=_COLOURS[check.verdict])
        lines.append(f"{verdict}  {check.name:<{width}}  {check.found}")
        if check.hint:
            lines.append(f"{'':<{width + 11}}hint: {check.hint}")
    lines.append("this machine can build" if examination.good else "something that a build needs is missing")
    return "\n".join(lines)
