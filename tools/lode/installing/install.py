"""Installing: the artifacts of a release, or of a group of it, laid down as one tree that is the same everywhere.

The tree is built beside its place and put there whole: a kill at any moment leaves the old tree or the new one. The
packages are linked by rattler, then everything that depends on machine, user or time is made canonical.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lode import digest as digests
from lode import inventory, process, tree
from lode.building.artifact import Artifact
from lode.errors import BuildError, Fault, HostError, LockError, UsageError
from lode.installing import activation, audit, canonical
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.installing.select import selected
from lode.locking import lockfile
from lode.locking.graph import Lock, LockedTest, Node

STACK_TESTS = ".stack"  # the stack's own folder in `.lode/tests`; no package may have this name
LONGEST_PATH = 255  # characters: the place that a build leaves for the final path in its files

TestFile = Callable[[str, str], bytes]  # package ("" for the stack) and relative path to content


def install(
    lock: Lock,
    target: str,
    artifacts: Iterable[Artifact],
    root: Path,
    *,
    group: str | None = None,
    final_path: str | None = None,
    file: TestFile,
) -> Prefix:
    """Return the prefix at `root`, made of those of `artifacts` that it needs; nothing is done when it is there.

    `final_path` is where the tree is to be used, the lock's own by default; `file` gives the files of tests. A prefix
    that is at `root` is replaced in one step. BuildError when an artifact is missing or two bring the same path;
    UsageError when something else is at `root`; HostError when disk or permissions forbid it.
    """
    final = final_path or lock.final_path(target)
    _refuse_path(root, final)
    chosen = _chosen(lock, target, selected(lock, target, group), artifacts)
    record = prefixes.record(lock, target, group, final, chosen)
    if _is_there(root, record):
        return prefixes.read(root)
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with _alone(root.with_name(f".{root.name}.lock")):
            if not _is_there(root, record):
                partial = root.with_name(f".{root.name}.partial")
                _remove(partial)  # what a killed installation left
                laid = partial / "tree"
                _link(chosen, laid, final, partial)
                _complete(lock, target, group, final, laid, record, file)
                tree.put_folder(laid, root)
                _remove(partial)
    except OSError as error:
        raise HostError(f"no prefix can be made at {root}: {error.strerror}: {error.filename}") from error
    return prefixes.read(root)


def _refuse_path(root: Path, final: str) -> None:
    if not final.startswith("/") or len(final) > LONGEST_PATH:
        raise UsageError(
            f"the final path {final} is not an absolute path of at most {LONGEST_PATH} characters",
            hint="shorten the stack's name or its CVMFS repository's",
        )
    if any(character in final for character in ":\n\0") or any(character.isspace() for character in final):
        raise UsageError(
            f"the final path {final!r} has a colon or white space, which search paths and #! lines cannot hold"
        )
    if root.exists() and not prefixes.is_prefix(root) and not (root.is_dir() and not any(root.iterdir())):
        raise UsageError(f"{root} is there and is not a prefix", hint="name a folder that is empty or not there yet")


def _chosen(lock: Lock, target: str, nodes: Iterable[Node], artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Return the artifact of each node in the order of the nodes."""
    known = {(artifact.package, artifact.node_hash): artifact for artifact in artifacts if artifact.target == target}
    chosen, faults = [], []
    for node in nodes:
        artifact = known.get((node.package, node.hashes[target]))
        if artifact is None:
            faults.append(
                Fault(
                    message=f"{node.package} {node.version} is not built for {target}",
                    hint=f"lode build {lock.stack}@{lock.release} --target {target}",
                )
            )
        else:
            chosen.append(artifact)
    if faults:
        raise BuildError.of(faults)
    return tuple(chosen)


def _is_there(root: Path, record: bytes) -> bool:
    return prefixes.is_prefix(root) and (root / prefixes.RECORD).read_bytes() == record


def _link(artifacts: Iterable[Artifact], laid: Path, final: str, partial: Path) -> None:
    """Fill `laid` with the packages' files, as a program of its own (see `installing.link`)."""
    cache, home = partial / "packages", partial / "home"
    home.mkdir(parents=True)
    laid.mkdir()
    request = {
        "packages": [str(artifact.path.absolute()) for artifact in artifacts],
        "tree": str(laid.absolute()),
        "final_path": final,
        "cache": str(cache.absolute()),
    }
    completed = process.run(
        [sys.executable, "-I", "-m", "lode.installing.link"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"},
        cwd=partial,
        input=json.dumps(request).encode(),
    )
    if completed.status != 0:
        words = completed.stderr.strip().splitlines() or [f"status {completed.status}"]
        if any("No space left on device" in line for line in words):
            message = f"the disk is full: the packages do not fit into {laid}"
            raise HostError(message, hint="free some space or choose another folder")
        raise BuildError(f"the packages could not be linked into {laid}: {words[-1]}")
    _remove(cache)


def _complete(
    lock: Lock, target: str, group: str | None, final: str, laid: Path, record: bytes, file: TestFile
) -> None:
    """Add what Lode lays down beside the packages' files, make the tree canonical and write its inventory."""
    canonical.refuse_clobbering(canonical.owners(laid))
    canonical.make_records_canonical(laid)
    canonical.make_bytecode_canonical(laid)
    tree.write(activation.scripts(lock, target, group, final), laid)
    for path, content in _test_files(lock, target, group, file):
        tree.replace(laid / prefixes.TESTS / path, content)
    tree.replace(laid / prefixes.LOCK, lockfile.dump(lock))
    tree.replace(laid / prefixes.RECORD, record)
    canonical.make_modes_canonical(laid)
    audit.audit(laid, lock, target, final)
    listed = laid.with_name("inventory.jsonl")  # written outside of what it lists
    inventory.write(inventory.scan(laid), listed)
    os.rename(listed, laid / prefixes.INVENTORY)
    midnight = datetime.datetime.fromisoformat(lock.date).replace(tzinfo=datetime.UTC)
    canonical.make_times_canonical(laid, int(midnight.timestamp()))


def _test_files(lock: Lock, target: str, group: str | None, file: TestFile) -> Iterator[tuple[str, bytes]]:
    """Yield path below `.lode/tests` and content of each file that the tree's tests need, checked against the lock."""
    tests: list[tuple[str, LockedTest]] = [("", test) for test in lock.tests]
    tests += [(node.package, test) for node in selected(lock, target, group) for test in node.tests]
    seen: set[str] = set()
    for package, test in tests:
        for relative, digest in test.files if target in test.targets else ():
            path = f"{package or STACK_TESTS}/{relative}"
            if path in seen:
                continue
            seen.add(path)
            content = file(package, relative)
            if digests.of_bytes(content) != digest:
                raise LockError(
                    f"{relative} of test {test.name} of {package or 'the stack'} is not the file that was locked",
                    hint=f"lode lock {lock.stack}@{lock.release}",
                )
            yield path, content


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever has it, and remove it at the end."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                break
        os.close(descriptor)  # its holder removed it while we waited: a new one must be made
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """Remove a folder of ours with all in it, folders that packages made read-only too."""
    for at, _, _ in os.walk(folder):
        os.chmod(at, 0o700)
    if folder.exists():
        shutil.rmtree(folder)
