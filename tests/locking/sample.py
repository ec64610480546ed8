"""A lock in which every field has a value that says something, for tests of forms and hashes."""

from __future__ import annotations

from lode import digest
from lode.definitions.recipe import Environment, Kind, Origin, System, Upstream
from lode.definitions.stack import Pins, Publish
from lode.definitions.target import Base, Compiler, External, Target
from lode.digest import Digest
from lode.locking import lockfile, nodehash
from lode.locking.graph import (
    Edge,
    Extended,
    ExternalEdge,
    Lock,
    LockedArgument,
    LockedBuild,
    LockedPatch,
    LockedSource,
    LockedTarget,
    LockedTest,
    Node,
)

T = "debian12-x86_64"


def sha(text: str) -> Digest:
    return digest.of_bytes(text.encode())


def sample_target(name: str = T) -> Target:
    return Target(
        name=name,
        os="debian",
        os_version="12",
        arch="x86_64",
        base=Base(image="docker.io/library/debian@sha256:0", suite="bookworm", snapshot="20261101T000000Z"),
        compiler=Compiler(name="gcc", version="12.2.0", languages=("c", "cxx", "fortran"), fortran="/usr/bin/gfortran"),
        glibc="2.36",
        libstdcxx="3.4.30",
        system_packages=("gcc", "make=4.3"),
        runtime_packages=("libc6",),
        externals=(External(package="cmake", version="3.25.1", system_package="cmake", program="/usr/bin/cmake"),),
        system_libraries=("libc.so.6",),
        end_of_life="2028-06-30",
    )


def sample_node(package: str = "app", edges: tuple[Edge, ...] = (), targets: tuple[str, ...] = (T,)) -> Node:
    return Node(
        package=package,
        version="6.32.04",
        summary="Größe und 'Wert'",
        homepage="https://example.org",
        license="MIT",
        redistributable=True,
        cite=("10.1/2",),
        tags=("daq",),
        options={"gdml": "true", "std": "17"},
        languages=("c", "cxx"),
        sources=(
            LockedSource(
                origins=(
                    Origin(scheme="url", location="https://example.org/app-1.tar.gz"),
                    Origin(scheme="pypi", location="app==1/app-1.tar.gz"),
                ),
                sha256=sha("source"),
                size=1000,
                swhid="swh:1:cnt:0123",
                directory="below",
                subdirectory="lib/app",
                unpack=True,
                filename="app-1.tar.gz",
                targets=targets,
            ),
            LockedSource(
                origins=(Origin(scheme="path", location="table.txt"),),
                sha256=sha("table"),
                size=None,
                swhid=None,
                directory="",
                subdirectory="",
                unpack=False,
                filename="table.txt",
                targets=targets,
            ),
        ),
        patches=(
            LockedPatch(
                file="patches/a.patch",
                sha256=sha("patch"),
                strip=1,
                reason="gcc 13",
                upstream="https://example.org/1",
                until=">=7",
                targets=targets,
            ),
        ),
        build=LockedBuild(
            system=System.CMAKE,
            subdirectory="sub",
            args=(
                LockedArgument(words=("-DA=1",), targets=targets),
                LockedArgument(words=("-DG=ON",), targets=targets, option="gdml", define="G", value="true"),
            ),
            environment=(("CFLAGS", "-O2"),),
            prepare="autoreconf -i\n",
            targets=("all",),
            install_targets=("install",),
            script="make\n",
            finish="rm -r share/doc\n",
            in_source=True,
            jobs=4,
            memory_mb=2000,
        ),
        edges=edges,
        externals=(ExternalEdge(package="cmake", targets=targets, constraint=">=3.16"),),
        environment=Environment(prepend=(("PATH", "sbin"),), set=(("APP", "share"),), value=(("MODE", "fast"),)),
        tests=(sample_test(targets),),
        system_libraries=("libGL.so.1",),
        upstream=Upstream(spack="app", conda="conda-forge::app"),
        provider="lode",
        prebuilt=False,
        targets=targets,
        reasons=("stack: app",),
        recipe=sha("recipe"),
        hashes={},
        absent={"std": ("el9-x86_64",)},
    )


def sample_test(targets: tuple[str, ...] = (T,)) -> LockedTest:
    return LockedTest(
        name="works",
        run="app --version",
        compile="tests/a.cpp",
        python="import app",
        libraries=("app",),
        flags=("-std=c++17",),
        files=(("tests/a.cpp", sha("test")),),
        numbers="tests/a.json",
        tolerance="1e-6",
        timeout_s=300,
        targets=targets,
    )


def sample_edges(targets: tuple[str, ...] = (T,)) -> tuple[Edge, ...]:
    return (
        Edge(package="lib", kinds=(Kind.LINK, Kind.TEST), targets=targets, constraint=">=1", options=(("x", "true"),)),
        Edge(package="tool", kinds=(Kind.BUILD,), targets=targets, constraint=""),
    )


def sample_lock(*targets: str) -> Lock:
    names = targets or (T,)
    definitions = [sample_target(name) for name in sorted(names)]
    locked = tuple(LockedTarget(definition=one, digest=nodehash.of_target(one)) for one in definitions)
    nodes = [
        sample_node("app", sample_edges(names), names),
        sample_node("lib", (), names),
        sample_node("tool", (), names),
    ]
    return lockfile.seal(
        Lock(
            schema=lockfile.SCHEMA,
            stack="dance",
            release="2026.11",
            date="2026-11-01",
            summary="A stack",
            collections=(("experiment", "3"), ("lode", "1.0")),
            extends=Extended(stack="base", release="2026.11", digest=sha("base")),
            tools={"lode-format": "1", "rattler": "0.28.0", "rattler-build": "0.73.0"},
            pins=Pins(spack="a" * 40, spack_packages="b" * 40, conda_channels=(("conda-forge", "2026-11-01"),)),
            publish=Publish(cvmfs="dance.example.org", registry="ghcr.io/dance/dance", channel="https://example.org/c"),
            requirements=("app >=6",),
            groups={"daq": ("app",)},
            targets=locked,
            nodes=nodehash.hashed(nodes, {one.definition.name: one.digest for one in locked}),
            tests=(sample_test(names),),
            digest=lockfile.UNSEALED,
        )
    )
