"""The mirror's layout, which Spack asks for too, and what has a final name in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.sourcing.factory import source

from lode.errors import HostError
from lode.rendering.mirror import relative_path
from lode.sourcing.mirror import Mirror

SHA = "c81c81bba8a7644c84932225f018b5088743a22999c6d82a2b5f5cd1e6942b74"


@pytest.mark.parametrize(
    ("filename", "extension"),
    [
        ("cppzmq_4.10.0.orig.tar.gz", ".tar.gz"),
        ("v1.10.tgz", ".tgz"),
        ("x.tar.bz2", ".tar.bz2"),
        ("x.tar.xz", ".tar.xz"),
        ("x.tar.zst", ".tar.zst"),
        ("x.tar", ".tar"),
        ("x.ZIP", ".zip"),
        ("attrs-26.1.0-py3-none-any.whl", ".whl"),
        ("fix.patch", ""),
        ("R-3_06_02", ""),
        ("data.gz", ""),
    ],
)
def test_file_lies_where_spack_asks_for_it(filename: str, extension: str) -> None:
    assert relative_path(source(sha256=SHA, filename=filename)) == f"_source-cache/archive/c8/{SHA}{extension}"


def test_file_that_is_not_unpacked_has_no_extension() -> None:
    wheel = source(sha256=SHA, filename="attrs-26.1.0-py3-none-any.whl", unpack=False)
    assert relative_path(wheel) == f"_source-cache/archive/c8/{SHA}"


def test_same_bytes_under_another_extension_will_do(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    there, asked = source(sha256=SHA, filename="x.tgz"), source(sha256=SHA, filename="x.tar.gz")
    assert mirror.find(asked) is None
    mirror.path(there).parent.mkdir(parents=True)
    mirror.path(there).write_bytes(b"")
    assert mirror.find(asked) == mirror.path(there)
    assert mirror.has(asked)


def test_what_is_on_its_way_is_not_there(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    wanted = source(content=b"whole")
    part = mirror.partial(wanted.sha256)
    part.write_bytes(b"who")
    assert not mirror.has(wanted)
    part.write_bytes(b"whole")
    assert mirror.place(part, wanted) == mirror.path(wanted)
    assert mirror.path(wanted).read_bytes() == b"whole"
    assert mirror.path(wanted).stat().st_mode & 0o777 == 0o644
    assert not part.exists()


def test_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    mirror, wanted, stop, order = Mirror(tmp_path), source(content=b"x"), threading.Event(), []

    def second() -> None:
        with mirror.held(wanted.sha256, stop):
            order.append("second")

    thread = threading.Thread(target=second)
    with mirror.held(wanted.sha256, stop):
        thread.start()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_mirror_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError) as caught:
        Mirror(tmp_path / "file" / "mirror").partial(source(content=b"x").sha256)
    assert str(caught.value) == (
        f"cannot write to {tmp_path}/file/mirror: Not a directory\n  hint: choose a folder that can be written"
    )
