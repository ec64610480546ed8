"""Two small real sources, through whatever indexes and mirrors this machine is set up with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, lock, no_recipe_file, node, source

from lode.errors import SourceError
from lode.locking.graph import LockedSource
from lode.sourcing.access import Access
from lode.sourcing.fetch import fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.stage import stage

pytestmark = pytest.mark.integration

SDIST = source(
    "pypi kaitaistruct==0.10/kaitaistruct-0.10.tar.gz",
    sha256="a044dee29173d6afbacf27bcac39daf89b654dd418cfa009ab82d9178a9ae52a",
    filename="kaitaistruct-0.10.tar.gz",
)
ORIG = source(
    "debian cppzmq=4.10.0-1/cppzmq_4.10.0.orig.tar.gz",
    sha256="c81c81bba8a7644c84932225f018b5088743a22999c6d82a2b5f5cd1e6942b74",
    filename="cppzmq_4.10.0.orig.tar.gz",
    size=47099,
)


@pytest.mark.parametrize(("wanted", "file"), [(SDIST, "kaitaistruct.py"), (ORIG, "zmq.hpp")], ids=["pypi", "debian"])
def test_real_source_is_fetched_checked_and_unpacked(tmp_path: Path, wanted: LockedSource, file: str) -> None:
    mirror = Mirror(tmp_path / "mirror")
    one = node("real", wanted)
    try:
        fetch(lock(one), mirror, targets=[TARGET], recipe_file=no_recipe_file, access=Access(archive=""))
    except SourceError as error:
        pytest.skip(f"not reachable from here: {error}")
    stage(
        one, TARGET, mirror, file=lambda *_: b"", recipe_file=no_recipe_file, destination=tmp_path / "tree"
    )  # fmt: skip
    assert (tmp_path / "tree" / file).is_file()
