"""Finding definitions: collections one in front of the other, each file read when it is asked for and then kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lode.definitions import collection, folders, language, read_recipe, read_stack, read_target
from lode.definitions.collection import Collection
from lode.definitions.recipe import Recipe
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.errors import DefinitionError, Fault, Place
from lode.yamldoc import LIMIT_BYTES, meant

_PIECE = 1 << 16  # bytes: most files in one reading, without a buffer

Name = TypeVar("Name", bound=Hashable)
Definition = TypeVar("Definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Names of definitions, each kind sorted."""

    recipes: tuple[str, ...]
    stacks: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]


class Catalogue:
    """The definitions of one or more collections; what an earlier collection has hides the same name of a later one.

    A definition is read once and kept, so that all who ask see the same, whatever happens to its file meanwhile.
    """

    def __init__(self, collections: Sequence[Collection], *, here: Path | None = None) -> None:
        """Make the catalogue of `collections`; messages name files relative to `here` when they lie below it."""
        self.collections: tuple[Collection, ...] = tuple(collections)
        self._here = here
        self._recipes: dict[str, Recipe] = {}
        self._stacks: dict[tuple[str, str], StackDefinition] = {}
        self._targets: dict[str, Target] = {}
        self._direct = {str(one.folder) for one in self.collections}  # paths known to exist without symbolic links
        roots = [one.folder for one in self.collections]
        own = {root: tuple(self._find_recipes(root)) for root in roots}
        self._own_recipes = {root: frozenset(name for name, _ in pairs) for root, pairs in own.items()}
        self._recipe_files = _first(pair for pairs in own.values() for pair in pairs)
        self._stack_files = _first((key, str(path)) for root in roots for key, path in folders.stacks(root))
        self._target_files = _first((name, str(path)) for root in roots for name, path in folders.targets(root))

    @classmethod
    def open(cls, given: Sequence[Path], *, here: Path | None) -> Catalogue:
        """Return the catalogue of the folders `given`, of the collection that `here` is in, and of the shipped one.

        DefinitionError when a folder given is no collection, or a collection.yaml has faults.
        """
        found: dict[Path, Collection] = {}
        for folder in (*given, folders.nearest(here) if here is not None else None, folders.shipped()):
            if folder is not None and (root := folder.resolve()) not in found:
                found[root] = _read_collection(root, _shown(str(root / folders.COLLECTION_FILE), here))
        return cls(tuple(found.values()), here=here)

    def behind(self, stack: str, release: str) -> Catalogue:
        """Return the catalogue of the collection that has this stack and of those behind it.

        A stack is locked and built with these alone, so that it is the same whatever lies in front of its collection.
        The catalogue itself is returned when its first collection has the stack, or none has.
        """
        own = self.collections_of(stack, release)
        return self if len(own) == len(self.collections) else Catalogue(own, here=self._here)

    def collections_of(self, stack: str, release: str) -> tuple[Collection, ...]:
        """Return the collection that has this stack and those behind it; all when none has it."""
        path = self._stack_files.get((stack, release))
        for place, one in enumerate(self.collections):
            if path is not None and Path(path).is_relative_to(one.folder):
                return self.collections[place:]
        return self.collections

    def shown(self, file: Path) -> str:
        """Return the name of `file` for messages: relative to the current folder when it lies below it."""
        return _shown(str(file), self._here)

    def recipe_names(self) -> tuple[str, ...]:
        """Return the names of all recipes, sorted."""
        return tuple(sorted(self._recipe_files))

    def recipe(self, name: str) -> Recipe:
        """Return the recipe called `name`; DefinitionError when there is none, or with the faults of its file."""
        recipe = self.find_recipe(name)
        if recipe is None:
            hint = meant(name, self._recipe_files) or "`lode list recipes` names all"
            raise DefinitionError(f"there is no recipe called {name!r}", hint=hint)
        return recipe

    def find_recipe(self, name: str) -> Recipe | None:
        """Return the recipe called `name`, None when no collection has it; DefinitionError with its faults."""
        if name not in self._recipes:
            path = self._recipe_files.get(name)
            if path is None:
                return None
            folder = os.path.dirname(path)
            self._recipes[name] = self._read(
                path, lambda content, file: read_recipe.read(content, file=file, folder=folder, name=name)
            )
        return self._recipes[name]

    def recipe_file(self, package: str, relative: str) -> Path:
        """Return the file or folder `relative` to the recipe of `package`; DefinitionError unless it is there.

        It must lie in the recipe's collection, whatever `..` and symbolic links say.
        """
        if package not in self._recipe_files:
            self.recipe(package)
        return self._inside(os.path.dirname(self._recipe_files[package]), relative)

    def stacks(self) -> tuple[tuple[str, str], ...]:
        """Return name and release of all stacks, by name, then oldest release first."""
        return tuple(sorted(self._stack_files, key=lambda key: (key[0], Version(key[1]))))

    def stack(self, reference: str) -> StackDefinition:
        """Return the stack of `reference`, `dance-mini@2026.11` or its newest release `dance-mini`.

        DefinitionError when there is none, or with the faults of its file.
        """
        key = self._stack_key(reference)
        if key not in self._stacks:
            path, (name, release) = self._stack_files[key], key
            folder = os.path.dirname(path)
            self._stacks[key] = self._read(
                path,
                lambda content, file: read_stack.read(content, file=file, folder=folder, name=name, release=release),
            )
        return self._stacks[key]

    def stack_file(self, stack: StackDefinition, relative: str) -> Path:
        """Return the file `relative` to the folder of `stack`; DefinitionError unless it is there."""
        return self._inside(os.path.dirname(self._stack_files[stack.name, stack.release]), relative)

    def lock_path(self, stack: StackDefinition) -> Path:
        """Return where the lock of `stack` is kept, whether or not it exists."""
        return Path(self._stack_files[stack.name, stack.release]).parent / folders.LOCK_FILE

    def target_names(self) -> tuple[str, ...]:
        """Return the names of all targets, sorted."""
        return tuple(sorted(self._target_files))

    def target(self, name: str) -> Target:
        """Return the target called `name`; DefinitionError when there is none, or with the faults of its file."""
        if name not in self._targets:
            path = self._target_files.get(name)
            if path is None:
                hint = meant(name, self._target_files) or f"the targets are: {', '.join(self.target_names())}"
                raise DefinitionError(f"there is no target called {name!r}", hint=hint)
            self._targets[name] = self._read(
                path, lambda content, file: read_target.read(content, file=file, name=name)
            )
        return self._targets[name]

    def target_file(self, name: str) -> Path:
        """Return the file of the target called `name`, which there is."""
        return Path(self._target_files[name])

    def below(self, root: Path) -> Selection:
        """Return the definitions whose file is `root` or lies below it, hidden ones left out."""
        whole, inside = str(root), f"{str(root).rstrip('/')}/"

        def is_below(path: str) -> bool:
            return path.startswith(inside) or path == whole

        return Selection(
            recipes=tuple(name for name in self.recipe_names() if is_below(self._recipe_files[name])),
            stacks=tuple(key for key in self.stacks() if is_below(self._stack_files[key])),
            targets=tuple(name for name in self.target_names() if is_below(self._target_files[name])),
        )

    def strays(self, root: Path) -> Iterator[Fault]:
        """Yield a fault for each entry at or below `root` that stands where a definition belongs but is none."""
        for one in self.collections:
            for path, fault in folders.strays(one.folder, self._own_recipes[one.folder]):
                if path.is_relative_to(root):
                    yield replace(fault, place=Place(file=self.shown(path)))

    def _stack_key(self, reference: str) -> tuple[str, str]:
        name, _, release = reference.partition("@")
        releases = [known for stack, known in self.stacks() if stack == name]
        if release and release in releases:
            return name, release
        if releases and not release:
            return name, releases[-1]
        if releases:
            hint = f"its releases: {', '.join(releases)}"
            raise DefinitionError(f"the stack {name!r} has no release {release!r}", hint=hint)
        names = {stack for stack, _ in self._stack_files}
        hint = meant(name, names) or (f"the stacks are: {', '.join(sorted(names))}" if names else "no stack is defined")
        raise DefinitionError(f"there is no stack called {name!r}", hint=hint)

    def _find_recipes(self, collection: Path) -> Iterator[tuple[str, str]]:
        """Yield name and recipe.yaml of each recipe in `collection`, sorted; note which no link leads to."""
        folder = f"{collection}/recipes"
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            place = Place(file=self.shown(Path(folder)))
            raise DefinitionError(f"cannot be read: {error.strerror}", place=place) from error
        is_direct = not os.path.islink(folder)
        for entry in entries:
            file = f"{entry.path}/{folders.RECIPE_FILE}"
            if not language.NAME.fullmatch(entry.name) or (mode := _mode(file)) is None:
                continue
            if is_direct and stat.S_ISREG(mode) and not entry.is_symlink():
                self._direct.update((entry.path, file))
                yield entry.name, file
            elif os.path.isfile(file):
                yield entry.name, file

    def _read(self, path: str, reader: Callable[[bytes, str], Definition]) -> Definition:
        file = _shown(path, self._here)
        if path not in self._direct:
            self._inside(*os.path.split(path))
        try:
            content = _content(path)
        except OSError as error:
            raise DefinitionError(f"cannot be read: {error.strerror}", place=Place(file=file)) from error
        return reader(content, file)

    def _inside(self, folder: str, relative: str) -> Path:
        """Return the existing file or folder `relative` to `folder`; DefinitionError when not in its collection."""
        path = f"{folder}/{relative}"
        if ".." not in relative and self._is_direct(path):
            return Path(path)
        place = Place(file=_shown(path, self._here))
        try:
            resolved = os.path.realpath(path, strict=True)
        except (FileNotFoundError, NotADirectoryError):
            hint = meant(relative, _files(folder))
            raise DefinitionError(f"the file {relative!r} does not exist", place=place, hint=hint) from None
        except (OSError, ValueError) as error:  # a circle of links, no permission; a NUL in the name
            reason = error.strerror if isinstance(error, OSError) else error
            raise DefinitionError(f"the file {relative!r} cannot be read: {reason}", place=place) from error
        root = next(one.folder for one in self.collections if folder.startswith(f"{one.folder}/"))
        if not resolved.startswith(f"{root}/"):
            hint = "keep the files of definitions in the collection"
            raise DefinitionError(f"the file {relative!r} lies outside its collection", place=place, hint=hint)
        return Path(path)

    def _is_direct(self, path: str) -> bool:
        """Return whether `path` exists, and neither it nor a folder between it and its collection is a link."""
        if path in self._direct:
            return True
        mode = _mode(path)
        if mode is None or stat.S_ISLNK(mode) or not self._is_direct(os.path.dirname(path)):
            return False
        self._direct.add(path)
        return True


def _first(pairs: Iterable[tuple[Name, str]]) -> dict[Name, str]:
    found: dict[Name, str] = {}
    for name, path in pairs:
        found.setdefault(name, path)
    return found


def _mode(path: str) -> int | None:
    """Return the mode of what is at `path`, a link not followed; None when nothing is."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None


def _content(path: str) -> bytes:
    """Return the bytes of the file at `path`, at most one more than a definition may have."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = piece = os.read(handle, _PIECE)
        while len(piece) == _PIECE and len(content) <= LIMIT_BYTES:
            piece = os.read(handle, _PIECE)
            content += piece
        return content
    finally:
        os.close(handle)


def _files(folder: str) -> list[str]:
    """Return the first thousand files below `folder`, relative to it."""
    found: list[str] = []
    for root, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names]
        if len(found) >= 1000:
            break
    return found


def _read_collection(root: Path, shown: str) -> Collection:
    place = Place(file=shown)
    try:
        content = (root / folders.COLLECTION_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        hint = f"a collection is a folder with {folders.COLLECTION_FILE} (name, version) and recipes/ or stacks/"
        raise DefinitionError(f"{root} is not a collection", place=place, hint=hint) from None
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}", place=place) from error
    return collection.read(content, file=shown, folder=root)


def _shown(file: str, here: Path | None) -> str:
    return file if here is None else file.removeprefix(f"{str(here).rstrip('/')}/")
