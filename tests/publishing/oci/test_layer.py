from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.publishing.oci import ground

from lode import inventory
from lode.errors import HostError, VerificationError
from lode.inventory import Entry, EntryType
from lode.publishing.oci import compression, layer, tarball
from lode.publishing.oci.layer import LINKED_BYTES, Layer
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.members import read

GZIP = compression.method("gzip")
NAMES = st.binary(min_size=1, max_size=130).filter(
    lambda name: not set(name) & {0, 0x2F} and name not in (b".", b"..") and not name.startswith(b".wh.")
)


def written(root: Path, layout: Layout | None = None, *, at: bytes = b"", method: str = "gzip") -> tuple[Layer, Layout]:
    there = layout or Layout(root.parent / "layout")
    entries = inventory.scan(root)
    return layer.write(there, entries, root, at=at, mtime=7, method=compression.method(method)), there


def members(root: Path, **named: bytes) -> list[tarfile.TarInfo]:
    made, layout = written(root, **named)  # type: ignore[arg-type]
    return ground.unpacked(layout, made.blob.digest).getmembers()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def test_digests_are_those_of_the_file_and_of_the_tar_file_in_it(root: Path) -> None:
    (root / "file").write_bytes(os.urandom(3_000_000))
    made, layout = written(root)
    packed = layout.path(made.blob.digest).read_bytes()
    tar = gzip.decompress(packed)
    assert (made.blob.digest, made.blob.size) == (hashlib.sha256(packed).hexdigest(), len(packed))
    assert (made.diff_id, made.size) == (hashlib.sha256(tar).hexdigest(), len(tar))


def test_members_have_no_owner_and_the_time_that_is_given(root: Path) -> None:
    (root / "file").write_bytes(b"x")
    os.utime(root / "file", (1_000_000, 1_000_000))
    one = members(root)[0]
    assert (one.uid, one.gid, one.uname, one.gname, one.mtime) == (0, 0, "", "", 7)


def test_order_owner_times_holes_and_attributes_of_the_tree_do_not_count(tmp_path: Path) -> None:
    for name, order in (("a", (1, 2, 3)), ("b", (3, 1, 2))):
        root = tmp_path / name / "root"
        root.mkdir(parents=True)
        for number in order:
            (root / f"file{number}").write_bytes(b"x" * number)
    (tmp_path / "a" / "root" / "zeros").write_bytes(bytes(1_000_000))
    with (tmp_path / "b" / "root" / "zeros").open("wb") as file:
        file.truncate(1_000_000)
    with contextlib.suppress(OSError):  # this file system has none
        os.setxattr(tmp_path / "b" / "root" / "file1", "user.note", b"kept nowhere")
    (one, _), (other, _) = written(tmp_path / "a" / "root"), written(tmp_path / "b" / "root")
    assert one == other


def test_large_files_of_one_content_are_hard_links_whatever_they_are_on_disk(root: Path) -> None:
    large = os.urandom(LINKED_BYTES)
    for name in ("a", "b"):
        (root / name).write_bytes(large)
    (root / "c").write_bytes(large)
    (root / "c").chmod(0o755)
    (root / "small").write_bytes(b"x")
    os.link(root / "small", root / "small2")
    kinds = {one.name: (one.type, one.linkname) for one in members(root, at=b"cvmfs/x")}
    assert kinds == {
        "cvmfs/x/a": (tarfile.REGTYPE, ""),
        "cvmfs/x/b": (tarfile.LNKTYPE, "cvmfs/x/a"),
        "cvmfs/x/c": (tarfile.REGTYPE, ""),  # of another mode
        "cvmfs/x/small": (tarfile.REGTYPE, ""),
        "cvmfs/x/small2": (tarfile.REGTYPE, ""),
    }


def test_names_of_any_bytes_and_length_are_kept(root: Path) -> None:
    deep = root / ("d" * 120) / ("e" * 120) / ("f" * 120)
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"deep")
    (root / os.fsdecode(b"caf\xe9\n\xff")).write_bytes(b"latin")
    (root / "link").symlink_to("t" * 300)
    found = {one.name: one for one in members(root)}
    assert f"{'d' * 120}/{'e' * 120}/{'f' * 120}/file" in found
    assert os.fsdecode(b"caf\xe9\n\xff") in found
    assert found["link"].linkname == "t" * 300


def test_sizes_beyond_octal_are_written_as_gnu_tar_writes_them() -> None:
    header = tarball.member(b"huge", tarball.FILE, mode=0o644, size=9 << 30)
    info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    assert info.size == 9 << 30


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_both_compressions_hold_the_same_tar_file(root: Path, method: str) -> None:
    (root / "file").write_bytes(b"text " * 100_000)
    made, _ = written(root, method=method)
    plain, _ = written(root)
    assert made.diff_id == plain.diff_id


def test_bytes_of_a_layer_are_those_of_every_machine(root: Path) -> None:
    (root / "file").write_bytes(b"".join(b"%d squared is %d\n" % (number, number**2) for number in range(100_000)))
    (root / "file").chmod(0o644)
    assert {name: written(root, method=name)[0].blob.digest for name in compression.METHODS} == {
        "gzip": "b4e585700d8da3f07a817276c583a5dbbca98a9997e87271f5696649d9e9eab7",
        "zstd": "ad676d78226989c7d4d8b76d30f0b726129750b8324c2b12c275d392653cf428",
    }


def test_compressor_of_other_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_PROBED", "0" * 64)
    compression._test_gzip.cache_clear()
    with pytest.raises(HostError) as caught:
        compression.method("gzip")
    assert str(caught.value) == (
        "the gzip compressor of this machine writes other bytes than elsewhere: image digests would differ\n"
        "  hint: use a processor of x86-64-v2 or newer and the pinned version of isal, or --compression zstd"
    )


@pytest.mark.parametrize("change", ["gone", "longer", "other", "link"])
def test_file_that_changed_since_it_was_listed_is_refused_and_nothing_is_kept(root: Path, change: str) -> None:
    path = root / "file"
    path.write_bytes(b"listed")
    entries = list(inventory.scan(root))
    path.unlink()
    if change == "link":
        path.symlink_to("/etc/passwd")
    elif change != "gone":
        path.write_bytes(b"listed, then longer" if change == "longer" else b"LISTED")
    layout = Layout(root.parent / "layout")
    with pytest.raises(VerificationError) as caught:
        layer.write(layout, entries, root, mtime=0, method=GZIP)
    reasons = {
        "gone": " is listed in the inventory, but cannot be read: No such file or directory",
        "link": " is listed in the inventory, but cannot be read: Too many levels of symbolic links",
    }
    usual = " is not what the inventory says: it was changed after it was installed"
    assert str(caught.value).partition("\n")[0] == f"{path}{reasons.get(change, usual)}"
    assert [one for one in layout.root.rglob("*") if one.is_file()] == []


def test_device_in_a_tree_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(VerificationError) as caught:
        written(root)
    assert str(caught.value).partition("\n")[0] == "pipe is a fifo"


@given(st.dictionaries(NAMES, st.binary(max_size=3000), max_size=6), st.integers(0, 6))
def test_any_tree_comes_back_as_it_was(files: dict[bytes, bytes], links: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        for number, (name, content) in enumerate(files.items()):
            place = os.path.join(os.fsencode(root), name)
            if number % 3 == 2:
                os.mkdir(place)
                place = os.path.join(place, name)
            if number < links:
                os.symlink(content.replace(b"\0", b"")[:200] or b".", place)
            else:
                with open(place, "wb") as file:
                    file.write(content)
        made, layout = written(root)
        ground.unpacked(layout, made.blob.digest).extractall(Path(folder, "out"), filter="fully_trusted")
        Path(folder, "out").mkdir(exist_ok=True)
        assert list(inventory.scan(Path(folder, "out"))) == list(inventory.scan(root))
        tar = gzip.decompress(b"".join(layout.get_blob(made.blob.digest)))
        own = [(one.name, one.size, one.sha256) for one in read(iter([tar]), lambda name: True)]
        listed = [
            (
                one.path.encode("utf-8", "surrogateescape"),
                one.size if one.type is EntryType.FILE else 0,
                one.content if one.type is EntryType.FILE else "",
            )
            for one in inventory.scan(root)
        ]
        assert own == listed


@given(st.binary(max_size=2000), st.integers(1, 700))
def test_pieces_of_any_length_are_read_alike(content: bytes, length: int) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("x" * 180 + "/ü")
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    whole = tar.getvalue()
    pieces = (whole[start : start + length] for start in range(0, len(whole), length))
    assert list(read(pieces, lambda name: True)) == list(read(iter([whole]), lambda name: True))


def test_entry_of_a_changed_mode_makes_other_bytes(root: Path) -> None:
    (root / "file").write_bytes(b"x")
    entry = next(inventory.scan(root))
    layout = Layout(root.parent / "layout")
    digests = {
        layer.write(layout, [changed], root, mtime=0, method=GZIP).diff_id
        for changed in (entry, dataclasses.replace(entry, mode=stat.S_IRUSR))
    }
    assert len(digests) == 2


def test_key_of_a_layer_moves_with_each_thing_that_decides_its_bytes() -> None:
    from lode.publishing.oci import keep

    entry = Entry(path="a", type=EntryType.FILE, mode=0o644, size=1, content="0" * 64)
    changes = (
        {"path": "b"}, {"type": EntryType.SYMLINK}, {"mode": 0o755}, {"size": 2}, {"content": "1" * 64},
    )  # fmt: skip
    keys = {keep.key([dataclasses.replace(entry, **change)], b"at", 0, GZIP) for change in ({}, *changes)}  # type: ignore[arg-type]
    keys |= {
        keep.key([entry], b"other", 0, GZIP),
        keep.key([entry], b"at", 1, GZIP),
        keep.key([entry], b"at", 0, compression.method("zstd")),
        keep.key([], b"at", 0, GZIP),
    }
    assert len(keys) == 10
