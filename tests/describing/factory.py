"""A release like `dance-mini`, with everything that a page can show."""

from __future__ import annotations

from tests.testing.factory import TARGET, lock, node, number, report, result, sha

from lode.building.artifact import BuildRecord
from lode.definitions.recipe import Kind
from lode.describing.records import NodeRecord
from lode.describing.report import TargetRelease
from lode.locking.graph import Edge, ExternalEdge, Lock, LockedPatch, Node
from lode.testing.results import Outcome, TestReport

LINK, BUILD, RUN, TEST = Kind.LINK, Kind.BUILD, Kind.RUN, Kind.TEST
HOST = {"kernel": "6.1.0", "glibc": "2.36", "cpu": "a processor"}


def mini() -> Lock:
    """Return the lock of a stack of fifteen packages: libraries, a simulation, CPython and what they are made with."""
    patch = LockedPatch(
        file="patches/installed-gcem.patch", sha256=sha("patch"), strip=1, reason="finds <gcem> where it is installed",
        upstream="https://nest.example.org/pull/1", until=">=2.5", targets=(TARGET,),
    )  # fmt: skip
    return lock(
        node("cmake", "3.31.0", needs={}),
        node("zlib", "1.3.1", license="Zlib", reasons=("hdf5: zlib", "python: zlib")),
        node("zstd", "1.5.7", license="BSD-3-Clause OR GPL-2.0-only", needs={"cmake": [BUILD]}),
        node("libzmq", "4.3.5", license="MPL-2.0", needs={"cmake": [BUILD]}, options={"curve": "false"}),
        node("cppzmq", "4.10.0", license="MIT", needs={"libzmq": [LINK], "cmake": [BUILD]}),
        node("hdf5", "1.14.5", license="BSD-3-Clause", needs={"zlib": [LINK], "cmake": [BUILD]},
             options={"cxx": "true", "threadsafe": "false", "api": "1.14"}),
        node("gcem", "1.18.0", license="Apache-2.0", needs={"cmake": [BUILD]}),
        node("nest", "2.4.0", license="Apache-2.0", needs={"gcem": [LINK], "cmake": [BUILD]}, patches=(patch,),
             cite=("10.5281/zenodo.2535713", "10.1088/1748-0221/6/10/P10002"), reasons=("stack: nest >=2.4",),
             externals=(ExternalEdge(package="pkgconf", targets=(TARGET,), constraint=""),),
             summary="Noble Element Simulation Technique, light & charge yields in <liquid> xenon"),
        node("libffi", "3.4.8", license="MIT"),
        node("openssl", "3.5.1", license="Apache-2.0", needs={"zlib": [LINK]}),
        node("python", "3.12.11", license="Python-2.0.1",
             needs={"libffi": [LINK], "openssl": [LINK], "zlib": [LINK]}),
        node("numpy", "2.3.1", license="BSD-3-Clause", needs={"python": [LINK, RUN]}, prebuilt=True,
             cite=("10.1038/s41586-020-2649-2",)),
        node("h5py", "3.14.0", license="BSD-3-Clause", needs={"python": [LINK, RUN], "hdf5": [LINK], "numpy": [RUN]}),
        node("daq-chain", "0.1.0", license="LicenseRef-Proprietary", redistributable=False,
             needs={"cppzmq": [LINK], "nest": [LINK], "hdf5": [LINK], "zstd": [LINK], "h5py": [RUN]}),
        node("mcpl", "2.2.0", license="CC0-1.0", needs={"zlib": [LINK], "cmake": [BUILD]},
             homepage="javascript:alert(1)", summary="<script>alert('summary')</script>"),
        requirements=["daq-chain", "nest >=2.4", "mcpl", "numpy"],
        groups={"daq": ("daq-chain",), "simulation": ("mcpl", "nest")},
        stack="dance-mini",
        summary="DAQ and simulation of a xenon time projection chamber, in little",
    )  # fmt: skip


def chain(length: int) -> Lock:
    """Return a lock of `length` packages, each using the one before."""
    nodes: list[Node] = []
    for place in range(length):
        edge = Edge(package=f"p{place - 1:03}", kinds=(LINK,), targets=(TARGET,), constraint="")
        nodes.append(node(f"p{place:03}", edges=(edge,) if place else ()))
    return lock(*nodes)


def records(locked: Lock) -> tuple[NodeRecord, ...]:
    return tuple(
        NodeRecord(
            package=each.package,
            version=each.version,
            node_hash=each.hashes[TARGET],
            sha256=sha(f"package {each.package}"),
            inventory=sha(f"inventory {each.package}"),
            record=BuildRecord(
                seal="none" if each.package == "gcem" else "bubblewrap",
                seal_reason="bubblewrap (bwrap) is not installed" if each.package == "gcem" else "",
                wall_s=4.0 + 13 * place,
                cpu_s=7.0 + 21 * place,
                peak_memory_mb=120 + place,
                size_bytes=180_000 * (1 + place * place),
                started="2026-11-22T10:00:00Z",
                host=HOST,
                tools={"rattler-build": "0.73.0"},
            ),
        )
        for place, each in enumerate(locked.nodes)
    )


def report_of(locked: Lock) -> TestReport:
    return report(
        result("hdf5", "links"),
        result("mcpl", "reads", Outcome.FAILED, message="ended with status 1"),
        result("nest", "links"),
        result("nest", "er-yields", kind="compile", duration_s=3.2, numbers=(number("charge", 42.1, 42.0),)),
        result("numpy", "self test", Outcome.SKIPPED, message="needs pytest, not in this prefix"),
        result("", "chain", version="2026.11", numbers=(number("mean light", 5.198, 5.2, source="NEST 2.4"),)),
        stack=locked.stack,
        release=locked.release,
        lock_digest=locked.digest,
    )


def released(locked: Lock) -> TargetRelease:
    return TargetRelease(
        target=TARGET,
        inventory=sha("inventory"),
        files=7421,
        size_bytes=412_000_000,
        records=records(locked),
        tests=report_of(locked),
    )
