"""Inventories: order, digest, refusal of what cannot be in a tree, and comparison."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode import digest as digests
from lode import inventory
from lode.errors import HostError, VerificationError
from lode.inventory import Difference, Entry, EntryType

X = hashlib.sha256(b"x").hexdigest()
EMPTY = hashlib.sha256(b"").hexdigest()


def file(path: str, content: str = X, *, mode: int = 0o644, size: int = 1) -> Entry:
    return Entry(path=path, type=EntryType.FILE, mode=mode, size=size, content=content)


def folder(path: str, mode: int = 0o755) -> Entry:
    return Entry(path=path, type=EntryType.DIRECTORY, mode=mode, size=0, content="")


def link(path: str, target: str) -> Entry:
    return Entry(path=path, type=EntryType.SYMLINK, mode=0o777, size=len(target), content=target)


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        (root / path).write_bytes(b"x")
        (root / path).chmod(0o644)


# ---- scan ----


def test_a_tree_is_listed_with_type_mode_size_and_content(tmp_path: Path) -> None:
    make(tmp_path, "bin/run", "share/empty")
    (tmp_path / "bin/run").chmod(0o755)
    (tmp_path / "share/empty").write_bytes(b"")
    (tmp_path / "share/link").symlink_to("../bin/run")
    for name in ("bin", "share"):
        (tmp_path / name).chmod(0o755)
    assert list(inventory.scan(tmp_path)) == [
        folder("bin"),
        file("bin/run", mode=0o755),
        folder("share"),
        file("share/empty", EMPTY, size=0),
        link("share/link", "../bin/run"),
    ]


def test_order_is_bytes_order_of_the_whole_path(tmp_path: Path) -> None:
    make(tmp_path, "a/z", "a-b", "a.b", "a0", "a/b/c", "B", "é")
    paths = [entry.path for entry in inventory.scan(tmp_path)]
    assert paths == ["B", "a", "a-b", "a.b", "a/b", "a/b/c", "a/z", "a0", "é"]


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make(outside, "secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "nowhere").symlink_to("nothing")
    assert list(inventory.scan(root)) == [link("folder", str(outside)), link("nowhere", "nothing")]


def test_hard_links_are_independent_files(tmp_path: Path) -> None:
    make(tmp_path, "one")
    os.link(tmp_path / "one", tmp_path / "two")
    assert list(inventory.scan(tmp_path)) == [file("one"), file("two")]


def test_set_user_id_is_part_of_the_mode(tmp_path: Path) -> None:
    make(tmp_path, "su")
    (tmp_path / "su").chmod(0o4755)
    assert next(inventory.scan(tmp_path)).mode == 0o4755


def test_excluded_paths_are_left_out_with_all_below(tmp_path: Path) -> None:
    make(tmp_path, "a/b", "a/c/d", "a/cc", "e")
    paths = [entry.path for entry in inventory.scan(tmp_path, exclude=("a/c", "e"))]
    assert paths == ["a", "a/b", "a/cc"]


def test_an_undecodable_name_survives_writing_and_reading(tmp_path: Path) -> None:
    root, listed = tmp_path / "root", tmp_path / "inventory.jsonl"
    root.mkdir()
    (root / os.fsdecode(b'caf\xe9\n"\\udce9')).write_bytes(b"x")
    digest = inventory.write(inventory.scan(root), listed)
    assert listed.read_bytes() == b'["caf\\udce9\\n\\"\\\\udce9","file","0644",1,"%s"]\n' % X.encode()
    assert list(inventory.read(listed)) == list(inventory.scan(root))
    assert digest == digests.of_bytes(listed.read_bytes())


def test_a_large_file_is_hashed_in_a_thread_and_keeps_its_place(tmp_path: Path) -> None:
    make(tmp_path, "a", "c")
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").chmod(0o644)
    big = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert list(inventory.scan(tmp_path)) == [file("a"), file("b", big, size=3_000_000), file("c")]


def test_a_fifo_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run/pipe")
    with pytest.raises(VerificationError) as caught:
        list(inventory.scan(tmp_path))
    assert str(caught.value) == (
        "run/pipe is a fifo\n  hint: a tree holds files, folders and links only; remove it and try again"
    )


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(VerificationError, match="s is a socket"):
            list(inventory.scan(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices and reads nothing at all")
def test_a_device_is_refused(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this machine makes no devices")
    with pytest.raises(VerificationError, match="null is a character device"):
        list(inventory.scan(tmp_path))


def test_a_missing_tree_is_an_error_of_the_host(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be read: No such file or directory"):
        list(inventory.scan(tmp_path / "nothing"))


def scan_for(seconds: float, root: Path) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        list(inventory.scan(root))


@pytest.mark.parametrize("size", [1_000, 40_000_000])
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, size: int) -> None:
    target = tmp_path / "log"
    target.write_bytes(b"x" * size)
    stop = threading.Event()

    def grow() -> None:
        with target.open("ab", buffering=0) as out:
            while not stop.is_set():
                out.write(b"y")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(VerificationError, match="log changed while it was read"):
            scan_for(20, tmp_path)  # a small file may be read between two writes
    finally:
        stop.set()
        writer.join()


def test_a_file_removed_during_the_scan_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    entries = inventory.scan(tmp_path)
    next(entries)
    (tmp_path / "b").unlink()
    with pytest.raises(VerificationError, match="b changed while it was read"):
        list(entries)


def test_a_folder_swapped_for_a_link_during_the_scan_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "a", "d/inside")
    entries = inventory.scan(tmp_path)
    next(entries)
    (tmp_path / "d/inside").unlink()
    (tmp_path / "d").rmdir()
    (tmp_path / "d").symlink_to("/etc")
    with pytest.raises(VerificationError, match=r"d/? changed while it was read"):
        list(entries)


def test_an_abandoned_scan_leaves_no_open_files(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c", "a/b/d")
    (tmp_path / "a/b/big").write_bytes(b"x" * 1_000_000)
    before = len(os.listdir("/proc/self/fd"))
    entries = inventory.scan(tmp_path)
    for _ in range(3):
        next(entries)
    entries.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) == before


# ---- writing and reading ----


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    entries = [folder("a"), file("a/b"), link("c", "a")]
    path = tmp_path / "inventory.jsonl"
    assert inventory.write(entries, path) == inventory.digest(entries) == digests.of_bytes(path.read_bytes())
    assert path.stat().st_mode & 0o777 == 0o644


def test_known_inventory_has_the_known_digest() -> None:
    entries = [folder("bin"), file("bin/run", mode=0o755), link("lib", "bin")]
    assert inventory.digest(entries) == "de4539e93da662f04260fad1f7b1f1b31ff30536edfafe81b15c7abeda32fbad"


def test_every_field_moves_the_digest() -> None:
    base = inventory.digest([file("a")])
    others = [
        file("b"),
        Entry(path="a", type=EntryType.SYMLINK, mode=0o644, size=1, content=X),
        file("a", mode=0o755),
        file("a", size=2),
        file("a", EMPTY),
    ]
    assert len({base, *(inventory.digest([entry]) for entry in others)}) == 6


def test_entries_out_of_order_are_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="entries out of order: 'a' after 'b'"):
        inventory.write([file("b"), file("a")], tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'["a","file","0644",1,"%s"]' % X.encode(), "it is not in canonical form"),
        (b'["a", "file","0644",1,"%s"]\n' % X.encode(), "it is not in canonical form"),
        (b'["../a","directory","0755",0,""]\n', "../a is not a path inside a tree"),
        (b'["/a","directory","0755",0,""]\n', "/a is not a path inside a tree"),
        (b'["a","directory","0755",4,""]\n', "a is a folder with content"),
        (b'["a","symlink","0777",4,"b"]\n', "a is a link of another length than its target"),
        (b'["a","file","0644",1,"abc"]\n', "not a sha256 in hexadecimal: 'abc'"),
        (b'["a","device","0644",1,""]\n', "'device' is not a valid EntryType"),
        (b"[]\n", "it has not five fields"),
    ],
)
def test_a_faulty_line_is_named_by_file_and_number(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "inventory.jsonl"
    path.write_bytes(b'["Z","directory","0755",0,""]\n' + line)
    with pytest.raises(VerificationError) as caught:
        list(inventory.read(path))
    assert str(caught.value) == (
        f"{path}:2:1: not a line of an inventory: {reason}\n"
        "  hint: the file was cut or edited; take it again from where the tree came from"
    )


def test_lines_out_of_order_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "inventory.jsonl"
    path.write_bytes(b'["b","directory","0755",0,""]\n["a","directory","0755",0,""]\n')
    with pytest.raises(VerificationError, match=r"inventory.jsonl:2:1: .*: a is out of order"):
        list(inventory.read(path))


names = st.binary(min_size=1, max_size=6).filter(lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b".."))
trees = st.dictionaries(st.lists(names, min_size=1, max_size=3).map(b"/".join), st.binary(max_size=20), max_size=12)


@given(tree=trees)
def test_any_tree_scans_in_order_and_round_trips(
    tree: dict[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("tree")
    root = os.fsencode(base) + b"/root"
    os.mkdir(root)
    for path, content in tree.items():
        full = root + b"/" + path
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as out:
                out.write(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue  # another path has made it a folder or a file
    entries = list(inventory.scan(base / "root"))
    keys = [os.fsencode(entry.path) for entry in entries]
    expected = sorted(
        os.path.relpath(os.path.join(at, name), root)
        for at, folders, files in os.walk(root)
        for name in folders + files
    )
    assert keys == expected
    listed = base / "inventory.jsonl"
    digest = inventory.write(entries, listed)
    assert list(inventory.read(listed)) == entries
    assert inventory.digest(inventory.read(listed)) == digest == inventory.digest(inventory.scan(base / "root"))


text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=8)


@given(path=text.filter(lambda t: t not in (".", "..")), mode=st.integers(0, 0o7777))
def test_a_line_is_canonical_json(path: str, mode: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    entry = file(path, mode=mode)
    listed = tmp_path_factory.mktemp("line") / "one"
    inventory.write([entry], listed)
    assert listed.read_bytes() == digests.canonical([path, "file", f"{mode:04o}", 1, X]) + b"\n"


# ---- compare ----


def test_differences_say_what_changed_where() -> None:
    left = [folder("a"), file("a/b"), file("a/c"), link("d", "a"), file("e"), file("gone")]
    right = [
        folder("a", 0o700),
        file("a/b", EMPTY, mode=0o755),
        link("a/c", "b"),
        link("d", "e"),
        file("e"),
        file("new"),
    ]
    assert [str(difference) for difference in inventory.compare(left, right)] == [
        "changed  a (mode)",
        "changed  a/b (mode, content)",
        "changed  a/c (type)",
        "changed  d (target)",
        "removed  gone",
        "added    new",
    ]


def test_a_difference_is_printed_without_control_characters() -> None:
    assert str(Difference(left=file("a\n\x1b[31m"), right=None)) == "removed  a\\n\\u001b[31m"


entries_of = st.dictionaries(text, st.sampled_from([X, EMPTY]), max_size=8).map(
    lambda found: [file(path, found[path]) for path in sorted(found, key=lambda path: path.encode())]
)


@given(left=entries_of, right=entries_of)
def test_comparing_agrees_with_dictionaries(left: list[Entry], right: list[Entry]) -> None:
    ours, theirs = {e.path: e for e in left}, {e.path: e for e in right}
    expected = {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}
    found = list(inventory.compare(iter(left), iter(right)))
    assert {difference.path for difference in found} == expected
    assert [d.path.encode() for d in found] == sorted(path.encode() for path in expected)
    assert all((d.left, d.right) == (ours.get(d.path), theirs.get(d.path)) for d in found)


@given(entries=entries_of)
def test_a_tree_does_not_differ_from_itself(entries: list[Entry]) -> None:
    assert list(inventory.compare(entries, entries)) == []
