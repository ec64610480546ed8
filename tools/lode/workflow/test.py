"""Testing a prefix: checking its tree against its inventory, running its tests, proposing new reference numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from lode import inventory, tree
from lode.building.cache import Cache
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.errors import Fault, HostError, LodeError, Place, VerificationError
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.installing.select import selected
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.testing import numbers
from lode.testing.results import TestReport
from lode.testing.run import run_tests
from lode.testing.suite import STACK_FOLDER
from lode.tree import FileTree
from lode.workflow.build import choose_target
from lode.workflow.lock import locked
from lode.workflow.prefix import find_prefix, open_prefix, prefix_path, usable
from lode.workflow.prefix import prefix as lay_down
from lode.workflow.seals import Bench, Site, for_tests

_SHOWN = 10  # differences that an error names


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The prefix to test, the lock that it was made of, and whether this machine has to have the target's compiler."""

    prefix: Prefix
    lock: Lock
    build_host: bool
    bench: Bench


def lay(catalogue: Catalogue, reference: str, places: Places, *, target: str | None, progress: Progress) -> None:
    """Install the stack `reference`, of which all is built, where a release of it has its prefix.

    Nothing is done where that prefix is there already, nor for a stack that is not locked, not for this machine, or
    not built as it is locked today: what was released before is tested then.
    """
    try:
        lock = locked(catalogue, reference)
        chosen = choose_target(lock, target)
    except LodeError:
        return
    cache = Cache(places.cache)
    found = [cache.get(node.hashes[chosen]) for node in selected(lock, chosen, None)]
    artifacts = [artifact for artifact in found if artifact is not None]
    if len(artifacts) == len(found):
        root = prefix_path(places, lock.stack, lock.release, chosen)
        lay_down(lock, catalogue, chosen, artifacts, root, progress=progress)


def find(
    places: Places,
    reference: str,
    *,
    target: str | None,
    site: bool,
    seal: str = "auto",
    environ: Mapping[str, str] | None = None,
) -> Subject:
    """Return what `reference` names, a stack installed here or the path of a prefix, so that this machine can use it.

    A prefix given by its path may have come from elsewhere: there, as with `site`, a compiler is not asked for, and its
    tests run on this host unless `seal` says otherwise. A stack's run in its target's runtime where that has been made.
    """
    prefix, lock = open_prefix(find_prefix(reference, places, target=target))
    given = prefix.root == Path(reference).absolute()
    asked = "host" if seal == "auto" and (site or given) else seal
    where = Site(cache=places.cache, environ=environ or {})
    bench = for_tests(lock.target(prefix.target).definition, asked, where)
    return Subject(
        prefix=usable(prefix, lock, places, bench.tests), lock=lock, build_host=not (site or given), bench=bench
    )


def narrowed(subject: Subject, packages: Sequence[str], group: str | None) -> tuple[str, ...]:
    """Return the packages whose tests to run, of the group and those named, sorted; empty for all.

    UsageError for an unknown group.
    """
    if group is None:
        return tuple(sorted(packages))
    nodes = selected(subject.lock, subject.prefix.target, group)
    return tuple(sorted({*packages, *(node.package for node in nodes)}))


def examine(
    subject: Subject,
    *,
    packages: Sequence[str],
    jobs: int,
    verify: bool,
    started: str,
    progress: Progress,
) -> TestReport:
    """Return what the tests of the prefix gave; with `verify` its tree is compared with its inventory first."""
    if verify:
        verify_tree(subject.prefix, progress)
    return run_tests(
        subject.prefix,
        subject.lock,
        packages=packages,
        seal=subject.bench.tests,
        compiling=subject.bench.compiling,
        progress=progress,
        jobs=jobs,
        build_host=subject.build_host,
        started=started,
    )


def verify_tree(prefix: Prefix, progress: Progress) -> None:
    """Raise VerificationError unless every file of the tree is what its inventory lists; read the whole tree."""
    progress.start("tree")
    listed = inventory.read(prefix.root / prefixes.INVENTORY)
    present = inventory.scan(prefix.root, exclude=(prefixes.INVENTORY,))
    differences = list(islice(inventory.compare(listed, present), _SHOWN + 1))
    progress.finish("tree", "differs" if differences else "as listed")
    if differences:
        place = Place(file=str(prefix.root))
        faults = [Fault(message=f"the tree is not as listed: {each}", place=place) for each in differences[:_SHOWN]]
        more = ", and more" if len(differences) > _SHOWN else ""
        hint = "copy or install the prefix again; what was added by hand belongs elsewhere"
        faults.append(Fault(message=f"{len(faults)} entries differ from {prefixes.INVENTORY}{more}", hint=hint))
        raise VerificationError.of(faults)


def new_references(report: TestReport, lock: Lock) -> FileTree:
    """Return the reference files that the numbers of `report` would meet, `<package>/<file>`, for a person's review."""
    tests = {(node.package, test.name): test for node in lock.nodes for test in node.tests}
    tests |= {("", test.name): test for test in lock.tests}
    files: dict[PurePosixPath, bytes] = {}
    for result in report.results:
        test = tests[result.package, result.name]
        if test.numbers is not None and result.numbers:
            path = PurePosixPath(result.package or STACK_FOLDER, test.numbers)
            files[path] = numbers.write_references(result.numbers, float(test.tolerance))
    return FileTree(files=files)


def save(path: Path, content: bytes) -> None:
    """Write a report to `path`; HostError when that cannot be done."""
    try:
        tree.replace(path, content)
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}", hint="name another place") from error
