"""What lies where in a collection's folder. With the catalogue the only module of this room that looks at the disk.

A name becomes a path only when it is a name: `recipes/<package>/recipe.yaml`, `stacks/<name>/<release>/stack.yaml`,
`containers/targets/<os>-<arch>.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import lode
from lode.definitions.language import NAME
from lode.definitions.vocabulary import RELEASE_NAME, TARGET_NAME
from lode.errors import DefinitionError, Fault, Place
from lode.yamldoc import meant

COLLECTION_FILE = "collection.yaml"
RECIPE_FILE = "recipe.yaml"
STACK_FILE = "stack.yaml"
LOCK_FILE = "lode.lock"
TRUST_FILE = "trust.yaml"
REPOSITORIES = Path("cvmfs") / "repositories"  # a file <fqrn>.yaml for each

_IGNORED = re.compile(r"[._].*|.*~|README.*|CHANGELOG.*", re.IGNORECASE)


def shipped() -> Path | None:
    """Return the collection that comes with Lode: `lode/collection` in a wheel, the root of a checkout, or None."""
    package = Path(lode.__file__).resolve().parent
    for folder in (package / "collection", package.parent.parent):
        if (folder / COLLECTION_FILE).is_file():
            return folder
    return None


def nearest(here: Path) -> Path | None:
    """Return `here` or the nearest folder above it that is a collection, or None."""
    start = here.absolute()
    for folder in (start, *start.parents):
        if (folder / COLLECTION_FILE).is_file():
            return folder
    return None


def stacks(collection: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Yield name and release, and stack.yaml, of each stack, sorted."""
    for stack in entries(collection / "stacks"):
        if not NAME.fullmatch(stack.name):
            continue
        for release in entries(stack):
            if RELEASE_NAME.fullmatch(release.name) and (file := release / STACK_FILE).is_file():
                yield (stack.name, release.name), file


def targets(collection: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and file of each target, sorted."""
    for file in entries(collection / "containers" / "targets"):
        if file.suffix == ".yaml" and TARGET_NAME.fullmatch(file.stem) and file.is_file():
            yield file.stem, file


def strays(collection: Path, recipes: Collection[str]) -> Iterator[tuple[Path, Fault]]:
    """Yield entries that stand where a definition belongs but are not taken for one, with the fault of each.

    `recipes` are the names of the collection's recipes. Hidden entries, backups and README files are nobody's fault.
    """
    for folder in _unignored(collection / "recipes"):
        if folder.name not in recipes:
            yield from _stray(folder, RECIPE_FILE, NAME, "a package name")
    for stack in _unignored(collection / "stacks"):
        if not NAME.fullmatch(stack.name) or not stack.is_dir():
            yield from _stray(stack, STACK_FILE, NAME, "a stack name")
            continue
        for release in _unignored(stack):
            yield from _stray(release, STACK_FILE, RELEASE_NAME, "a release")
    for file in _unignored(collection / "containers" / "targets"):
        if file.suffix == ".lock" and file.with_suffix(".yaml").is_file():
            continue  # what the target's system is made of, see `system_lock`
        if file.suffix != ".yaml" or not TARGET_NAME.fullmatch(file.stem):
            yield file, _fault(f"{file.name} is not taken for a target", "its name is <os>-<arch>.yaml")


def entries(folder: Path) -> list[Path]:
    """Return what is in `folder`, sorted, [] when there is no such folder; DefinitionError when it cannot be read."""
    try:
        return sorted(folder.iterdir(), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}", place=Place(file=str(folder))) from error


def _unignored(folder: Path) -> list[Path]:
    return [entry for entry in entries(folder) if not _IGNORED.fullmatch(entry.name)]


def _stray(folder: Path, file: str, name: re.Pattern[str], what: str) -> Iterator[tuple[Path, Fault]]:
    if not folder.is_dir():
        yield folder, _fault(f"{folder.name} is not taken for anything: a folder with {file} belongs here", None)
    elif not name.fullmatch(folder.name):
        yield folder, _fault(f"the folder's name {folder.name!r} is not {what}", "lower-case letters, digits, dashes")
    elif not (folder / file).is_file():
        others = [entry.name for entry in entries(folder)]
        yield folder, _fault(f"the folder {folder.name!r} has no {file}", meant(file, others))


def _fault(message: str, hint: str | None) -> Fault:
    return Fault(message=message, hint=hint)
