"""Locks, prefixes and reports for the tests of `testing` and `describing`: complete values with few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lode import digest
from lode.definitions.recipe import Environment, Kind, Origin, System, Upstream
from lode.definitions.stack import Pins, Publish
from lode.definitions.target import Base, Compiler, Target
from lode.digest import Digest
from lode.installing.prefix import Prefix
from lode.locking import lockfile, nodehash
from lode.locking.graph import (
    Edge,
    Lock,
    LockedBuild,
    LockedSource,
    LockedTarget,
    LockedTest,
    Node,
)
from lode.testing.results import Cause, Number, Outcome, TestReport, TestResult

TARGET = "debian12-x86_64"


def sha(text: str) -> Digest:
    """Return a digest that stands for `text`."""
    return digest.of_bytes(text.encode())


def build(**changes: Any) -> LockedBuild:
    fields: dict[str, Any] = {
        "system": System.CMAKE,
        "subdirectory": "",
        "args": (),
        "environment": (),
        "prepare": "",
        "targets": (),
        "install_targets": ("install",),
        "script": "",
        "finish": "",
        "in_source": False,
        "jobs": None,
        "memory_mb": None,
    }
    return LockedBuild(**{**fields, **changes})


def source(package: str, version: str) -> LockedSource:
    filename = f"{package}-{version}.tar.gz"
    return LockedSource(
        origins=(Origin(scheme="url", location=f"https://sources.example.org/{filename}"),),
        sha256=sha(filename),
        size=1000,
        swhid=None,
        directory="",
        subdirectory="",
        unpack=True,
        filename=filename,
        targets=(TARGET,),
    )


def node(
    package: str,
    version: str = "1.0",
    *,
    needs: Mapping[str, Sequence[Kind]] | None = None,
    tests: Sequence[LockedTest] = (),
    **changes: Any,
) -> Node:
    edges = tuple(
        Edge(package=name, kinds=tuple(kinds), targets=(TARGET,), constraint="")
        for name, kinds in sorted((needs or {}).items())
    )
    fields: dict[str, Any] = {
        "package": package,
        "version": version,
        "summary": f"The package {package}",
        "homepage": f"https://{package}.example.org",
        "license": "BSD-3-Clause",
        "redistributable": True,
        "cite": (),
        "tags": (),
        "options": {},
        "languages": ("c",),
        "sources": (source(package, version),),
        "patches": (),
        "build": build(),
        "edges": edges,
        "externals": (),
        "environment": Environment(),
        "tests": tuple(tests),
        "system_libraries": (),
        "upstream": Upstream(),
        "provider": "lode",
        "prebuilt": False,
        "targets": (TARGET,),
        "reasons": (),
        "recipe": sha(f"recipe {package}"),
        "hashes": {TARGET: sha(f"node {package} {version}")},
    }
    return Node(**{**fields, **changes})


def target(name: str = TARGET, compiler: Compiler | None = None) -> LockedTarget:
    definition = Target(
        name=name,
        os="debian",
        os_version="12",
        arch="x86_64",
        base=Base(suite="bookworm", snapshot="20261101T000000Z"),
        compiler=compiler or Compiler(name="gcc", version="12.2.0"),
        glibc="2.36",
        libstdcxx="3.4.30",
        end_of_life="2028-06-30",
    )
    return LockedTarget(definition=definition, digest=sha(f"target {name}"))


def lock(
    *nodes: Node,
    requirements: Sequence[str] | None = None,
    tests: Sequence[LockedTest] = (),
    **changes: Any,
) -> Lock:
    """Return a lock of `nodes`; all are required unless `requirements` says which."""
    asked = [each.package for each in nodes] if requirements is None else requirements
    fields: dict[str, Any] = {
        "schema": 1,
        "stack": "mini",
        "release": "2026.11",
        "date": "2026-11-01",
        "summary": "A small stack",
        "collections": (("lode", "1.0"),),
        "extends": None,
        "tools": {"lode-format": "1", "rattler": "0.28.0", "rattler-build": "0.73.0"},
        "pins": Pins(),
        "publish": Publish(cvmfs="lode.example.org"),
        "requirements": tuple(sorted(asked)),
        "groups": {},
        "targets": (target(),),
        "nodes": tuple(sorted(nodes, key=lambda each: each.package)),
        "tests": tuple(tests),
        "digest": sha("lock"),
    }
    return Lock(**{**fields, **changes})


def whole(draft: Lock) -> Lock:
    """Return `draft` with the digests that follow from its content, as a lock file has to have them."""
    targets = tuple(
        LockedTarget(definition=each.definition, digest=nodehash.of_target(each.definition)) for each in draft.targets
    )
    nodes = nodehash.hashed(draft.nodes, {each.definition.name: each.digest for each in targets})
    return lockfile.seal(replace(draft, schema=lockfile.SCHEMA, targets=targets, nodes=tuple(nodes)))


def locked_test(name: str, *, files: Mapping[str, str] | None = None, **changes: Any) -> LockedTest:
    """Return a test; `files` holds its files with their content."""
    fields: dict[str, Any] = {
        "name": name,
        "run": "",
        "compile": "",
        "python": "",
        "libraries": (),
        "flags": (),
        "files": tuple((path, sha(content)) for path, content in sorted((files or {}).items())),
        "numbers": None,
        "tolerance": "0",
        "timeout_s": 60,
        "targets": (TARGET,),
    }
    return LockedTest(**{**fields, **changes})


def prefix(root: Path, *, final_path: str | None = None, group: str | None = None) -> Prefix:
    return Prefix(
        root=root,
        final_path=final_path or f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}",
        stack="mini",
        release="2026.11",
        target=TARGET,
        group=group,
        lock_digest=sha("lock"),
        inventory=sha("inventory"),
    )


def number(name: str, value: float | None, reference: float | None, **changes: Any) -> Number:
    fields: dict[str, Any] = {
        "unit": "keV",
        "source": "a paper",
        "tolerance": 0.01,
        "absolute": 0.0,
        "message": "",
    }
    return Number(name=name, value=value, reference=reference, **{**fields, **changes})


def result(package: str, name: str, outcome: Outcome = Outcome.PASSED, **changes: Any) -> TestResult:
    fields: dict[str, Any] = {"version": "1.0", "kind": "run", "duration_s": 0.25}
    return TestResult(package=package, name=name, outcome=outcome, **{**fields, **changes})


def report(*results: TestResult, **changes: Any) -> TestReport:
    fields: dict[str, Any] = {
        "stack": "mini",
        "release": "2026.11",
        "target": TARGET,
        "group": None,
        "final_path": f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}",
        "lock_digest": sha("lock"),
        "inventory": sha("inventory"),
        "seal": "bubblewrap",
        "started": "2026-11-22T10:00:00Z",
        "duration_s": 12.5,
        "results": results,
    }
    return TestReport(**{**fields, **changes})


def full_report() -> TestReport:
    """Return a report in which everything that can happen happens, hostile texts among it."""
    return report(
        result("nest", "links", kind="run", output="\tlinux-vdso.so.1\n\tlibm.so.6 => /lib/libm.so.6\n"),
        result(
            "nest",
            "er-yields",
            Outcome.FAILED,
            kind="compile",
            cause=Cause.NUMBERS,
            message="1 of 2 numbers disagree: light is 5.35 keV",
            duration_s=3.2,
            numbers=(
                number("charge", 42.1, 42.0),
                number("light", 5.35, 5.2, message="light is 5.35 keV, the reference is 5.2 keV"),
            ),
            output="drew 10000 events\n",
        ),
        result(
            "zeromq",
            "<script>alert('name')</script>",
            Outcome.FAILED,
            cause=Cause.EXIT,
            message='ended with status 3 & "quotes"',
            output="</pre><script>alert(1)</script>\x00\x07\x1b end ]]> \ud800 é ✓\n",
        ),
        result(
            "zlib",
            "python",
            Outcome.SKIPPED,
            kind="python",
            cause=Cause.NEEDS,
            message="needs python, not in this prefix",
            duration_s=0.0,
            where="build tools",
        ),
        result(
            "",
            "chain",
            version="2026.11",
            duration_s=71.0,
            numbers=(
                number("events", 1000.0, 1000.0, unit="", tolerance=0.0, source="exact by construction"),
                number("mean light", 5.198, 5.2),
            ),
        ),
    )
