"""`lode show`: one recipe, stack or target."""

from __future__ import annotations

from typing import Any

import click

from lode.cli import cards
from lode.cli.common import Session, common
from lode.definitions import canonical
from lode.definitions.catalogue import Catalogue
from lode.errors import DefinitionError
from lode.yamldoc import meant

KINDS = ("recipe", "stack", "target")


@click.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="Which one, when a recipe and a stack have the same name.")
@common
def command(session: Session, name: str, kind: str | None) -> None:
    """Show the recipe, stack (its newest release, or NAME@RELEASE) or target called NAME.

    \b
    Examples:
      lode show nest
      lode show dance-mini@2026.11
      lode show debian12-x86_64
    """  # noqa: D301 - \b is click's
    catalogue = Catalogue.open(session.collections, here=session.here)
    found = _kind(catalogue, name, kind)
    document: dict[str, Any]
    if found == "recipe":
        recipe = catalogue.recipe(name)
        document, text = canonical.recipe_document(recipe), cards.recipe(recipe)
    elif found == "stack":
        stack = catalogue.stack(name)
        document, text = canonical.stack_document(stack), cards.stack(stack)
    else:
        target = catalogue.target(name)
        document = {
            "name": target.name,
            **canonical.target_document(target),
            "runtime_packages": list(target.runtime_packages),
            "end_of_life": target.end_of_life,
        }
        text = cards.target(target)
    session.emit({"kind": found, **document}, text)


def _kind(catalogue: Catalogue, name: str, asked: str | None) -> str:
    if asked is not None:
        return asked
    stacks = {stack for stack, _ in catalogue.stacks()}
    for kind, names in (("recipe", catalogue.recipe_names()), ("stack", stacks), ("target", catalogue.target_names())):
        if (name.partition("@")[0] if kind == "stack" else name) in names:
            return kind
    known = {*catalogue.recipe_names(), *stacks, *catalogue.target_names()}
    hint = meant(name, known) or "`lode list` names all recipes, `lode list stacks` all stacks"
    raise DefinitionError(f"there is no recipe, stack or target called {name!r}", hint=hint)
