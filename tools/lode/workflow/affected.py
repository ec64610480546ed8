"""What a change of a repository touches: nodes whose hashes moved, the stacks that have them, the work that costs.

The old side is the lock as it was committed then, the new side what the definitions yield now. Only stacks that a
changed file can reach are looked at; a changed comment reaches one and moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lode import process
from lode.building.history import estimate
from lode.definitions.catalogue import Catalogue
from lode.definitions.collection import Collection
from lode.errors import HostError, LodeError, UsageError
from lode.locking import lockfile
from lode.locking.compare import Comparison, Turn, compare
from lode.locking.graph import Lock
from lode.workflow.lock import locked, relock

_CODE = "tools/lode/"  # Lode itself, when it is in the repository: any stack can be touched


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedStack:
    """What a change does to one release of a stack."""

    stack: str
    release: str
    new: bool  # there was no lock before
    comparison: Comparison  # of the lock before with what the definitions yield now; empty when `problem`
    rebuilt: tuple[tuple[str, str], ...]  # package and target of each node whose hash moved or that is new, sorted
    cpu_s: float  # that building these takes, as far as known
    current: bool  # the committed lock is what the definitions yield
    problem: LodeError | None = None  # why it cannot be locked any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What a change touches. Nothing is in it that stays as it was."""

    since: str  # commit
    files: int  # that changed
    recipes: tuple[str, ...]  # packages whose recipe's folder changed, sorted
    unused: tuple[str, ...]  # those of them that are in no stack
    stacks: tuple[AffectedStack, ...]  # sorted
    removed: tuple[str, ...]  # stacks that are gone, `name@release`


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """The changed files of a repository by what they are, over all collections in it."""

    recipes: frozenset[str]
    stacks: frozenset[tuple[str, str]]
    targets: frozenset[str]
    everything: bool


def affected(catalogue: Catalogue, since: str, *, here: Path, times: Mapping[tuple[str, str], float]) -> Affected:
    """Return what has changed in the git repository around `here` since the commit `since`, uncommitted changes too.

    `times` are CPU seconds by target and package. UsageError when `here` is in no repository or has no such commit.
    """
    root, commit = _repository(here, since)
    files = _changed_files(root, commit)
    inside = {one for one in catalogue.collections if one.folder.resolve().is_relative_to(root.resolve())}
    changed = _sorted(files, root, inside)
    locks = {
        key: _committed(catalogue, key) for key in catalogue.stacks() if inside & {*catalogue.collections_of(*key)}
    }
    found: list[AffectedStack] = []
    touched: set[str] = set()
    for key in locks:
        if _reaches(changed, key, locks, touched):
            one = _stack(catalogue, key, files, root, commit, times)
            if one.comparison or one.problem or one.new or not one.current:
                found.append(one)
                touched.add(f"{key[0]}@{key[1]}")
    used = {node.package for lock in locks.values() if lock is not None for node in lock.nodes}
    return Affected(
        since=commit,
        files=len(files),
        recipes=tuple(sorted(changed.recipes)),
        unused=tuple(sorted(changed.recipes - used)),
        stacks=tuple(found),
        removed=tuple(f"{name}@{release}" for name, release in sorted(changed.stacks - set(catalogue.stacks()))),
    )


def _repository(here: Path, since: str) -> tuple[Path, str]:
    top = _git(here, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(f"{here} is in no git repository", hint="call this in the repository of the stack")
    commit = _git(here, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
    if commit is None:
        hint = "a shallow clone lacks older commits: `git fetch --unshallow`" if _shallow(here) else None
        raise UsageError(f"there is no commit {since!r} here", hint=hint or "`git log --oneline` lists those there are")
    return Path(top.strip()), commit.strip()


def _shallow(here: Path) -> bool:
    return (_git(here, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def _changed_files(root: Path, commit: str) -> tuple[str, ...]:
    """Return the paths that differ from `commit`, relative to `root`, those that git does not know yet among them."""
    known = _git(root, "diff", "--name-only", "--no-renames", "-z", commit, "--") or ""
    unknown = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or ""
    return tuple(sorted({name for name in (known + unknown).split("\0") if name}))


def _sorted(files: Iterable[str], root: Path, collections: Iterable[Collection]) -> _Changed:
    folders = [one.folder.resolve() for one in collections]
    recipes, stacks, targets = set[str](), set[tuple[str, str]](), set[str]()
    everything = False
    for name in files:
        everything |= name.startswith(_CODE) and name.endswith(".py")
        for folder in folders:
            path = root.resolve() / name
            if not path.is_relative_to(folder):
                continue
            match path.relative_to(folder).parts:
                case ("recipes", package, _, *_):
                    recipes.add(package)
                case ("stacks", stack, release, _, *_):
                    stacks.add((stack, release))
                case ("containers", "targets", file):
                    targets.add(Path(file).stem)
    return _Changed(
        recipes=frozenset(recipes), stacks=frozenset(stacks), targets=frozenset(targets), everything=everything
    )


def _reaches(
    changed: _Changed,
    key: tuple[str, str],
    locks: Mapping[tuple[str, str], Lock | None],
    touched: set[str],
) -> bool:
    """Return whether a changed file can have an effect on the stack `key`."""
    lock = locks[key]
    if changed.everything or key in changed.stacks or lock is None:
        return True
    if lock.extends is not None and f"{lock.extends.stack}@{lock.extends.release}" in touched:
        return True
    return bool(
        changed.recipes & {node.package for node in lock.nodes}
        or changed.targets & {target.definition.name for target in lock.targets}
    )


def _stack(
    catalogue: Catalogue,
    key: tuple[str, str],
    files: Iterable[str],
    root: Path,
    commit: str,
    times: Mapping[tuple[str, str], float],
) -> AffectedStack:
    reference = f"{key[0]}@{key[1]}"
    path = catalogue.lock_path(catalogue.stack(reference)).resolve()
    moved = path.is_relative_to(root.resolve()) and str(path.relative_to(root.resolve())) in files
    try:
        made = relock(catalogue, reference)
    except LodeError as error:
        before = _before(path, root, commit) if moved else _committed(catalogue, key)
        return AffectedStack(
            stack=key[0], release=key[1], new=before is None, comparison=Comparison(head=(), changes=()),
            rebuilt=(), cpu_s=0.0, current=False, problem=error,
        )  # fmt: skip
    before = _before(path, root, commit) if moved else made.previous
    comparison = compare(before, made.lock, why=made.why) if before else Comparison(head=(), changes=())
    if before is None:
        rebuilt = [(node.package, target) for node in made.lock.nodes for target in node.targets]
    else:
        changes = [change for change in comparison.changes if change.turn is not Turn.REMOVED]
        rebuilt = [(change.package, target) for change in changes for target in change.rebuilt]
    return AffectedStack(
        stack=key[0],
        release=key[1],
        new=before is None,
        comparison=comparison,
        rebuilt=tuple(sorted(rebuilt)),
        cpu_s=sum(estimate(made.lock.node(package), target, times) for package, target in rebuilt),
        current=not made.changed,
    )


def _before(path: Path, root: Path, commit: str) -> Lock | None:
    """Return the lock at `path` as it was at `commit`; None when there was none that can be read."""
    relative = path.relative_to(root.resolve())
    content = _git(root, "show", f"{commit}:{relative}")
    if content is None:
        return None
    try:
        return lockfile.load(content.encode("utf-8", "surrogateescape"), f"{commit[:12]}:{relative}", follow=False)
    except LodeError:
        return None  # of another schema: everything in it is new


def _committed(catalogue: Catalogue, key: tuple[str, str]) -> Lock | None:
    try:
        return locked(catalogue, f"{key[0]}@{key[1]}")
    except LodeError:
        return None


def _git(folder: Path, *words: str) -> str | None:
    """Return what git prints, None when it fails; HostError when there is no git."""
    try:
        ended = process.run(["git", "-C", str(folder), *words])
    except HostError as error:
        raise HostError("git is not on this machine", hint="apt-get install git") from error
    return ended.stdout if ended.status == 0 else None
