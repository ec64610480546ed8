"""`lode shell`: a shell or a command inside an installed stack."""

from __future__ import annotations

import os
import sys

import click

from lode.building.seal import best
from lode.cli.common import Session, common
from lode.installing.shell import start
from lode.workflow.prefix import find_prefix, open_prefix, usable


@click.command()
@click.argument("stack", metavar="STACK|PREFIX")
@click.argument("argv", nargs=-1, metavar="[-- CMD...]")
@click.option("--group", metavar="GROUP", help="Set the environment of this group's packages only.")
@click.option("--target", metavar="TARGET", help="Which prefix, when the stack is built for several targets.")
@common
def command(session: Session, stack: str, argv: tuple[str, ...], group: str | None, target: str | None) -> None:
    """Open a shell, or run CMD, inside an installed STACK or the PREFIX at a path.

    The stack is seen at the path it was made for, by this shell alone; nothing of yours is changed, and nothing is
    left behind. The exit status is that of CMD or of the shell.
    """
    prefix, lock = open_prefix(find_prefix(stack, session.places, target=target))
    seal = best()
    prefix = usable(prefix, lock, session.places, seal)
    begin = start(
        prefix,
        lock,
        group=group,
        command=argv,
        environ=os.environ,
        terminal=sys.stdin.isatty() and sys.stderr.isatty(),
        seal=seal,
        cwd=session.here,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(begin.program, begin.argv, dict(begin.environ))  # noqa: S606 - a list of words, no shell between
