"""Systems on disk: one canonical form, whatever the tar they come in, and nothing written through a link."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from lode import inventory
from lode.building import roots
from lode.digest import Digest
from lode.errors import BuildError

A, B = Digest("a" * 64), Digest("b" * 64)
KEEPING = """\
import sys
from pathlib import Path
from lode.building import roots
from lode.digest import Digest
cache, *tars = map(Path, sys.argv[1:])
while True:
    for tar in tars:
        roots.keep(cache, "t", "builder", tar, files={}, asked=Digest("a" * 64), made_of=Digest("b" * 64), packages=3,
                   proof=lambda folder: ())
        print("kept", flush=True)
"""


def system(
    path: Path, *members: tuple[str, bytes | str | None], mtime: int = 5, uid: int = 7, mode: int = 0o644
) -> Path:
    """Write a tar: a member is a name and content, a name and the target of a link, or a folder's name and None."""
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.mtime, member.uid, member.mode = mtime, uid, mode
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o700
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return path


def unpacked(tmp_path: Path, *members: tuple[str, bytes | str | None], **named: int) -> Path:
    root = tmp_path / f"root{len(list(tmp_path.iterdir()))}"
    roots.unpack(system(tmp_path / "s.tar", *members, **named), root, files={})
    return root


def keep(cache: Path, tar: Path, wrong: tuple[str, ...] = (), made_of: Digest = B) -> roots.Root:
    return roots.keep(
        cache, "t", "builder", tar, files={}, asked=A, made_of=made_of, packages=3, proof=lambda folder: wrong
    )


def test_system_is_the_same_whoever_made_it_and_when(tmp_path: Path) -> None:
    one = unpacked(tmp_path, ("usr", None), ("usr/bin/a", b"x"), ("bin", "usr/bin"), mtime=1, uid=0, mode=0o755)
    two = unpacked(tmp_path, ("./usr/bin/a", b"x"), ("./bin", "usr/bin"), ("./usr", None), mtime=9, uid=42, mode=0o4711)
    assert inventory.digest(inventory.scan(one)) == inventory.digest(inventory.scan(two))
    assert {path.lstat().st_mtime for path in one.rglob("*")} == {946684800.0}


@pytest.mark.parametrize(
    "name",
    ["var/log/dpkg.log", "var/cache/ldconfig/aux-cache", "var/lib/apt/lists/lock", "dev/null", "tmp/x", "run/lock/y",
     "etc/passwd-", "var/lib/dpkg/status-old", "etc/.pwd.lock", "root/.bash_history",
     "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "usr/share/man/man1/a.1"],
)  # fmt: skip
def test_what_tells_of_the_making_is_left_out(tmp_path: Path, name: str) -> None:
    root = unpacked(tmp_path, (name, b"x"), ("usr/kept", b"y"))
    assert not (root / name).exists()
    assert (root / "usr/kept").read_bytes() == b"y"


def test_machine_id_and_host_name_are_empty(tmp_path: Path) -> None:
    root = unpacked(tmp_path, ("etc/machine-id", b"0123"), ("etc/hostname", b"build7"), ("etc/resolv.conf", "../run/r"))
    assert [(root / "etc" / name).read_bytes() for name in ("machine-id", "hostname", "resolv.conf")] == [b"", b"", b""]


def test_everybody_can_read_a_system_and_nothing_in_it_gives_rights(tmp_path: Path) -> None:
    root = unpacked(tmp_path, ("etc/shadow", b"x"), mode=0o600)
    assert stat.S_IMODE((root / "etc/shadow").stat().st_mode) == 0o644
    root = unpacked(tmp_path, ("usr/bin/su", b"x"), mode=0o4755)
    assert stat.S_IMODE((root / "usr/bin/su").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "tmp").stat().st_mode) == 0o1777


def test_nothing_is_written_through_a_link_of_the_tar(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(BuildError) as caught:
        unpacked(tmp_path, ("usr/way", str(outside)), ("usr/way/file", b"x"))
    assert str(caught.value) == "the system's tar has files below way, which is a link"
    assert list(outside.iterdir()) == []


def test_member_that_leads_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        unpacked(tmp_path, ("usr/../../x", b"x"))
    assert str(caught.value) == "the system's tar has a member 'usr/../../x' that leads out of it"


def test_device_and_pipe_are_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for name, kind in (("usr/pipe", tarfile.FIFOTYPE), ("usr/null", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type = kind
            tar.addfile(member)
    roots.unpack(tmp_path / "s.tar", tmp_path / "root", files={"etc/apt/sources.list": b"deb x\n"})
    assert not (tmp_path / "root/usr").exists()
    assert (tmp_path / "root/etc/apt/sources.list").read_bytes() == b"deb x\n"


def test_system_that_was_kept_is_found(tmp_path: Path) -> None:
    made = keep(tmp_path, system(tmp_path / "s.tar", ("usr/a", b"x")))
    assert roots.find(tmp_path, "t", "builder") == made
    assert (made.asked, made.made_of, made.packages) == (A, B, 3)
    assert made.image == f"lode/t-builder:{made.inventory[:16]}"
    assert made.inventory == inventory.digest(inventory.scan(made.folder))
    assert roots.find(tmp_path, "t", "runtime") is None


def test_system_with_a_damaged_record_does_not_count(tmp_path: Path) -> None:
    keep(tmp_path, system(tmp_path / "s.tar", ("usr/a", b"x")))
    record = roots.place(tmp_path, "t", "builder") / roots.RECORD
    for content in (b"", b"{}", record.read_bytes().replace(b'"schema": 1', b'"schema": 2')):
        record.write_bytes(content)
        assert roots.find(tmp_path, "t", "builder") is None


def test_system_that_is_not_what_the_target_says_leaves_the_old_one(tmp_path: Path) -> None:
    old = keep(tmp_path, system(tmp_path / "s.tar", ("usr/a", b"x")))
    with pytest.raises(BuildError) as caught:
        keep(tmp_path, system(tmp_path / "s.tar", ("usr/a", b"y")), wrong=("gcc is 9", "no libstdc++"))
    hint = "  hint: correct what the target says, or the packages that it asks for"
    assert str(caught.value) == f"t builder: gcc is 9\n{hint}\nt builder: no libstdc++\n{hint}"
    assert roots.find(tmp_path, "t", "builder") == old
    assert os.listdir(tmp_path / "targets" / "t") == ["builder"]


@pytest.mark.integration
def test_system_is_the_old_or_the_new_one_at_any_kill_and_nothing_else_is_left(tmp_path: Path) -> None:
    tars = [system(tmp_path / f"{name}.tar", *[(f"usr/{name}{number}", b"x") for number in range(40)]) for name in "ab"]
    whole = {keep(tmp_path / "calm", tar).inventory for tar in tars}
    argv = [sys.executable, "-c", KEEPING, str(tmp_path / "cache"), *map(str, tars)]
    left = 0
    for number in range(12):
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(number / 300)
            process.send_signal(signal.SIGKILL)
        found = roots.find(tmp_path / "cache", "t", "builder")
        assert found is not None
        assert found.inventory in whole
        assert inventory.digest(inventory.scan(found.folder)) == found.inventory
        left += len(os.listdir(tmp_path / "cache" / "targets" / "t")) > 1
    assert left
    keep(tmp_path / "cache", tars[0])
    assert os.listdir(tmp_path / "cache" / "targets" / "t") == ["builder"]


def test_tar_of_a_system_is_the_same_twice(tmp_path: Path) -> None:
    root = unpacked(tmp_path, ("usr/b", b"x"), ("usr/a", b"x"), ("lib", "usr"))
    files = [io.BytesIO(), io.BytesIO()]
    roots.stream(root, files[0])
    os.utime(root / "usr/a", (1, 1))
    roots.stream(root, files[1])
    assert files[0].getvalue() == files[1].getvalue()
    files[0].seek(0)
    with tarfile.open(fileobj=files[0]) as tar:
        assert {member.uid for member in tar} == {0}
