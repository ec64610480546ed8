"""Testing what only builds need: in a prefix of its own, once for each node and its tests.

The prefix of a release does not hold Cython or Meson, so their tests cannot run there. They run in a prefix of all
such nodes and what these link to and run; what passed is noted in the cache by the node's hash and its tests.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock

from lode import digest, tree
from lode.building.cache import Cache, writing
from lode.building.seal import Seal, best
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Kind
from lode.digest import Digest
from lode.errors import LodeError
from lode.installing.install import install
from lode.installing.select import TOOLS, selected, tools
from lode.locking.graph import Lock, LockedTest, Node, dependencies
from lode.progress import Progress
from lode.testing import results
from lode.testing.results import Outcome, TestReport, TestResult
from lode.testing.run import run_tests
from lode.workflow.lock import files

WHERE = "build tools"  # what the results say they ran in


def examine_tools(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    *,
    places: Places,
    jobs: int,
    started: str,
    progress: Progress,
    again: bool = False,
    seal: Seal | None = None,
) -> tuple[TestResult, ...]:
    """Return the results of the tests of all nodes that only builds need, in build order.

    `seal` holds them, the host's own by default. What passed before, the node's hash and its tests being the same, is
    not run again unless asked for. BuildError when the cache lacks a node; the other errors are those of `install`.
    """
    nodes = [node for node in tools(lock, target) if any(target in test.targets for test in node.tests)]
    known = {} if again else {node.package: _passed(places, lock, node, target) for node in nodes}
    waiting = [node for node in nodes if not known.get(node.package)]
    found = {package: passed for package, passed in known.items() if passed}
    if waiting:
        report = _run(lock, catalogue, target, waiting, places, jobs, started, progress, seal or best())
        for node in waiting:
            own = tuple(replace(result, where=WHERE) for result in report.results if result.package == node.package)
            found[node.package] = own
            if all(result.outcome is Outcome.PASSED for result in own):
                _note(places, _key(lock, node, target), replace(report, results=own))
    return tuple(result for node in nodes for result in found[node.package])


def with_tools(report: TestReport, found: Sequence[TestResult]) -> TestReport:
    """Return `report` with the results of the tests of build tools before the stack's own."""
    of_packages = [result for result in report.results if result.package]
    of_stack = [result for result in report.results if not result.package]
    return replace(
        report,
        results=(*of_packages, *found, *of_stack),
        duration_s=report.duration_s + sum(result.duration_s for result in found),
    )


def _run(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    nodes: Sequence[Node],
    places: Places,
    jobs: int,
    started: str,
    progress: Progress,
    seal: Seal,
) -> TestReport:
    """Return what the tests of `nodes` gave in a prefix that is there for as long as they run."""
    cache = Cache(places.cache, note=progress.note)
    found = [cache.get(node.hashes[target]) for node in selected(lock, target, TOOLS)]
    root = places.cache.absolute() / "prefixes" / f"tools-{lock.stack}-{lock.release}-{target}"
    stack = catalogue.stack(f"{lock.stack}@{lock.release}")
    with writing(places.cache):
        root.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(root.with_name(f"{root.name}.lock")):
        progress.start("prefix of build tools")
        outcome = "failed"
        try:
            laid = install(
                lock,
                target,
                [artifact for artifact in found if artifact is not None],
                root,
                group=TOOLS,
                final_path=str(root) if seal.kind == "none" else None,
                file=files(catalogue, stack),
            )
            outcome = "done"
        finally:
            progress.finish("prefix of build tools", outcome)
        try:
            names = [node.package for node in nodes]
            return run_tests(laid, lock, packages=names, seal=seal, progress=progress, jobs=jobs, started=started)
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _key(lock: Lock, node: Node, target: str) -> Digest:
    """Return the name under which the tests of `node` are noted: all that decides what they give."""
    beside = dependencies(node, target, (Kind.TEST,))
    return digest.of_document(
        "tests-of-node",
        1,
        {
            "node": node.hashes[target],
            "beside": {name: lock.node(name).hashes[target] for name in sorted(beside)},
            "tests": [_document(test) for test in node.tests if target in test.targets],
        },
    )


def _document(test: LockedTest) -> dict[str, Any]:
    return {
        "name": test.name,
        "run": test.run,
        "compile": test.compile,
        "python": test.python,
        "libraries": test.libraries,
        "flags": test.flags,
        "files": dict(test.files),
        "numbers": test.numbers,
        "tolerance": test.tolerance,
        "timeout_s": test.timeout_s,
        "prepare": test.prepare,
    }


def _place(places: Places, key: Digest) -> Path:
    return places.cache / "tested" / key[:2] / f"{key}.json"


def _passed(places: Places, lock: Lock, node: Node, target: str) -> tuple[TestResult, ...]:
    """Return the results of an earlier run in which all tests of `node` passed; none when there was no such run."""
    path = _place(places, _key(lock, node, target))
    try:
        return results.load(path.read_bytes(), str(path)).results
    except (OSError, LodeError):
        return ()


def _note(places: Places, key: Digest, report: TestReport) -> None:
    path = _place(places, key)
    with writing(places.cache):
        path.parent.mkdir(parents=True, exist_ok=True)
        tree.replace(path, results.dump(report))
