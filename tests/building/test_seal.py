from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lode import process
from lode.building import seal
from lode.building.seal import Bind, Seal, sealed, viewed
from lode.errors import HostError

NONE = Seal(kind="none", reason="bubblewrap (bwrap) is not installed", user=False)
needs_seal = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


def out(argv: list[str]) -> str:
    ended = process.run(argv, timeout_s=60)
    assert ended.status == 0, ended.stderr
    return ended.stdout


def test_without_a_seal_the_environment_is_still_the_given_one() -> None:
    assert sealed(NONE, ["cc", "a.c"], binds=(), env={"B": "2", "A": "1"}, cwd="/work") == [
        "/usr/bin/env", "-i", "-C", "/work", "A=1", "B=2", "PATH=/usr/bin:/bin", "cc", "a.c",
    ]  # fmt: skip


def test_without_a_seal_a_view_is_refused_unless_it_shows_nothing_new(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        viewed(NONE, ["true"], binds=[Bind(source=tmp_path, destination="/cvmfs/a.example.org/b")])
    assert str(caught.value) == (
        f"this host cannot show {tmp_path} at /cvmfs/a.example.org/b: bubblewrap (bwrap) is not installed\n"
        "  hint: install bubblewrap (apt-get install bubblewrap) or allow user namespaces"
    )
    same = Bind(source=tmp_path, destination=str(tmp_path))
    assert viewed(NONE, ["true"], binds=[same], env={"A": "1"}, cwd="/") == [
        "/usr/bin/env", "-C", "/", "A=1", "true",
    ]  # fmt: skip


def test_no_bubblewrap_is_the_reason_for_no_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    seal.best.cache_clear()
    try:
        assert seal.best() == NONE
    finally:
        seal.best.cache_clear()


@pytest.mark.integration
def test_a_bubblewrap_that_does_not_work_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    seal.best.cache_clear()
    try:
        assert seal.best() == Seal(
            kind="none",
            reason="bubblewrap does not work here: bwrap: No permissions to create a new namespace",
            user=False,
        )
    finally:
        seal.best.cache_clear()


@pytest.mark.integration
@needs_seal
def test_a_build_sees_the_system_its_binds_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("x")
    (tmp_path / "out").mkdir()
    script = (
        "ls / | tr '\\n' ' '; ls /usr/local /tmp; hostname; id -un; cat /etc/hostname; env | sort | tr '\\n' ' ';"
        "cat /proc/net/dev | grep -vc 'lo:'; echo y > /lode/out/made; cat /lode/in/file;"
        "for path in / /usr /etc /lode/in; do if touch $path/no 2>/dev/null; then echo $path is writable; fi; done"
    )
    text = out(
        sealed(
            seal.best(),
            ["sh", "-c", script],
            binds=[
                Bind(source=tmp_path / "out", destination="/lode/out", writable=True),
                Bind(source=tmp_path / "in", destination="/lode/in"),
            ],
            env={"A": "1"},
            cwd="/lode",
        )
    )
    top = " ".join(
        sorted(
            {"dev", "etc", "lode", "proc", "tmp", "usr"} | {n for n in seal._SYSTEM_FOLDERS if os.path.exists(f"/{n}")}
        )
    )
    assert text == (f"{top} /tmp:\n\n/usr/local:\nlode\nlode\nlode\nA=1 PATH=/usr/bin:/bin PWD=/lode 2\nx")
    assert (tmp_path / "out" / "made").read_text() == "y\n"


@pytest.mark.integration
@needs_seal
def test_a_view_shows_a_prefix_at_its_final_path_beside_all_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "file").write_text("x")
    binds = [Bind(source=tmp_path / "prefix", destination="/cvmfs/a.example.org/stack/1/here")]
    script = (
        'cat /cvmfs/a.example.org/stack/1/here/file; echo; pwd; echo "$A $HOME"; ls -d "$1"; id -u; stat -c %a /cvmfs'
    )
    text = out(viewed(seal.best(), ["sh", "-c", script, "sh", str(tmp_path)], binds=binds, env={"A": "1"}, cwd="/usr"))
    assert text == f"x\n/usr\n1 {os.environ['HOME']}\n{tmp_path}\n{os.getuid()}\n755\n"


@pytest.mark.integration
@needs_seal
def test_a_view_keeps_what_lies_beside_its_destination(tmp_path: Path) -> None:
    """As on a host that has /cvmfs: the other repositories stay."""
    host = tmp_path / "cvmfs"
    (host / "other.example.org").mkdir(parents=True)
    (host / "ours.example.org" / "stack" / "1").mkdir(parents=True)
    (host / "link.example.org").symlink_to("other.example.org")
    (tmp_path / "prefix").mkdir()
    binds = [
        Bind(source=tmp_path / "prefix", destination=f"{host}/ours.example.org/stack/2/here"),
        Bind(source=tmp_path / "prefix", destination=f"{host}/new.example.org/stack"),
    ]
    text = out(viewed(seal.best(), ["find", str(host), "-mindepth", "1", "-printf", "%P\\n"], binds=binds))
    assert sorted(text.split()) == [
        "link.example.org",
        "new.example.org",
        "new.example.org/stack",
        "other.example.org",
        "ours.example.org",
        "ours.example.org/stack",
        "ours.example.org/stack/1",
        "ours.example.org/stack/2",
        "ours.example.org/stack/2/here",
    ]


@pytest.mark.integration
@needs_seal
def test_a_view_alone_has_no_network_but_loopback() -> None:
    text = out(viewed(seal.best(), ["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1"], binds=(), alone=True))
    assert text.split() == ["lo"]
