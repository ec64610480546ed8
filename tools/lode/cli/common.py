"""What the commands share: the options that every command has, and the session made of them and the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lode import config
from lode.definitions import folders
from lode.errors import HostError
from lode.progress import Face, face

if TYPE_CHECKING:
    from lode.workflow.identities import Pipeline

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the environment and the common options say: folders, collections, how to print."""

    places: config.Places
    collections: tuple[Path, ...]  # given with --collection, in front of those found by the catalogue
    here: Path  # the current folder
    json: bool
    verbosity: int
    terminal: bool  # standard error is a terminal: progress bars, colours
    quiet: bool = False  # no progress

    def progress(self) -> Face:
        """Return the face that shows work on standard error; it is put away when the command ends."""
        shown = face(sys.stderr, terminal=self.terminal, quiet=self.quiet)
        context = click.get_current_context(silent=True)
        if context is not None:
            context.call_on_close(shown.close)
        return shown

    def emit(self, document: Any, text: str) -> None:
        """Print `document` as JSON when --json was given, else `text`."""
        if self.json:
            import json

            text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
        click.echo(text)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise HostError("the current folder was removed", hint="change into one that is there: cd ~") from error


def pipeline(session: Session) -> Pipeline:
    """Return where the command runs, for signing by identity."""
    from lode.workflow import identities

    return identities.Pipeline(collection=folders.nearest(session.here), environ=os.environ)


def common(function: Command) -> Command:
    """Add --collection, --json, --quiet and --verbose to a command, which gets them as its first argument."""

    @click.option("--collection", "collections", multiple=True, type=click.Path(path_type=Path, file_okay=False),
                  help="A folder with recipes/ and stacks/, put before the shipped one. Repeatable.")  # fmt: skip
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
    @click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
    @click.option("-v", "--verbose", "verbosity", count=True, help="Say more. May be given twice.")
    def wrapper(collections: tuple[Path, ...], as_json: bool, quiet: bool, verbosity: int, **rest: Any) -> Any:
        session = Session(
            places=config.places(os.environ),
            collections=collections,
            here=_here(),
            json=as_json,
            verbosity=verbosity,
            terminal=sys.stderr.isatty() and os.environ.get("TERM") != "dumb",
            quiet=quiet,
        )
        return function(session, **rest)

    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    # options added to `function` before this decorator ran
    wrapper.__click_params__ = [*getattr(wrapper, "__click_params__", []), *getattr(function, "__click_params__", [])]  # type: ignore[attr-defined]
    return wrapper
