"""Installing real packages: the same tree everywhere, put in place whole, refused when packages quarrel."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.installing.making import RECORD, artifact, no_files, sound
from tests.testing.factory import TARGET, lock, locked_test, node

from lode import digest, inventory
from lode.building.artifact import Artifact
from lode.definitions.recipe import Environment, Kind
from lode.errors import BuildError, HostError, LockError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.installing.install import install
from lode.locking.graph import Lock
from lode.workflow.prefix import open_prefix

pytestmark = pytest.mark.integration

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"


def stack(**changes: object) -> Lock:
    return sound(
        lock(
            node("zlib"),
            node("gcem"),
            node(
                "nest",
                needs={"gcem": [Kind.BUILD], "zlib": [Kind.LINK]},
                environment=Environment(set=(("NEST_DATA", "share/nest"),)),
                tests=[locked_test("yields", files={"tests/yields.cpp": "int main;"})],
            ),
            requirements=["nest >=2"],
            groups={"base": ("zlib",)},
            tests=[locked_test("chain", files={"tests/chain.sh": "true"})],
            **changes,
        )
    )


def files(package: str, relative: str) -> bytes:
    return {("nest", "tests/yields.cpp"): b"int main;", ("", "tests/chain.sh"): b"true"}[package, relative]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lock, tuple[Artifact, ...]]:
    folder, locked = tmp_path_factory.mktemp("artifacts"), stack()
    return locked, (
        artifact(locked.node("zlib"), folder, {"lib/libz.so.1.3": b"zz"}, links={"lib/libz.so.1": "libz.so.1.3"}),
        artifact(locked.node("gcem"), folder, {"include/gcem.hpp": b"g"}),
        artifact(locked.node("nest"), folder, {"bin/nest": b"#!/bin/sh\necho nest\n"}, programs=["bin/nest"]),
    )


def listing(root: Path) -> list[str]:
    return [entry.path for entry in inventory.read(root / prefixes.INVENTORY)]


def test_a_prefix_holds_packages_scripts_lock_tests_and_inventory(
    built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    made = install(built[0], TARGET, built[1], tmp_path / "prefix", file=files)
    assert (made.root, made.final_path, made.group) == (tmp_path / "prefix", FINAL, None)
    assert listing(made.root) == [
        ".lode",
        ".lode/deactivate.csh",
        ".lode/lode.lock",
        ".lode/modulefile.lua",
        ".lode/prefix.json",
        ".lode/shell",
        ".lode/shell/bashrc",
        ".lode/shell/init.fish",
        ".lode/shell/zsh",
        ".lode/shell/zsh/.zshenv",
        ".lode/shell/zsh/.zshrc",
        ".lode/tests",
        ".lode/tests/.stack",
        ".lode/tests/.stack/tests",
        ".lode/tests/.stack/tests/chain.sh",
        ".lode/tests/nest",
        ".lode/tests/nest/tests",
        ".lode/tests/nest/tests/yields.cpp",
        "bin",
        "bin/nest",
        "conda-meta",
        "conda-meta/history",
        f"conda-meta/nest-1.0-h{built[0].node('nest').hashes[TARGET][:7]}_0.json",
        f"conda-meta/zlib-1.0-h{built[0].node('zlib').hashes[TARGET][:7]}_0.json",
        "lib",
        "lib/libz.so.1",
        "lib/libz.so.1.3",
        "setup.csh",
        "setup.fish",
        "setup.sh",
    ]
    assert made.inventory == digest.of_bytes((made.root / prefixes.INVENTORY).read_bytes())
    assert list(inventory.scan(made.root, exclude=[prefixes.INVENTORY])) == list(
        inventory.read(made.root / prefixes.INVENTORY)
    )
    assert open_prefix(made.root) == (made, built[0])
    assert [path.name for path in tmp_path.iterdir()] == ["prefix"]


def test_the_inventory_is_the_same_wherever_and_by_whom_it_is_made(
    built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = install(built[0], TARGET, built[1], tmp_path / "one", file=files)
    copies = []
    for each in reversed(built[1]):
        moved = tmp_path / "elsewhere" / each.path.name
        moved.parent.mkdir(exist_ok=True)
        shutil.copy(each.path, moved)
        os.utime(moved, (1, 1))
        copies.append(replace(each, path=moved))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LC_ALL", "C")
    before = os.umask(0o077)
    try:
        two = install(built[0], TARGET, copies, tmp_path / "a" / "deep" / "folder", file=files)
    finally:
        os.umask(before)
    assert list(inventory.compare(inventory.read(one.root / prefixes.INVENTORY), inventory.scan(two.root))) == [
        inventory.Difference(left=None, right=entry)
        for entry in inventory.scan(two.root)
        if entry.path == prefixes.INVENTORY
    ]
    assert two.inventory == one.inventory


def test_times_and_modes_are_those_of_the_release(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    made = install(built[0], TARGET, built[1], tmp_path / "prefix", file=files)
    everything = [made.root, *made.root.rglob("*")]
    assert {path.lstat().st_mtime for path in everything} == {1_793_491_200.0}  # 2026-11-01, midnight UTC
    assert {path.lstat().st_mode & 0o7777 for path in everything if not path.is_symlink()} == {0o755, 0o644}
    assert {path.stat().st_nlink for path in everything if path.is_file()} == {1}


def test_an_installed_prefix_is_left_alone(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    root = tmp_path / "prefix"
    first = install(built[0], TARGET, built[1], root, file=files)
    number = root.stat().st_ino
    started = time.process_time()
    assert install(built[0], TARGET, built[1], root, file=no_files) == first
    assert (root.stat().st_ino, time.process_time() - started < 0.1) == (number, True)


def test_another_lock_replaces_the_prefix_at_once(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    root = tmp_path / "prefix"
    install(built[0], TARGET, built[1], root, file=files)
    changed = stack(summary="Another")
    again = install(changed, TARGET, built[1], root, file=files)
    assert again.lock_digest == changed.digest
    assert [path.name for path in tmp_path.iterdir()] == ["prefix"]


def test_a_group_holds_its_own_packages_only(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    made = install(built[0], TARGET, built[1], tmp_path / "prefix", group="base", file=files)
    assert (made.group, prefixes.read(made.root).group) == ("base", "base")
    assert (made.root / "lib/libz.so.1").exists()
    assert not (made.root / "bin").exists()
    assert not (made.root / ".lode/tests/nest").exists()


def test_paths_in_files_become_the_final_path(tmp_path: Path) -> None:
    """With a package that rattler-build has built, whose files hold its placeholder in text and in binary."""
    from rattler_build import Stage0Recipe, VariantConfig

    locked = sound(lock(node("pc")))
    recipe = {
        "package": {"name": "pc", "version": "1.0"},
        "build": {
            "script": 'mkdir -p $PREFIX/lib/pkgconfig && echo "prefix=$PREFIX" > $PREFIX/lib/pkgconfig/x.pc'
            ' && printf "head\\000%s/share\\000tail" "$PREFIX" > $PREFIX/lib/data'
        },
    }
    rendered = Stage0Recipe.from_dict(recipe).render(VariantConfig({}))
    channel = tmp_path / "c"
    channel.mkdir()
    packed = rendered[0].run_build(output_dir=channel, channels=[channel.as_uri()], no_build_id=True)
    path = Path(packed.packages[0])
    made = Artifact(
        package="pc",
        version="1.0",
        target=TARGET,
        node_hash=locked.node("pc").hashes[TARGET],
        path=path,
        sha256=digest.of_bytes(path.read_bytes()),
        inventory=digest.of_bytes(b"inside"),
        record=RECORD,
    )
    prefix = install(locked, TARGET, [made], tmp_path / "prefix", file=no_files)
    assert (prefix.root / "lib/pkgconfig/x.pc").read_text() == f"prefix={FINAL}\n"
    data = (prefix.root / "lib/data").read_bytes()
    assert data.startswith(b"head\0" + FINAL.encode() + b"/share\0")
    assert data.endswith(b"tail")
    here = install(locked, TARGET, [made], tmp_path / "here", final_path=str(tmp_path / "here"), file=no_files)
    assert (here.root / "lib/pkgconfig/x.pc").read_text() == f"prefix={here.root}\n"


def clash(folder: Path, first: dict[str, bytes], second: dict[str, bytes], links: Mapping[str, str] = {}) -> list[str]:
    locked = sound(lock(node("a"), node("b", needs={"a": [Kind.LINK]})))
    made = [artifact(locked.node("a"), folder, first, links=links), artifact(locked.node("b"), folder, second)]
    with pytest.raises(BuildError) as caught:
        install(locked, TARGET, made, folder / "prefix", file=no_files)
    assert not (folder / "prefix").exists()
    return [fault.message for fault in caught.value.faults]


def test_two_packages_with_one_path_are_refused(tmp_path: Path) -> None:
    assert clash(tmp_path, {"share/info/dir": b"1", "x": b"1"}, {"share/info/dir": b"1", "y": b"2"}) == [
        "share/info/dir comes from both a and b"
    ]


def test_a_file_that_is_anothers_folder_is_refused(tmp_path: Path) -> None:
    assert clash(tmp_path, {"share/x": b"1"}, {"share/x/y": b"2"}) == ["share/x comes from both a and b"]


def test_a_link_that_is_anothers_folder_is_refused(tmp_path: Path) -> None:
    found = clash(tmp_path, {"lib/x": b"1"}, {"lib64/y": b"2"}, {"lib64": "lib"})
    assert found == ["lib64 comes from both a and b"]


def test_missing_artifacts_are_all_named(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        install(built[0], TARGET, (), tmp_path / "prefix", file=files)
    assert str(caught.value) == (
        f"zlib 1.0 is not built for {TARGET}\n  hint: lode build mini@2026.11 --target {TARGET}\n"
        f"nest 1.0 is not built for {TARGET}\n  hint: lode build mini@2026.11 --target {TARGET}"
    )


def test_a_test_file_that_is_not_the_locked_one_is_refused(
    built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    with pytest.raises(LockError) as caught:
        install(built[0], TARGET, built[1], tmp_path / "prefix", file=lambda package, relative: b"other")
    assert str(caught.value) == (
        "tests/chain.sh of test chain of the stack is not the file that was locked\n  hint: lode lock mini@2026.11"
    )
    assert not (tmp_path / "prefix").exists()


def test_a_folder_that_is_no_prefix_is_not_touched(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(UsageError) as caught:
        install(built[0], TARGET, built[1], tmp_path / "mine", file=files)
    assert str(caught.value) == (
        f"{tmp_path}/mine is there and is not a prefix\n  hint: name a folder that is empty or not there yet"
    )


@pytest.mark.parametrize("final", ["relative/path", "/" + "x" * 300, "/with space", "/a:b"])
def test_a_final_path_that_files_cannot_hold_is_refused(
    final: str, built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="the final path"):
        install(built[0], TARGET, built[1], tmp_path / "prefix", final_path=final, file=files)


def test_a_damaged_package_is_refused(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    cut = tmp_path / built[1][0].path.name
    cut.write_bytes(built[1][0].path.read_bytes()[:200])
    with pytest.raises(BuildError, match="the packages could not be linked into"):
        install(built[0], TARGET, [replace(built[1][0], path=cut), *built[1][1:]], tmp_path / "p", file=files)
    assert not (tmp_path / "p").exists()


def test_a_place_that_cannot_be_written_is_named(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError) as caught:
        install(built[0], TARGET, built[1], tmp_path / "file/prefix", file=files)
    assert str(caught.value) == f"no prefix can be made at {tmp_path}/file/prefix: File exists: {tmp_path}/file"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_said_and_the_old_prefix_stays(tmp_path: Path) -> None:
    locked = sound(lock(node("data")))
    large = artifact(locked.node("data"), tmp_path, {"share/data": os.urandom(4_000_000)})
    small = sound(lock(node("data", version="0.9")))
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        little = artifact(small.node("data"), tmp_path, {"share/data": b"little"})
        before = install(small, TARGET, [little], disk / "prefix", file=no_files)
        with pytest.raises(HostError) as caught:
            install(locked, TARGET, [large], disk / "prefix", file=no_files)
        assert str(caught.value) == (
            f"the disk is full: the packages do not fit into {disk}/.prefix.partial/tree\n"
            "  hint: free some space or choose another folder"
        )
        assert prefixes.read(disk / "prefix") == before
        assert (disk / "prefix" / "share" / "data").read_bytes() == b"little"
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        install(locked, TARGET, [large], disk / "prefix", file=no_files)
        assert (disk / "prefix" / "share" / "data").stat().st_size == 4_000_000
    finally:
        subprocess.run(["umount", disk], check=True)


KILLED = """
import pickle, sys
from pathlib import Path
from lode.installing import install as module
lock, target, artifacts, root = pickle.loads(Path(sys.argv[1]).read_bytes())
real = module.canonical.make_modes_canonical
def slowly(laid):
    print("laid", flush=True)
    import time
    time.sleep(60)
module.canonical.make_modes_canonical = slowly
module.install(lock, target, artifacts, root, file=lambda package, relative: {"yields.cpp": b"int main;"}.get(
    relative.rpartition("/")[2], b"true"))
"""


def start_and_kill(lock_: Lock, artifacts: Sequence[Artifact], root: Path, folder: Path) -> None:
    import pickle

    request = folder / "request"
    request.write_bytes(pickle.dumps((lock_, TARGET, tuple(artifacts), root)))
    with subprocess.Popen([sys.executable, "-c", KILLED, str(request)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"laid\n"
        process.send_signal(signal.SIGKILL)


def test_after_a_kill_the_old_prefix_is_there_and_the_next_attempt_succeeds(
    built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    root = tmp_path / "place/prefix"
    start_and_kill(*built, root, tmp_path)
    assert not root.exists()
    first = install(built[0], TARGET, built[1], root, file=files)
    start_and_kill(stack(summary="Another"), built[1], root, tmp_path)
    assert prefixes.read(root) == first
    install(stack(summary="Another"), TARGET, built[1], root, file=files)
    assert [path.name for path in root.parent.iterdir()] == ["prefix"]


def test_two_installations_at_once_leave_one_whole_prefix(
    built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: install(built[0], TARGET, built[1], tmp_path / "p", file=files), range(4)))
    assert len({each.inventory for each in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_record_says_what_the_tree_is(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    made = install(built[0], TARGET, built[1], tmp_path / "prefix", file=files)
    document = json.loads((made.root / prefixes.RECORD).read_bytes())
    assert sorted(document) == ["final_path", "format", "group", "lock", "packages", "release", "stack", "target"]
    assert sorted(document["packages"]) == ["nest", "zlib"]


def test_a_damaged_record_is_named(built: tuple[Lock, tuple[Artifact, ...]], tmp_path: Path) -> None:
    made = install(built[0], TARGET, built[1], tmp_path / "prefix", file=files)
    path = made.root / prefixes.RECORD
    path.write_text("{}")
    with pytest.raises(VerificationError, match=r"prefix\.json is not a prefix's record: it lacks 'format'"):
        prefixes.read(made.root)
