"""Real packages for the tests of installing: staged files become `.conda` files and artifacts, without a build."""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.testing.factory import TARGET

from lode import digest, inventory
from lode.building.artifact import Artifact, BuildRecord
from lode.locking import lockfile, nodehash
from lode.locking.graph import Lock, Node

RECORD = BuildRecord(
    seal="none",
    seal_reason="made for a test",
    wall_s=0.0,
    cpu_s=0.0,
    peak_memory_mb=0,
    size_bytes=0,
    started="2026-11-01T00:00:00Z",
    host={},
    tools={},
)


def artifact(
    node: Node, folder: Path, files: Mapping[str, bytes], *, programs: Sequence[str] = (), links: Mapping[str, str] = {}
) -> Artifact:
    """Return the artifact of `node`, whose package has `files` by path, of which `programs` may be run, and `links`.

    Its package file lies below `folder`. A file that contains the path of the staging folder is taken for one that
    contains the prefix, as in a real build; `staged(folder, node)` is that path.
    """
    from rattler_build import assemble_package

    stage = staged(folder, node)
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    for path, content in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)
        (stage / path).chmod(0o755 if path in programs else 0o644)
    for path, goal in links.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).symlink_to(goal)
    made = assemble_package(
        node.package,
        node.version,
        "linux-64",
        f"h{node.hashes[TARGET][:7]}_0",
        folder,
        files_dir=stage,
        depends=[edge.package for edge in node.edges],
        timestamp=datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    )
    path = Path(os.fspath(made.path))
    return Artifact(
        package=node.package,
        version=node.version,
        target=TARGET,
        node_hash=node.hashes[TARGET],
        path=path,
        sha256=digest.of_bytes(path.read_bytes()),
        inventory=inventory.digest(inventory.scan(stage)),
        record=RECORD,
    )


def staged(folder: Path, node: Node) -> Path:
    """Return the folder in which the files of `node`'s package are put before they are packed."""
    return folder / "stage" / node.package


def sound(lock: Lock) -> Lock:
    """Return `lock` with the digests and hashes that follow from its fields, so that it can be read back."""
    targets = tuple(replace(target, digest=nodehash.of_target(target.definition)) for target in lock.targets)
    nodes = nodehash.hashed(lock.nodes, {target.definition.name: target.digest for target in targets})
    return lockfile.seal(replace(lock, targets=targets, nodes=nodes))


def no_files(package: str, relative: str) -> bytes:
    """Return the bytes of a test's file: these locks have none."""
    raise KeyError((package, relative))
