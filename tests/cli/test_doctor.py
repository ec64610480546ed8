"""`lode doctor` as it is called."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from lode.building.seal import Seal
from lode.cli import main
from lode.workflow import doctor, host


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> host.Machine:
    """Return a Debian 12 that lacks patch and ninja; `lode doctor` looks at it instead of at this one."""
    made = host.Machine(
        os="debian", os_version="12", arch="x86_64", kernel="6.1.0", cpus=2, memory_mb=8192, disk_folder=tmp_path,
        disk_free=10**11, seal=Seal(kind="bubblewrap"), fuse=True, proxies=(), root=False,
        compilers={"/usr/bin/gcc": "12.2.0"}, packages={"ninja-build": False, "patch": False, "make": True},
    )  # fmt: skip
    monkeypatch.setattr(host, "look", lambda *_, **__: made)
    monkeypatch.setattr(host, "this_os", lambda: ("debian", "12", "x86_64"))
    return made


@pytest.mark.usefixtures("machine")
def test_missing_packages_exit_with_10_and_the_apt_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor"]) == 10
    printed = capsys.readouterr().out
    assert "missing  OS packages       missing: ninja-build, patch\n" in printed
    assert "hint: as root: apt-get install ninja-build patch (or `lode doctor --install-deps`)\n" in printed
    assert printed.endswith("something that a build needs is missing\n")


@pytest.mark.usefixtures("machine")
def test_json_has_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--json"]) == 10
    document = json.loads(capsys.readouterr().out)
    assert document["good"] is False
    assert document["target"] == "debian12-x86_64"
    assert document["missing_packages"] == ["ninja-build", "patch"]
    assert document["checks"][0] == {
        "name": "operating system",
        "verdict": "good",
        "found": "debian 12 x86_64, kernel 6.1.0 (debian12-x86_64)",
        "hint": None,
    }


@pytest.mark.usefixtures("machine")
def test_install_deps_without_root_names_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--install-deps"]) == 10
    assert capsys.readouterr().err == (
        "--install-deps must be root to install OS packages\n  hint: sudo apt-get install ninja-build patch\n"
    )


def test_install_deps_installs_and_looks_again(
    machine: host.Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []
    seen = [machine, dataclasses.replace(machine, packages=dict.fromkeys(machine.packages, True))]
    monkeypatch.setattr(host, "look", lambda *_, **__: seen.pop(0))

    def install(_: Any, packages: list[str], **__: Any) -> None:
        asked.append(list(packages))

    monkeypatch.setattr(doctor, "install", install)
    assert main.run(["doctor", "--install-deps"]) == 0
    assert asked == [["ninja-build", "patch"]]
    assert capsys.readouterr().out.endswith("this machine can build\n")


@pytest.mark.usefixtures("machine")
def test_target_that_the_stack_is_not_for_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "dance-mini", "--target", "debian99-x86_64"]) == 2
    assert capsys.readouterr().err.startswith(
        "dance-mini is not for debian99-x86_64\n  hint: its targets: debian11-x86_64, debian12-x86_64, debian13-x86_64"
    )
