"""A stack in the words of another ecosystem: rendering its lock, and checking what was rendered before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lode import digest, tree
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.errors import Fault, HostError, LockError, Place, UsageError, VerificationError
from lode.locking.graph import Lock
from lode.locking.nodes import recipe_digest
from lode.rendering import Rendering, agreement, renderer
from lode.rendering.agreement import Unreadable
from lode.rendering.weakening import Weakening
from lode.tree import FileTree
from lode.workflow.lock import files, locked

RECORD = PurePosixPath("lode-rendering.json")  # of what was rendered, with all files: what is stale is known by it
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a rendering came to, written or compared with what was there."""

    renderer: str
    lock: Lock
    targets: tuple[str, ...]
    folder: Path
    files: tuple[PurePosixPath, ...]  # sorted, the record among them
    removed: tuple[PurePosixPath, ...]  # files of the rendering before that nothing writes any more, sorted
    weakenings: tuple[Weakening, ...]


def render(catalogue: Catalogue, reference: str, *, to: str, folder: Path, targets: Iterable[str] = ()) -> Rendered:
    """Return what the renderer `to` made of the stack `reference`, after writing it below `folder`.

    What the rendering before wrote there and this one does not is removed, unless it was edited. What was made is read
    back before it is written: it never says anything but what the lock says.
    """
    lock = _restricted(locked(catalogue, reference), tuple(sorted(set(targets))))
    rendering = _render(catalogue, reference, lock, to)
    disagreeing = agreement.differences(lock, renderer(to).read_back(rendering.tree))
    if disagreeing:
        raise VerificationError.of([Fault(message=f"the {to} rendering disagrees: {one}") for one in disagreeing])
    before = _record(folder)
    if before and before.get("renderer") != to:
        message = f"{folder} holds a rendering for {before.get('renderer')}"
        raise UsageError(message, hint="give each renderer a folder of its own")
    whole = _with_record(lock, to, rendering)
    removed = tuple(sorted(_stale(folder, before, whole)))
    try:
        tree.write(whole, folder)
        for path in removed:
            (folder / path).unlink()
    except OSError as error:
        raise HostError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return _rendered(lock, to, folder, whole, rendering, removed)


def check(catalogue: Catalogue, reference: str, *, to: str, folder: Path, targets: Iterable[str] = ()) -> Rendered:
    """Return what the renderer `to` makes of the stack `reference`, when `folder` says the same; nothing is written.

    VerificationError names each node and edge that the files there, read in their own format, say otherwise than the
    lock, and each file that is not as it would be rendered now.
    """
    lock = _restricted(locked(catalogue, reference), tuple(sorted(set(targets))))
    rendering = _render(catalogue, reference, lock, to)
    whole = _with_record(lock, to, rendering)
    found = _read(folder, whole)
    faults = [Fault(message=one) for one in _disagreeing(lock, to, found)]
    hint = f"`lode render {reference} --to {to} -o {folder}` writes it again"
    for path, content in sorted(whole.files.items()):
        if found.files.get(path) != content:
            state = "is not as the lock renders to" if path in found.files else "is missing"
            faults.append(Fault(message=f"the file {state}", place=Place(file=str(folder / path)), hint=hint))
    for path in sorted(_stale(folder, _record(folder), whole)):
        faults.append(Fault(message="nothing writes this file now", place=Place(file=str(folder / path)), hint=hint))
    if faults:
        raise VerificationError.of(faults)
    return _rendered(lock, to, folder, whole, rendering, ())


def reachable(catalogue: Catalogue, lock: Lock) -> Mapping[str, Recipe]:
    """Return the recipes of the lock's nodes and all that these could need, with other options or versions too.

    DefinitionError when the recipe of a node is gone, LockError with those that changed since the lock was made.
    """
    found: dict[str, Recipe] = {node.package: catalogue.recipe(node.package) for node in lock.nodes}
    _refuse_changed(lock, found)
    waiting = list(found)
    while waiting:
        for dependency in found[waiting.pop()].dependencies:
            name = dependency.requirement.package
            recipe = None if name in found else catalogue.find_recipe(name)
            if recipe is not None:
                found[name] = recipe
                waiting.append(name)
    return dict(sorted(found.items()))


def _render(catalogue: Catalogue, reference: str, lock: Lock, to: str) -> Rendering:
    stack = catalogue.stack(reference)
    recipes = reachable(catalogue.behind(stack.name, stack.release), lock)
    return renderer(to).render(lock, recipes=recipes, file=files(catalogue, stack))


def _refuse_changed(lock: Lock, recipes: Mapping[str, Recipe]) -> None:
    faults = []
    for node in lock.nodes:
        recipe = recipes[node.package]
        stated = next((one for one in recipe.versions if one.version.text == node.version), None)
        if stated is None or recipe_digest(recipe, stated) != node.recipe:
            what = f"version {node.version}"
            if stated is None:
                message = f"the recipe of {node.package} no longer has {what}, which the lock has"
            else:
                message = f"the recipe of {node.package} says other things of {what} than when the lock was made"
            hint = f"`lode lock {lock.stack}@{lock.release}` brings the lock up to date"
            faults.append(Fault(message=message, place=recipe.place, hint=hint))
    if faults:
        raise LockError.of(faults)


def _restricted(lock: Lock, targets: tuple[str, ...]) -> Lock:
    """Return `lock` with `targets` and their nodes alone, and the digest of the whole; all of it when none is named."""
    known = tuple(target.definition.name for target in lock.targets)
    for name in targets:
        if name not in known:
            raise UsageError(f"{lock.stack}@{lock.release} has no target {name!r}", hint=f"it has: {', '.join(known)}")
    if not targets:
        return lock
    return replace(
        lock,
        targets=tuple(target for target in lock.targets if target.definition.name in targets),
        nodes=tuple(node for node in lock.nodes if set(node.targets) & set(targets)),
    )


def _disagreeing(lock: Lock, to: str, found: FileTree) -> tuple[str, ...]:
    try:
        return agreement.differences(lock, renderer(to).read_back(found))
    except Unreadable as error:
        return tuple(str(fault) for fault in error.faults)


def _with_record(lock: Lock, to: str, rendering: Rendering) -> FileTree:
    document = {
        "form": _FORM,
        "renderer": to,
        "stack": lock.stack,
        "release": lock.release,
        "lock": lock.digest,
        "targets": [target.definition.name for target in lock.targets],
        "files": {str(path): digest.of_bytes(content) for path, content in sorted(rendering.tree.files.items())},
        "weakenings": [{"package": one.package, "what": one.what} for one in rendering.weakenings],
    }
    content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return FileTree(files={**rendering.tree.files, RECORD: content}, executable=rendering.tree.executable)


def _record(folder: Path) -> Mapping[str, Any]:
    """Return the record of the rendering that lies in `folder`, empty when there is none that can be read."""
    try:
        document = json.loads((folder / RECORD).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return document if isinstance(document, dict) and isinstance(document.get("files"), dict) else {}


def _stale(folder: Path, before: Mapping[str, Any], whole: FileTree) -> Iterator[PurePosixPath]:
    """Yield the unchanged files of the rendering `before` that `whole` does not have."""
    for name, sha256 in before.get("files", {}).items():
        path = PurePosixPath(name)
        if path in whole.files or path.is_absolute() or ".." in path.parts:
            continue
        place = folder / path
        if place.is_file() and not place.is_symlink() and digest.of_bytes(place.read_bytes()) == sha256:
            yield path


def _read(folder: Path, like: FileTree) -> FileTree:
    """Return the files in `folder`: those of `like` that are there, and others of their kinds beside them."""
    if not folder.is_dir():
        raise HostError(f"there is no folder {folder}", hint="`lode render` without --check makes it")
    top = {path.parts[0] for path in like.files}
    found: dict[PurePosixPath, bytes] = {}
    for name in sorted(top):
        place = folder / name
        for path in (place, *sorted(place.rglob("*"))) if place.is_dir() else (place,):
            if path.is_file():
                found[PurePosixPath(path.relative_to(folder))] = path.read_bytes()
    return FileTree(files=found)


def _rendered(
    lock: Lock, to: str, folder: Path, whole: FileTree, rendering: Rendering, removed: tuple[PurePosixPath, ...]
) -> Rendered:
    return Rendered(
        renderer=to,
        lock=lock,
        targets=tuple(target.definition.name for target in lock.targets),
        folder=folder,
        files=tuple(sorted(whole.files)),
        removed=removed,
        weakenings=rendering.weakenings,
    )
