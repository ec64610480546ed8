"""What `lode doctor` finds good, worth a note, or missing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lode.building.seal import Seal
from lode.definitions.target import Base, Compiler, External, Target
from lode.errors import HostError
from lode.workflow import doctor, host
from lode.workflow.doctor import Check, Verdict
from lode.workflow.host import Folder, Machine

TARGET = Target(
    name="debian12-x86_64",
    os="debian",
    os_version="12",
    arch="x86_64",
    base=Base(suite="bookworm"),
    compiler=Compiler(name="gcc", version="12.2.0"),
    glibc="2.36",
    libstdcxx="3.4.30",
    system_packages=("cmake", "patch=2.7.6-7"),
    externals=(External(package="ninja", version="1.11.1", system_package="ninja-build", program="/usr/bin/ninja"),),
)
GOOD = Machine(
    os="debian",
    os_version="12",
    arch="x86_64",
    kernel="6.1.0",
    cpus=2,
    memory_mb=8192,
    disk_folder=Path("/home/x/.cache"),
    disk_free=50_000_000_000,
    seal=Seal(kind="bubblewrap"),
    fuse=True,
    proxies=(),
    root=False,
    compilers={"/usr/bin/gcc": "12.2.0", "/usr/bin/g++": "12.2.0"},
    packages={"cmake": True, "ninja-build": True, "patch": True},
)


def check(machine: Machine, name: str, target: Target | None = TARGET) -> Check:
    return next(check for check in doctor.examine(target, machine).checks if check.name == name)


def test_machine_with_everything_is_good() -> None:
    examination = doctor.examine(TARGET, GOOD)
    assert examination.good
    assert {c.verdict for c in examination.checks} == {Verdict.GOOD}
    assert examination.missing_packages == ()
    assert [c.name for c in examination.checks] == [
        "operating system", "compiler", "compiler", "OS packages", "seal", "disk", "memory", "FUSE", "proxy variables",
    ]  # fmt: skip


def test_missing_packages_are_named_with_the_line_that_installs_them() -> None:
    machine = dataclasses.replace(GOOD, packages={"cmake": False, "ninja-build": False, "patch": True})
    assert check(machine, "OS packages") == Check(
        name="OS packages",
        verdict=Verdict.MISSING,
        found="missing: cmake, ninja-build",
        hint="as root: apt-get install cmake ninja-build (or `lode doctor --install-deps`)",
    )
    assert doctor.examine(TARGET, machine).missing_packages == ("cmake", "ninja-build")
    assert not doctor.examine(TARGET, machine).good


def test_other_operating_system_cannot_build_for_the_target() -> None:
    machine = dataclasses.replace(GOOD, os="almalinux", os_version="9.4", packages={}, compilers={})
    assert check(machine, "operating system") == Check(
        name="operating system",
        verdict=Verdict.MISSING,
        found="almalinux 9.4 x86_64, kernel 6.1.0, not debian 12 x86_64",
        hint="build for debian12-x86_64 on debian 12 x86_64, in a container for instance",
    )


def test_operating_system_without_a_target_is_said() -> None:
    machine = dataclasses.replace(GOOD, packages={}, compilers={})
    found = check(machine, "operating system", target=None)
    assert found.verdict is Verdict.MISSING
    assert found.found == "debian 12 x86_64, kernel 6.1.0: no target fits"


@pytest.mark.parametrize(
    ("version", "found", "hint"),
    [
        (None, "/usr/bin/gcc is not there", "install gcc 12.2.0 of the operating system"),
        ("13.3.0", "/usr/bin/gcc is 13.3.0, not 12.2.0", "debian12-x86_64 is locked to gcc 12.2.0"),
    ],
)
def test_compiler_must_be_there_and_the_targets(version: str | None, found: str, hint: str) -> None:
    machine = dataclasses.replace(GOOD, compilers={"/usr/bin/gcc": version})
    assert check(machine, "compiler") == Check(name="compiler", verdict=Verdict.MISSING, found=found, hint=hint)


@pytest.mark.parametrize(
    ("free", "verdict"), [(1_999_999_999, Verdict.MISSING), (2_000_000_000, Verdict.NOTE), (10**10, Verdict.GOOD)]
)
def test_disk_below_two_gigabytes_is_too_little(free: int, verdict: Verdict) -> None:
    assert check(dataclasses.replace(GOOD, disk_free=free), "disk").verdict is verdict


def test_what_only_limits_is_a_note_and_no_failure() -> None:
    machine = dataclasses.replace(
        GOOD, seal=Seal(kind="none", reason="bubblewrap (bwrap) is not installed"), fuse=False, memory_mb=900
    )
    examination = doctor.examine(TARGET, machine)
    assert examination.good
    assert [c.name for c in examination.checks if c.verdict is Verdict.NOTE] == ["seal", "memory", "FUSE"]
    assert check(machine, "seal").found == "none: bubblewrap (bwrap) is not installed"


def test_folders_that_can_be_written_to_are_named() -> None:
    folders = (Folder(name="cache", path=Path("/c")), Folder(name="mirror", path=Path("/m")))
    assert check(dataclasses.replace(GOOD, folders=folders), "folders") == Check(
        name="folders", verdict=Verdict.GOOD, found="can be written to: cache, mirror"
    )


def test_folder_that_cannot_be_written_to_is_missing_but_for_a_mirror() -> None:
    folders = tuple(
        Folder(name=name, path=Path("/x") / name, reason="Permission denied")
        for name in ("cache", "mirror", "releases")
    )
    examination = doctor.examine(TARGET, dataclasses.replace(GOOD, folders=folders))
    assert [one for one in examination.checks if one.name == "folders"] == [
        Check(
            name="folders",
            verdict=Verdict.MISSING,
            found="the cache /x/cache cannot be written to: Permission denied",
            hint="set LODE_CACHE to a folder of your own",
        ),
        Check(
            name="folders",
            verdict=Verdict.NOTE,
            found="the mirror /x/mirror cannot be written to: Permission denied",
            hint="set LODE_MIRROR to a folder of your own; a mirror that already has every source is enough",
        ),
        Check(
            name="folders",
            verdict=Verdict.MISSING,
            found="the releases /x/releases cannot be written to: Permission denied",
            hint="set LODE_RELEASES to a folder of your own",
        ),
    ]


@pytest.mark.integration
def test_folders_are_looked_at_without_making_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wanted = {"cache": tmp_path / "a" / "b", "mirror": tmp_path / "file" / "m"}
    found = {one.name: one.reason for one in host.look(None, cache=tmp_path, environ={}, folders=wanted).folders}
    assert found["cache"] == ""
    assert found["mirror"] == f"{tmp_path}/file is no folder"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_proxies_are_shown_by_name_only() -> None:
    machine = dataclasses.replace(GOOD, proxies=("HTTPS_PROXY", "no_proxy"))
    assert check(machine, "proxy variables").found == "set: HTTPS_PROXY, no_proxy"


def test_target_of_this_machine_is_found_among_several() -> None:
    other = dataclasses.replace(TARGET, name="debian13-x86_64", os_version="13")
    assert host.fitting([other, TARGET], ("debian", "12", "x86_64")) is TARGET
    assert host.fitting([other, TARGET], ("debian", "12", "aarch64")) is None


def test_build_is_refused_with_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = dataclasses.replace(GOOD, packages={"cmake": False}, disk_free=10**9)
    monkeypatch.setattr(host, "look", lambda *_, **__: machine)
    with pytest.raises(HostError) as caught:
        doctor.require(TARGET, cache=Path("/c"), environ={})
    assert str(caught.value) == (
        "OS packages: missing: cmake\n"
        "  hint: as root: apt-get install cmake (or `lode doctor --install-deps`)\n"
        "disk: 1.0 GB free for /home/x/.cache\n"
        "  hint: 2 GB are needed; LODE_CACHE puts the cache elsewhere"
    )


def test_installing_needs_root() -> None:
    with pytest.raises(HostError) as caught:
        doctor.install(GOOD, ["cmake", "patch"], environ={}, say=print)
    assert str(caught.value) == (
        "--install-deps must be root to install OS packages\n  hint: sudo apt-get install cmake patch"
    )


def test_os_release_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('NAME="AlmaLinux"\nID="almalinux"\nVERSION_ID=\'9.4\'\n')
    assert host._os_release(file) == ("almalinux", "9.4")
    file.write_text("")
    assert host._os_release(file) == ("unknown", "unknown")
    assert host._os_release(tmp_path / "none") == ("unknown", "unknown")


def test_memory_is_what_new_programs_can_have(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:       16000000 kB\nMemAvailable:    8388608 kB\n")
    assert host._memory_mb(file) == 8192
    file.write_text("MemTotal:       16000000 kB\n")
    assert host._memory_mb(file) is None


@pytest.mark.integration
def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    os, version, arch = host.this_os()
    target = dataclasses.replace(
        TARGET, os=os, os_version=version, arch=arch, system_packages=("base-files", "no-such")
    )
    machine = host.look(target, cache=tmp_path / "not" / "there", environ={"HTTPS_PROXY": "http://user:secret@p"})
    assert machine.disk_folder == tmp_path
    assert machine.proxies == ("HTTPS_PROXY",)
    assert set(machine.compilers) == {"/usr/bin/gcc", "/usr/bin/g++"}
    assert machine.packages.get("no-such") is not True
    assert doctor.examine(target, machine).checks
