"""Archives of every form, and archives that mean harm."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.sourcing.factory import archive, tree

from lode.errors import SourceError
from lode.sourcing.archives import Limits
from lode.sourcing.unpack import EPOCH_S, parts, unpack

FILES = {"top/": b"", "top/README": b"read me\n", "top/src/a.c": b"int a;\n", "top/src/link.c": "-> a.c"}
TREE = {"README": "read me\n", "src/a.c": "int a;\n", "src/link.c": "-> a.c"}


def lay(tmp_path: Path, content: bytes, name: str = "thing.tar.gz", **options: object) -> dict[str, str]:
    unpack(io.BytesIO(content), name, tmp_path / "tree", **options)  # type: ignore[arg-type]
    return tree(tmp_path / "tree")


def refusal(tmp_path: Path, content: bytes, **options: object) -> str:
    (tmp_path / "outside").write_text("as it was")
    with pytest.raises(SourceError) as caught:
        lay(tmp_path, content, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (tmp_path / "outside").read_text() == "as it was"
    return str(caught.value).removeprefix("the archive thing.tar.gz is refused: ")


def zipped(files: dict[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["", "gz", "bz2", "xz"])
def test_every_form_of_tar_gives_the_same_tree(tmp_path: Path, form: str) -> None:
    assert lay(tmp_path, archive(FILES, form=form), name="misnamed.zip") == TREE


def test_zstandard_tar_gives_the_same_tree(tmp_path: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(archive(FILES, form=""))
    assert lay(tmp_path, packed) == TREE


def test_zip_gives_the_same_tree(tmp_path: Path) -> None:
    packed = zipped(
        {"top/": b"", "top/README": b"read me\n", "top/src/a.c": b"int a;\n", "top/src/link.c": b"a.c"},
        {"top/src/link.c": stat.S_IFLNK | 0o777},
    )
    assert lay(tmp_path, packed) == TREE


def test_modes_and_times_are_the_same_everywhere(tmp_path: Path) -> None:
    files = {"top/": b"", "top/run": b"", "top/suid": b"", "top/secret": b"", "top/l": "-> run"}
    lay(tmp_path, archive(files, modes={"top/": 0o700, "top/run": 0o711, "top/suid": 0o6755, "top/secret": 0o600}))
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (tmp_path / "tree").iterdir()}
    assert modes == {"run": 0o755, "suid": 0o755, "secret": 0o644, "l": 0o777}
    assert stat.S_IMODE((tmp_path / "tree").stat().st_mode) == 0o755
    assert {path.lstat().st_mtime for path in (tmp_path / "tree", *(tmp_path / "tree").iterdir())} == {EPOCH_S}


def test_archive_with_several_entries_at_its_top_keeps_them(tmp_path: Path) -> None:
    assert lay(tmp_path, archive({"a/x": b"1", "b": b"2"})) == {"a/x": "1", "b": "2"}


def test_single_file_at_the_top_is_no_folder_to_take_off(tmp_path: Path) -> None:
    assert lay(tmp_path, archive({"x": b"1"})) == {"x": "1"}


def test_wheel_keeps_its_single_folder(tmp_path: Path) -> None:
    assert lay(tmp_path, zipped({"pkg/x.py": b"1"}), name="pkg-1-py3-none-any.whl") == {"pkg/x.py": "1"}


def test_subdirectory_is_taken_below_the_single_top_folder(tmp_path: Path) -> None:
    content = archive({"top/lib/gcem/a": b"1", "top/lib/nest/b": b"2"})
    assert lay(tmp_path, content, subdirectory="lib/gcem") == {"a": "1"}


def test_subdirectory_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    content = archive({"top/lib/gcem/a": b"1", "top/doc/b": b"2", "top/c": b"3"})
    text = refusal(tmp_path, content, subdirectory="lib/gsl")
    assert text == "it has no folder 'lib/gsl'; the folders at its top are: doc, lib"


def test_subdirectory_does_not_follow_links(tmp_path: Path) -> None:
    content = archive({"top/lib/a": b"1", "top/l": "-> lib"})
    assert refusal(tmp_path, content, subdirectory="l") == "it has no folder 'l'; the folders at its top are: lib"


def test_hard_link_has_the_bytes_of_its_file(tmp_path: Path) -> None:
    assert lay(tmp_path, archive({"top/a": b"1", "top/b": "=> top/a"})) == {"a": "1", "b": "1"}


def test_second_archive_is_laid_beside_the_first(tmp_path: Path) -> None:
    lay(tmp_path, archive({"t/a/x": b"1"}))
    assert lay(tmp_path, archive({"u/a/y": b"2", "u/b": b"3"})) == {"a/x": "1", "a/y": "2", "b": "3"}


def test_second_archive_does_not_replace_a_file_of_the_first(tmp_path: Path) -> None:
    lay(tmp_path, archive({"t/a/x": b"1"}))
    with pytest.raises(SourceError) as caught:
        lay(tmp_path, archive({"u/a/x": b"2"}))
    assert str(caught.value) == (
        "the archive thing.tar.gz is refused: its member 'x' was brought by another source too"
    )


def test_file_again_replaces_the_earlier_one_as_in_tar(tmp_path: Path) -> None:
    assert lay(tmp_path, archive([("top/a", b"longer content"), ("top/a", b"short")])) == {"a": "short"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../outside": b"x"}, "its member '../outside' leaves the tree by '..'"),
        ({"top/../../outside": b"x"}, "its member 'top/../../outside' leaves the tree by '..'"),
        ({"/tmp/outside": b"x"}, "its member '/tmp/outside' has an absolute path"),
        ({"l": "-> /etc/passwd"}, "its member 'l' is a link to the absolute path '/etc/passwd'"),
        ({"l": "-> ../outside"}, "its member 'l' is a link to '../outside', which leaves the tree"),
        ({"top/a/l": "-> ../../outside"}, "its member 'a/l' is a link to '../../outside', which leaves the tree"),
        ({"l": "-> ..", "l/outside": b"x"}, "its member 'l/outside' goes through the link 'l'"),
        ({"d/": b"", "l": "-> d", "l/x": b"x"}, "its member 'l/x' goes through the link 'l'"),
        ({"f": b"", "f/x": b"x"}, "its member 'f/x' goes through the file 'f'"),
        (
            {"a/b/c/l": "-> ../../..", "m": "-> a/b/c/l/../outside"},
            "its member 'm' is a link to 'a/b/c/l/../outside', which leaves the tree",
        ),
        ({"h": "=> ../outside"}, "its member 'h' is a hard link to '../outside', which leaves the tree"),
        ({"h": "=> /etc/passwd"}, "its member 'h' is a hard link to '/etc/passwd', which leaves the tree"),
        ({"l": "-> ../outside", "h": "=> l"}, "its member 'h' is a hard link to 'l', which is no file before it"),
        ({"h": "=> later", "later": b"x"}, "its member 'h' is a hard link to 'later', which is no file before it"),
        ({"": b"x"}, "its member '' has no name"),
        ({"x" * 300: b"x"}, "a member's name is too long"),
    ],
    ids=range(16),
)
def test_members_that_leave_the_tree_are_refused(tmp_path: Path, files: dict[str, bytes | str], message: str) -> None:
    assert refusal(tmp_path, archive(files)) == message


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("-> outside", b"x", "its member 'a' is a file in place of a link of the same name"),
        (b"x", "-> outside", "its member 'a' is a link in place of a file of the same name"),
        ("-> b", "-> outside", "its member 'a' is a link in place of a link of the same name"),
    ],
)
def test_nothing_takes_the_place_of_a_link(
    tmp_path: Path, first: bytes | str, second: bytes | str, message: str
) -> None:
    assert refusal(tmp_path, archive([("a", first), ("a", second)])) == message


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("top/null")
        info.type, info.devmajor, info.devminor = kind, 1, 3
        tar.addfile(info)
    text = refusal(tmp_path, buffer.getvalue())
    assert text == "its member 'top/null' is neither a file, a folder nor a link"


@pytest.mark.parametrize(
    ("name", "mode", "content", "message"),
    [
        ("../outside", stat.S_IFREG, b"x", "its member '../outside' leaves the tree by '..'"),
        ("/outside", stat.S_IFREG, b"x", "its member '/outside' has an absolute path"),
        ("l", stat.S_IFLNK, b"../outside", "its member 'l' is a link to '../outside', which leaves the tree"),
        ("l", stat.S_IFLNK, b"", "its member 'l' is a link without a target"),
        ("l", stat.S_IFLNK, b"x" * 5000, "its member 'l' is a link with a target of more than 4096 bytes"),
        ("d", stat.S_IFBLK, b"", "its member 'd' is neither a file, a folder nor a link"),
    ],
)
def test_zip_members_that_mean_harm_are_refused(
    tmp_path: Path, name: str, mode: int, content: bytes, message: str
) -> None:
    assert refusal(tmp_path, zipped({name: content}, {name: mode | 0o777})) == message


def test_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    bomb = archive({"zeros": b"\0" * 4_000_000}, form="xz")
    text = refusal(tmp_path, bomb, limits=Limits(free_bytes=1_000_000, ratio=100))
    assert text == f"its {len(bomb)} bytes unpack to more than 100 times as many"


def test_zip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    bomb = zipped({"zeros": b"\0" * 4_000_000})
    text = refusal(tmp_path, bomb, limits=Limits(free_bytes=1_000_000, ratio=100))
    assert text == f"its {len(bomb)} bytes unpack to more than 100 times as many"


def test_archive_is_refused_by_its_size(tmp_path: Path) -> None:
    content = archive({f"top/{index}": b"x" * 100_000 for index in range(20)})
    assert refusal(tmp_path, content, limits=Limits(size_bytes=1_000_000)) == "it unpacks to more than 1000000 bytes"


def test_member_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    text = refusal(tmp_path, archive({"top/big": b"x" * 2_000_000}), limits=Limits(size_bytes=1_000_000))
    assert text == "its member 'top/big' has 2000000 bytes; 1000000 are allowed for the whole archive"


def test_archive_is_refused_by_its_number_of_members(tmp_path: Path) -> None:
    content = archive({f"top/{index}": b"" for index in range(11)})
    assert refusal(tmp_path, content, limits=Limits(members=10)) == "it has more than 10 members"


def test_holes_count_as_bytes(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("hole")
        info.size = 512
        info.pax_headers = {
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "hole",
            "GNU.sparse.realsize": str(200 * 2**20),
        }  # fmt: skip
        tar.addfile(info, io.BytesIO(b"0\n".ljust(512, b"\0")))
    text = refusal(tmp_path, buffer.getvalue())
    assert text == f"its {len(buffer.getvalue())} bytes unpack to more than 250 times as many"


EARLY = "Compressed file ended before the end-of-stream marker was reached"


@pytest.mark.parametrize(
    ("form", "inside", "at_its_start"),
    [
        ("", "unexpected end of data", "it is neither a tar nor a zip archive"),
        ("gz", EARLY, f"it is cut off or damaged before its first member ({EARLY})"),
        ("bz2", EARLY, f"it is cut off or damaged before its first member ({EARLY})"),
        ("xz", EARLY, f"it is cut off or damaged before its first member ({EARLY})"),
        ("zst", "unexpected end of data", "it is cut off or damaged before its first member (truncated header)"),
    ],
)
def test_archive_that_is_cut_off_is_refused_with_the_member(
    tmp_path: Path, form: str, inside: str, at_its_start: str
) -> None:
    files = {"top/first": b"1", "top/second": os.urandom(2_000_000)}
    content = zstandard.compress(archive(files, form="")) if form == "zst" else archive(files, form=form)
    text = refusal(tmp_path, content[: len(content) // 2])
    assert text == f"its member 'top/second' is cut off or damaged ({inside})"
    assert refusal(tmp_path, content[:20]) == at_its_start


def test_tar_without_an_end_is_refused_with_the_last_member(tmp_path: Path) -> None:
    content = archive({"top/first": b"1", "top/second": b"2"}, form="")
    text = refusal(tmp_path, content[: 512 * 4])
    assert text == "it is cut off or damaged at or after its member 'top/second'"


def test_tar_with_a_broken_header_is_refused_not_shortened(tmp_path: Path) -> None:
    content = bytearray(archive({"top/first": b"1", "top/second": b"2", "top/third": b"3"}, form=""))
    content[1024 + 148 : 1024 + 156] = b"99999999"  # the second header's checksum
    assert refusal(tmp_path, bytes(content)) == "it is cut off or damaged at or after its member 'top/first'"


def test_zip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    content = zipped({"top/first": os.urandom(1000)})
    told = "it is cut off or damaged before its first member (File is not a zip file)"
    assert [refusal(tmp_path, content[:end]) for end in (-1, -30, 500)] == [told, told, told]


def test_zip_with_a_damaged_member_is_refused_with_it(tmp_path: Path) -> None:
    content = bytearray(zipped({"top/first": os.urandom(1000)}))
    content[200] ^= 0xFF
    text = refusal(tmp_path, bytes(content))
    assert text == "its member 'top/first' is cut off or damaged (Bad CRC-32 for file 'top/first')"


def test_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": b"x"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    text = refusal(tmp_path, bytes(content))
    assert text == (
        "its member 'a' cannot be read (File <ZipInfo filename='a' compress_type=deflate filemode='-rw-r--r--' "
        "file_size=1 compress_size=3> is encrypted, password required for extraction)"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is neither a tar nor a zip archive"),
        (b"just text\n", "it is neither a tar nor a zip archive"),
        (b"\0" * 2048, "it is neither a tar nor a zip archive"),
        (
            b"\x1f\x8b" + b"\0" * 20,
            "it is cut off or damaged before its first member (Unknown compression method)",
        ),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(tmp_path, content) == message


NAMES = st.lists(st.sampled_from(["a", "b", "..", ".", "", "a\\..\\..", "ä", "\n", "c" * 40]), max_size=5).map("/".join)


@given(NAMES | st.text(max_size=20))
def test_parts_never_leave_the_root(name: str) -> None:
    try:
        found = parts(name)
    except ValueError:
        assert name.startswith("/") or ".." in name.split("/") or "\0" in name
        return
    path = os.path.normpath(os.path.join("/root/tree", *found))
    assert path == "/root/tree" or path.startswith("/root/tree/")


MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(["", "/", "top/", "top/d/"]), NAMES, st.sampled_from(["file", "->", "=>", "folder"]), NAMES
    ),
    max_size=8,
)


@given(MEMBERS)
def test_no_archive_reaches_what_is_outside(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    tmp_path = tmp_path_factory.mktemp("hostile")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_text("as it was")
    files: dict[str, bytes | str] = {}
    for prefix, name, kind, target in rows:
        match kind:
            case "file":
                files[prefix + name] = b"x"
            case "folder":
                files[prefix + name + "/"] = b""
            case link:
                files[prefix + name] = f"{link} {target}"
    try:
        unpack(io.BytesIO(archive(files, form="")), "hostile.tar", tmp_path / "tree")
    except SourceError:
        assert not (tmp_path / "tree").exists()
    root = os.path.realpath(tmp_path / "tree")
    for path in (tmp_path / "tree").rglob("*"):
        assert os.path.realpath(path).startswith(root)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "tree") == ["outside"]
    assert tree(tmp_path / "outside") == {"a": "as it was"}


@given(st.binary(max_size=3000) | st.builds(
    lambda at, junk, form: (lambda whole: whole[:at] + junk + whole[at + len(junk) :])(archive(FILES, form=form)),
    st.integers(0, 2500), st.binary(min_size=1, max_size=40), st.sampled_from(["", "gz", "xz"]),
))  # fmt: skip
def test_no_bytes_make_it_fail_in_another_way(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    tmp_path = tmp_path_factory.mktemp("junk")
    try:
        unpack(io.BytesIO(content), "junk", tmp_path / "tree")
    except SourceError:
        assert list(tmp_path.iterdir()) == []
