"""A release folder in little: lock, prefix, records, reports, and a layout with an image and an index of it."""

from __future__ import annotations

from pathlib import Path

from tests.describing.factory import records
from tests.publishing.oci import ground
from tests.testing.factory import TARGET, report, result, whole

from lode.building.artifact import Artifact
from lode.locking import lockfile
from lode.progress import Silent
from lode.publishing.oci.layout import Layout
from lode.workflow import report as releases
from lode.workflow.image import make_images

LOCK = whole(ground.lock())


def release(folder: Path, *, images: bool = True) -> Path:
    """Return `folder` with a release in it that nobody has signed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lode.lock").write_bytes(lockfile.dump(LOCK))
    prefix = ground.prefix(folder / TARGET / "prefix", LOCK)
    artifacts = [
        Artifact(
            package=each.package,
            version=each.version,
            target=TARGET,
            node_hash=each.node_hash,
            path=Path("/cache/x.conda"),
            sha256=each.sha256,
            inventory=each.inventory,
            record=each.record,
        )
        for each in records(LOCK)
    ]
    releases.save_builds(folder, TARGET, artifacts)
    tests = report(
        result("nest", "links"),
        stack=LOCK.stack,
        release=LOCK.release,
        lock_digest=LOCK.digest,
        inventory=prefix.inventory,
    )
    releases.save_tests(folder, tests)
    if images:
        make_images(LOCK, [prefix], folder / "images", progress=Silent())
    releases.write_report(folder)
    return folder


def layout(folder: Path) -> Layout:
    return Layout(folder / "images")
