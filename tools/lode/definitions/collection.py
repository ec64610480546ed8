"""A collection: a named folder of recipes, stacks and targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lode import yamldoc
from lode.definitions.shape import read_table
from lode.definitions.stack_forms import COLLECTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A folder that holds collection.yaml, and what that file says."""

    name: str
    version: str
    summary: str
    folder: Path


def read(content: bytes, *, file: str, folder: Path) -> Collection:
    """Return the collection whose collection.yaml has `content`; DefinitionError with every fault."""
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, COLLECTION, "collection")
    document.finish()
    return Collection(
        name=table.text("name"), version=table.text("version"), summary=table.text("summary"), folder=folder
    )
