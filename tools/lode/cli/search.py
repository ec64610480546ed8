"""`lode search`: recipes by words."""

from __future__ import annotations

import click

from lode.cli.common import Session, common
from lode.cli.list_ import document, table
from lode.definitions.catalogue import Catalogue
from lode.workflow import browse
from lode.yamldoc import meant


@click.command()
@click.argument("words", nargs=-1, required=True)
@common
def command(session: Session, words: tuple[str, ...]) -> None:
    """Find the recipes that have all WORDS in their name, tags or summary, the best first.

    \b
    Examples:
      lode search compression
      lode search noble liquid
    """  # noqa: D301 - \b is click's
    catalogue = Catalogue.open(session.collections, here=session.here)
    lines = browse.search(catalogue, words)
    hint = meant(words[0], catalogue.recipe_names())
    nothing = f"no recipe has {' and '.join(words)}" + (f"; {hint}" if hint else "")
    session.emit([document(line) for line in lines], table(lines) or nothing)
