"""Nodes, targets and artifacts, complete but small, for the tests of building."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from lode import digest
from lode.building.artifact import Artifact, BuildRecord
from lode.definitions.recipe import Environment, Kind, System, Upstream
from lode.definitions.target import Base, Compiler, Target
from lode.digest import Digest
from lode.locking import nodehash
from lode.locking.graph import Edge, LockedArgument, LockedBuild, LockedSource, Node

TARGET = Target(
    name="debian12-x86_64",
    os="debian",
    os_version="12",
    arch="x86_64",
    base=Base(suite="bookworm"),
    compiler=Compiler(name="gcc", version="12.2.0"),
    glibc="2.36",
    libstdcxx="3.4.30",
    system_libraries=("ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6"),
)


def build(system: System = System.SCRIPT, *, args: Iterable[str] = (), **fields: object) -> LockedBuild:
    """Return build steps with the fields given."""
    steps = LockedBuild(
        system=system,
        subdirectory="",
        args=tuple(LockedArgument(words=(word,), targets=(TARGET.name,)) for word in args),
        environment=(),
        prepare="",
        targets=(),
        install_targets=("install",),
        script="",
        finish="",
        in_source=False,
        jobs=None,
        memory_mb=None,
    )
    return replace(steps, **fields)  # type: ignore[arg-type]


def source(filename: str, *, size: int | None = None, unpack: bool = True) -> LockedSource:
    """Return a source of this name."""
    return LockedSource(
        origins=(),
        sha256=digest.of_bytes(filename.encode()),
        size=size,
        swhid=None,
        directory="",
        subdirectory="",
        unpack=unpack,
        filename=filename,
        targets=(TARGET.name,),
    )


def node(package: str, needs: Mapping[str, Iterable[Kind]] | None = None, **fields: object) -> Node:
    """Return a node without hashes that depends on `needs`."""
    made = Node(
        package=package,
        version="1.0",
        summary="",
        homepage="",
        license="MIT",
        redistributable=True,
        cite=(),
        tags=(),
        options={},
        languages=("c",),
        sources=(),
        patches=(),
        build=build(),
        edges=tuple(
            Edge(package=name, kinds=tuple(sorted(kinds)), targets=(TARGET.name,), constraint="")
            for name, kinds in sorted((needs or {}).items())
        ),
        externals=(),
        environment=Environment(),
        tests=(),
        system_libraries=(),
        upstream=Upstream(),
        provider="lode",
        prebuilt=False,
        targets=(TARGET.name,),
        reasons=(),
        recipe=digest.of_bytes(package.encode()),
        hashes={},
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def graph(*nodes: Node) -> dict[str, Node]:
    """Return the nodes by package, with their hashes."""
    return {node.package: node for node in nodehash.hashed(nodes, {TARGET.name: nodehash.of_target(TARGET)})}


def artifact(node: Node, path: Path, *, content: bytes | None = None, cpu_s: float = 1.0) -> Artifact:
    """Return an artifact of `node` whose package file is written to `path`, which is a folder."""
    content = content if content is not None else node.package.encode()
    path.mkdir(parents=True, exist_ok=True)
    file = path / f"{node.package}-1.0-h_0.conda"
    file.write_bytes(content)
    return Artifact(
        package=node.package,
        version=node.version,
        target=TARGET.name,
        node_hash=node.hashes[TARGET.name],
        path=file,
        sha256=digest.of_bytes(content),
        inventory=Digest("1" * 64),
        record=BuildRecord(
            seal="bubblewrap",
            seal_reason="",
            wall_s=2.0,
            cpu_s=cpu_s,
            peak_memory_mb=10,
            size_bytes=len(content),
            started="2026-11-01T00:00:00+00:00",
            host={"kernel": "6"},
            tools={"py-rattler-build": "0"},
        ),
        index={"name": node.package, "depends": []},
    )
