"""Locks of stacks in collections: reading the committed one, and making it anew with as little change as possible."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lode import tree
from lode.definitions.catalogue import Catalogue
from lode.definitions.requirement import Requirement
from lode.definitions.stack import StackDefinition
from lode.digest import Digest
from lode.errors import HostError, LockError, Place, SourceError
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.locking.nodes import Commits
from lode.locking.survey import Known, refuse_unknown, requests
from lode.locking.update import NOTHING, Update
from lode.progress import Silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Relock:
    """A lock made anew, and the one that was there before."""

    lock: Lock
    previous: Lock | None  # None: there was none, or none that could be read
    path: Path  # where the lock is kept
    why: Mapping[str, str]  # why a package has another version, where no request for it says so
    unread: LockError | None = None  # why the previous lock could not be read
    salvaged: bool = False  # the versions of the unread lock could be made out, and were preferred

    @property
    def changed(self) -> bool:
        """Return whether what should be written is not what is there."""
        return self.previous is None or self.lock.digest != self.previous.digest


def locked(catalogue: Catalogue, reference: str) -> Lock:
    """Return the committed lock of the stack `reference`; LockError when there is none or it is not sound."""
    stack = catalogue.stack(reference)
    path = catalogue.lock_path(stack)
    lock = _read(catalogue, path)
    if lock is None:
        message = f"{stack.name}@{stack.release} has no lock yet"
        hint = f"`lode lock {stack.name}@{stack.release}` makes it"
        raise LockError(message, place=Place(file=catalogue.shown(path)), hint=hint)
    return lock


def lock_of(catalogue: Catalogue, reference: str) -> Lock:
    """Return the lock that `reference` names: the file, when it is the path of one, else a stack's committed lock."""
    path = Path(reference)
    if path.suffix == ".lock" or len(path.parts) > 1 or path.is_file():
        lock = _read(catalogue, path)
        if lock is None:
            raise LockError("there is no such lock file", place=Place(file=reference), hint="a stack is `name@release`")
        return lock
    return locked(catalogue, reference)


def relock(
    catalogue: Catalogue,
    reference: str,
    *,
    update: Update = NOTHING,
    path: Path | None = None,
    instead: Requirement | None = None,
    commits: Commits | None = None,
) -> Relock:
    """Return the lock that the stack `reference` has now; nothing is written.

    What the lock at `path` (when there is none: the committed one) chose is kept as far as possible, even when it is
    of an older schema or was edited: then its versions are preferred and nothing else of it counts. NewerLock when a
    newer lode wrote it. `instead` stands for what the stack itself asks of that package, as if it had been written.
    `commits` gives the hash of a commit that neither recipe nor lock knows; None: ask git. SourceError without one.
    """
    stack = catalogue.stack(reference)
    if instead is not None:
        others = [one for one in stack.requirements if one.package != instead.package]
        requirements = sorted([*others, instead], key=lambda one: one.package)
        stack = replace(stack, requirements=tuple(requirements))
    catalogue = catalogue.behind(stack.name, stack.release)
    if stack.extends is None:  # what is mistyped is refused before anything costly is done
        refuse_unknown(Known(recipe=catalogue.find_recipe, names=catalogue.recipe_names), requests(stack))
    from lode.locking.resolve import resolve

    committed = path if path is not None and path.exists() else catalogue.lock_path(stack)
    previous, unread = None, None
    try:
        previous = _read(catalogue, committed, follow=False)
    except lockfile.NewerLock:
        raise
    except LockError as error:
        unread = error
    preferred = lockfile.versions(committed.read_bytes()) if unread else {}
    why: dict[str, str] = {}
    lock = resolve(
        stack,
        targets={name: catalogue.target(name) for name in stack.targets},
        recipe=catalogue.find_recipe,
        recipe_names=catalogue.recipe_names,
        file=files(catalogue, stack),
        commits=remembered(previous, commits or asked_of_git),
        base=locked(catalogue, stack.extends) if stack.extends else None,
        previous=previous,
        preferred=preferred,
        update=update,
        collections=tuple((collection.name, collection.version) for collection in catalogue.collections),
        tools=tools(),
        tell=why.__setitem__,
    )
    why |= _asked(update, lock)
    return Relock(lock=lock, previous=previous, path=committed, why=why, unread=unread, salvaged=bool(preferred))


def _asked(update: Update, lock: Lock) -> dict[str, str]:
    packages = [node.package for node in lock.nodes] if update.everything else update.packages
    return dict.fromkeys(packages, "asked to be updated")


def write(lock: Lock, path: Path, *, shown: str) -> None:
    """Put `lock` at `path`, called `shown` in messages, at once; HostError when nothing can be written there."""
    try:
        tree.replace(path, lockfile.dump(lock))
    except OSError as error:
        message = f"the lock cannot be written: {error.strerror}"
        raise HostError(message, place=Place(file=shown), hint="write it elsewhere with -o FILE") from error


def files(catalogue: Catalogue, stack: StackDefinition) -> Callable[[str, str], bytes]:
    """Return the function that reads the files of recipes, and of `stack` for package ""; of a folder, its archive."""
    catalogue = catalogue.behind(stack.name, stack.release)

    def content(package: str, relative: str) -> bytes:
        path = catalogue.recipe_file(package, relative) if package else catalogue.stack_file(stack, relative)
        if path.is_dir():
            from lode.sourcing.pack import packed

            return packed(path)
        return path.read_bytes()

    return content


def remembered(previous: Lock | None, ask: Commits) -> Commits:
    """Return the function that tells the hash of a commit's tree: as `previous` has it, else what `ask` says, once."""
    known = {
        source.origins[0].location: source.sha256
        for node in (previous.nodes if previous else ())
        for source in node.sources
        if source.origins and source.origins[0].scheme == "git"
    }

    def commit(location: str) -> Digest:
        if location not in known:
            known[location] = ask(location)
        return known[location]

    return commit


def asked_of_git(location: str) -> Digest:
    """Return the hash of the tree of the commit at `location` after fetching it; SourceError with git's last words."""
    from lode.sourcing.access import Access, Refused, redacted
    from lode.sourcing.origins import git
    from lode.sourcing.reach import Reach

    with Reach(Access(), Silent(), threading.Event()) as reach:
        try:
            return git.measured(git.parse(location), reach)
        except Refused as refused:
            message = f"the commit {redacted(location)} has no sha256 yet, and cannot be fetched to take it: {refused}"
            hint = "lock once where its place can be reached, or add `sha256:` to the source; the lock keeps it"
            raise SourceError(message, hint=hint) from refused


def tools() -> dict[str, str]:
    """Return the versions of what makes and builds locks."""
    return {
        "lode-format": str(lockfile.SCHEMA),
        "rattler": _installed("py-rattler"),
        "rattler-build": _installed("py-rattler-build"),
    }


def _installed(distribution: str) -> str:
    """Return the installed version of a Python distribution, by the name of its .dist-info folder where that is found.

    importlib.metadata is the fallback alone: it reads mails, zip files and tables, and takes longer than the solver.
    """
    begin, end = f"{distribution.replace('-', '_')}-", ".dist-info"
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # also of a zip file
            continue
        found = [name for name in names if name.startswith(begin) and name.endswith(end)]
        if len(found) == 1:
            return found[0].removeprefix(begin).removesuffix(end)
        if found:  # left by a broken installation: leave the choice to the library
            break
    from importlib import metadata

    return metadata.version(distribution)


def _read(catalogue: Catalogue, path: Path, *, follow: bool = True) -> Lock | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        place = Place(file=catalogue.shown(path))
        raise LockError(f"the lock cannot be read: {error.strerror}", place=place) from error
    return lockfile.load(content, catalogue.shown(path), follow=follow)
