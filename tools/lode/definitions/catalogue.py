"""Finding definitions on disk: collections one in front of the other, each file read when it is asked for.

The only module of this room that touches the disk. A name is checked before it becomes a path, and no file outside its
collection is ever read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import lode
from lode.definitions import collection, language, read_recipe, read_stack, read_target
from lode.definitions.collection import Collection
from lode.definitions.forms import TARGET_NAME, VERSION
from lode.definitions.recipe import Recipe
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.errors import DefinitionError, Place
from lode.yamldoc import meant

COLLECTION_FILE = "collection.yaml"
RECIPE_FILE = "recipe.yaml"
STACK_FILE = "stack.yaml"
LOCK_FILE = "lode.lock"
_TARGETS = Path("containers", "targets")

Definition = TypeVar("Definition")


class Catalogue:
    """The definitions of one or more collections; what an earlier collection has hides the same name of a later one.

    Every definition is read once and kept, so that all who ask see the same, whatever happens to the files.
    """

    def __init__(self, collections: Sequence[Collection], *, here: Path | None = None) -> None:
        """Make the catalogue of `collections`; messages name files relative to `here` when they lie below it."""
        self.collections: tuple[Collection, ...] = tuple(collections)
        self._here = here
        self._recipes: dict[str, Recipe | None] = {}
        self._stacks: dict[tuple[str, str], StackDefinition] = {}
        self._targets: dict[str, Target] = {}
        self._folders: dict[str, dict[str, Path]] = {}

    @classmethod
    def open(cls, folders: Sequence[Path], *, here: Path | None) -> Catalogue:
        """Return the catalogue of `folders`, of the collection that `here` is in, and of the shipped one.

        DefinitionError when one of `folders` is no collection, or a collection.yaml has faults.
        """
        found: dict[Path, Collection] = {}
        nearest = _nearest(here) if here is not None else None
        for folder in (*folders, nearest, shipped()):
            if folder is None or (root := folder.resolve()) in found:
                continue
            file = root / COLLECTION_FILE
            place = Place(file=_shown(file, here))
            try:
                content = file.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                hint = "a collection is a folder with collection.yaml (name, version) and recipes/ or stacks/"
                raise DefinitionError(f"{folder} is not a collection", place=place, hint=hint) from None
            except OSError as error:
                raise DefinitionError(f"cannot be read: {error.strerror}", place=place) from error
            found[root] = collection.read(content, file=place.file, folder=root)
        return cls(tuple(found.values()), here=here)

    def shown(self, file: Path) -> str:
        """Return the name of `file` for messages: relative to the current folder when it lies below it."""
        return _shown(file, self._here)

    def recipe_names(self) -> tuple[str, ...]:
        """Return the names of all recipes, sorted."""
        return tuple(sorted(self._recipe_folders()))

    def recipe(self, name: str) -> Recipe:
        """Return the recipe called `name`; DefinitionError when there is none, or with the faults of its file."""
        recipe = self.find_recipe(name)
        if recipe is None:
            hint = meant(name, self._recipe_folders()) or "`lode list recipes` names all"
            raise DefinitionError(f"there is no recipe called {name!r}", hint=hint)
        return recipe

    def find_recipe(self, name: str) -> Recipe | None:
        """Return the recipe called `name`, None when no collection has it; DefinitionError with its faults."""
        if name not in self._recipes:
            folder = self._recipe_folders().get(name)
            self._recipes[name] = None if folder is None else self._read_recipe(name, folder)
        return self._recipes[name]

    def recipe_folder(self, name: str) -> Path:
        """Return the folder of the recipe called `name`; DefinitionError when there is none."""
        folder = self._recipe_folders().get(name)
        if folder is None:
            self.recipe(name)
            raise KeyError(name)
        return folder

    def recipe_file(self, package: str, relative: str) -> Path:
        """Return the file or folder `relative` to the recipe of `package`; DefinitionError unless it is there.

        It must lie in the collection, whatever `..` and symbolic links say.
        """
        return self._inside(self.recipe_folder(package), relative)

    def stacks(self) -> tuple[tuple[str, str], ...]:
        """Return name and release of all stacks, by name, then oldest release first."""
        return tuple(sorted(self._stack_folders(), key=lambda one: (one[0], Version(one[1]))))

    def stack(self, reference: str) -> StackDefinition:
        """Return the stack of `reference`, `dance-mini@2026.11` or its newest release `dance-mini`.

        DefinitionError when there is none, or with the faults of its file.
        """
        name, release = self.stack_key(reference)
        if (name, release) not in self._stacks:
            folder = self._stack_folders()[name, release]
            read = self._read(
                folder / STACK_FILE,
                lambda content, file: read_stack.read(
                    content, file=file, folder=str(folder), name=name, release=release
                ),
            )
            self._stacks[name, release] = read
        return self._stacks[name, release]

    def stack_key(self, reference: str) -> tuple[str, str]:
        """Return name and release of `reference`; DefinitionError when no collection has it."""
        name, _, release = reference.partition("@")
        releases = [known for stack, known in self.stacks() if stack == name]
        if release and release in releases:
            return name, release
        if releases and not release:
            return name, releases[-1]
        if releases:
            hint = f"its releases: {', '.join(releases)}"
            raise DefinitionError(f"the stack {name!r} has no release {release!r}", hint=hint)
        names = {stack for stack, _ in self.stacks()}
        hint = meant(name, names) or (f"the stacks are: {', '.join(sorted(names))}" if names else "no stack is defined")
        raise DefinitionError(f"there is no stack called {name!r}", hint=hint)

    def stack_folder(self, stack: StackDefinition) -> Path:
        """Return the folder of `stack`, `stacks/<name>/<release>`."""
        return self._stack_folders()[stack.name, stack.release]

    def stack_file(self, stack: StackDefinition, relative: str) -> Path:
        """Return the file `relative` to the folder of `stack`; DefinitionError unless it is there."""
        return self._inside(self.stack_folder(stack), relative)

    def lock_path(self, stack: StackDefinition) -> Path:
        """Return where the lock of `stack` is kept, whether or not it exists."""
        return self.stack_folder(stack) / LOCK_FILE

    def target_names(self) -> tuple[str, ...]:
        """Return the names of all targets, sorted."""
        return tuple(sorted(self._target_files()))

    def target(self, name: str) -> Target:
        """Return the target called `name`; DefinitionError when there is none, or with the faults of its file."""
        if name not in self._targets:
            file = self._target_files().get(name)
            if file is None:
                hint = meant(name, self._target_files()) or f"the targets are: {', '.join(self.target_names())}"
                raise DefinitionError(f"there is no target called {name!r}", hint=hint)
            self._targets[name] = self._read(
                file, lambda content, shown: read_target.read(content, file=shown, name=name)
            )
        return self._targets[name]

    def target_file(self, name: str) -> Path:
        """Return the file that defines the target called `name`; KeyError when there is none."""
        return self._target_files()[name]

    def collection_of(self, file: Path) -> Collection:
        """Return the collection that `file` lies in; KeyError when it lies in none."""
        resolved = file.resolve()
        for one in self.collections:
            if resolved.is_relative_to(one.folder):
                return one
        raise KeyError(str(file))

    def _recipe_folders(self) -> dict[str, Path]:
        return self._once("recipes", lambda: self._folders_of("recipes", RECIPE_FILE))

    def _folders_of(self, kind: str, file: str) -> Iterable[tuple[str, Path]]:
        for one in self.collections:
            for folder in _entries(one.folder / kind):
                if language.NAME.fullmatch(folder.name) and os.path.isfile(folder / file):
                    yield folder.name, folder

    def _stack_folders(self) -> dict[tuple[str, str], Path]:
        found = self._once("stacks", self._stack_entries)
        return {(name, release): path for key, path in found.items() for name, _, release in [key.partition("@")]}

    def _stack_entries(self) -> Iterable[tuple[str, Path]]:
        for one in self.collections:
            for stack in _entries(one.folder / "stacks"):
                if not language.NAME.fullmatch(stack.name):
                    continue
                for release in _entries(stack):
                    if _matches(VERSION.pattern, release.name) and os.path.isfile(release / STACK_FILE):
                        yield f"{stack.name}@{release.name}", release

    def _target_files(self) -> dict[str, Path]:
        return self._once("targets", self._target_entries)

    def _target_entries(self) -> Iterable[tuple[str, Path]]:
        for one in self.collections:
            for file in _entries(one.folder / _TARGETS):
                if file.suffix == ".yaml" and _matches(TARGET_NAME.pattern, file.stem):
                    yield file.stem, file

    def _once(self, kind: str, entries: Callable[[], Iterable[tuple[str, Path]]]) -> dict[str, Path]:
        if kind not in self._folders:
            found: dict[str, Path] = {}
            for name, path in entries():
                found.setdefault(name, path)
            self._folders[kind] = found
        return self._folders[kind]

    def _read_recipe(self, name: str, folder: Path) -> Recipe:
        return self._read(
            folder / RECIPE_FILE,
            lambda content, file: read_recipe.read(content, file=file, folder=str(folder), name=name),
        )

    def _read(self, path: Path, reader: Callable[[bytes, str], Definition]) -> Definition:
        file = self.shown(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DefinitionError(f"cannot be read: {error.strerror}", place=Place(file=file)) from error
        return reader(content, file)

    def _inside(self, folder: Path, relative: str) -> Path:
        path = folder / relative
        place = Place(file=self.shown(path))
        root = self.collection_of(folder).folder
        try:
            resolved = path.resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError):
            close = meant(relative, _files(folder)) or f"it is looked for in {self.shown(folder)}"
            raise DefinitionError(f"the file {relative!r} does not exist", place=place, hint=close) from None
        except (OSError, RuntimeError, ValueError) as error:
            reason = os.strerror(error.errno or errno.EIO) if isinstance(error, OSError) else str(error)
            raise DefinitionError(f"the file {relative!r} cannot be read: {reason}", place=place) from error
        if not resolved.is_relative_to(root):
            hint = f"keep it below {self.shown(root)}"
            raise DefinitionError(f"the file {relative!r} lies outside its collection", place=place, hint=hint)
        return path


def shipped() -> Path | None:
    """Return the collection that comes with Lode: `lode/collection` in a wheel, the root of a checkout, or None."""
    package = Path(lode.__file__).resolve().parent
    for folder in (package / "collection", package.parent.parent):
        if (folder / COLLECTION_FILE).is_file():
            return folder
    return None


def _nearest(here: Path) -> Path | None:
    for folder in (here.absolute(), *here.absolute().parents):
        if (folder / COLLECTION_FILE).is_file():
            return folder
    return None


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}", place=Place(file=str(folder))) from error


def _files(folder: Path) -> list[str]:
    found = []
    for root, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names]
        if len(found) > 1000:
            break
    return found


def _shown(file: Path, here: Path | None) -> str:
    if here is not None and file.is_relative_to(here):
        return str(file.relative_to(here))
    return str(file)


def _matches(pattern: object, text: str) -> bool:
    return bool(pattern.fullmatch(text))  # type: ignore[attr-defined]
