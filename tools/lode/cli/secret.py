"""Asking for a password: from the environment, or on a terminal, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from lode.config import KEY_PASSWORD
from lode.errors import UsageError


def secret(what: str) -> str:
    """Return the password, PIN or passphrase `what`; UsageError when nobody can be asked."""
    return ask(what, new=False)


def new(what: str) -> str:
    """Return a password chosen now, typed twice; UsageError when nobody can be asked."""
    return ask(what, new=True)


def ask(what: str, *, new: bool) -> str:
    """Return the variable that opens keys, which may be empty, or what is typed on the terminal."""
    given = os.environ.get(KEY_PASSWORD)
    if given is not None:
        return given
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"the {what} is needed, and this is no terminal to ask on", hint=f"give it in {KEY_PASSWORD}")
    typed: str = click.prompt(what, hide_input=True, confirmation_prompt=new, err=True, default="", show_default=False)
    return typed


def once(asking: Callable[[str], str]) -> Callable[[str], str]:
    """Return `asking` with a memory: one question is put once."""
    known: dict[str, str] = {}

    def remembered(what: str) -> str:
        if what not in known:
            known[what] = asking(what)
        return known[what]

    return remembered
