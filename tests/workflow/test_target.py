"""Targets on this machine: their end of life, what changed in their packages, and what can hold their builds."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from lode import digest
from lode.building import engine, roots, seal
from lode.building.seal import Seal
from lode.definitions import system_lock
from lode.definitions.system_lock import SystemPackage
from lode.definitions.target import Base, Compiler, Target
from lode.digest import Digest
from lode.errors import HostError, Place
from lode.workflow import doctor, host, seals
from lode.workflow import target as targets

TODAY = datetime.date(2026, 11, 25)
TARGET = Target(
    name="debian13-x86_64",
    os="debian",
    os_version="13",
    arch="x86_64",
    base=Base(suite="trixie"),
    compiler=Compiler(name="gcc", version="14.2.0"),
    glibc="2.41",
    libstdcxx="3.4.33",
    place=Place(file="t.yaml", line=1, column=1),
)
BWRAP = Seal(kind="bubblewrap")
NONE = Seal(kind="none", reason="bubblewrap (bwrap) is not installed", user=False)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> seals.Site:
    """Return a machine that is Debian 12 with bubblewrap and no engine."""
    monkeypatch.setattr(host, "this_os", lambda: ("debian", "12", "x86_64"))
    monkeypatch.setattr(doctor, "require", lambda *_, **__: None)
    monkeypatch.setattr(seals, "best", lambda: BWRAP)
    return seals.Site(cache=tmp_path, environ={"DOCKER_HOST": ""})


def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "engines", lambda environ: ())


def make(site: seals.Site, role: str, target: Target = TARGET) -> roots.Root:
    folder = roots.place(site.cache, target.name, role)
    (folder / "rootfs").mkdir(parents=True)
    asked = digest.of_document("system", 1, system_lock.asked(target))
    (folder / "root.json").write_text(
        f'{{"schema": 1, "asked": "{asked}", "made_of": "{"b" * 64}", "inventory": "{"c" * 64}", "packages": 2}}'
    )
    found = roots.find(site.cache, target.name, role)
    assert found is not None
    return found


def test_foreign_target_without_its_system_says_how_to_make_it(
    site: seals.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_sockets(monkeypatch)
    with pytest.raises(HostError) as caught:
        seals.choose(TARGET, "builder", "auto", site)
    assert str(caught.value) == (
        "the builder of debian13-x86_64 has not been made here, and this machine is debian 12 x86_64, not debian 13"
        " x86_64\n  hint: `lode target build debian13-x86_64` makes its systems; or work on a machine that is one"
    )


def test_host_serves_when_it_is_the_target(site: seals.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sockets(monkeypatch)
    here = replace(TARGET, name="debian12-x86_64", os_version="12")
    assert seals.choose(here, "builder", "auto", site) == BWRAP
    assert seals.choose(here, "builder", "host", site) == BWRAP


def test_root_file_system_serves_where_no_engine_runs_and_says_so(
    site: seals.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_sockets(monkeypatch)
    root = make(site, "builder")
    assert seals.choose(TARGET, "builder", "auto", site) == Seal(
        kind="rootfs", root=root.folder, reason="no container engine runs here"
    )


def test_container_comes_before_the_root_file_system(site: seals.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[tuple[str, str, Path, str]] = []
    monkeypatch.setattr(seals, "engines", lambda environ: ("unix:///e",))
    monkeypatch.setattr(engine, "client", lambda address: None)
    monkeypatch.setattr(engine, "bring", lambda *arguments: brought.append(arguments))
    root = make(site, "builder")
    assert seals.choose(TARGET, "builder", "auto", site) == Seal(
        kind="docker", engine="unix:///e", image=f"lode/debian13-x86_64-builder:{'c' * 16}"
    )
    assert brought == [("unix:///e", root.image, root.folder, root.inventory)]
    assert seals.choose(TARGET, "builder", "rootfs", site).kind == "rootfs"


def test_neither_engine_nor_bubblewrap_tells_both_reasons(site: seals.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sockets(monkeypatch)
    monkeypatch.setattr(seals, "best", lambda: NONE)
    make(site, "builder")
    with pytest.raises(HostError) as caught:
        seals.choose(TARGET, "builder", "auto", site)
    assert str(caught.value).startswith(
        "nothing here can hold debian13-x86_64: no container engine runs here; bubblewrap (bwrap) is not installed; "
        "this machine is debian 12 x86_64, not debian 13 x86_64"
    )


def test_system_of_another_definition_is_not_used(site: seals.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sockets(monkeypatch)
    make(site, "builder")
    changed = replace(TARGET, system_packages=("gcc",))
    with pytest.raises(HostError) as caught:
        seals.choose(changed, "builder", "rootfs", site)
    assert str(caught.value) == (
        "the builder of debian13-x86_64 was made when the target said something else\n"
        "  hint: `lode target build debian13-x86_64` makes it again"
    )


def test_tests_run_in_the_runtime_and_compile_in_the_builder(site: seals.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    no_sockets(monkeypatch)
    assert seals.for_tests(TARGET, "auto", site) == seals.Bench(tests=BWRAP, compiling=BWRAP)
    builder, runtime = make(site, "builder"), make(site, "runtime")
    bench = seals.for_tests(TARGET, "auto", site)
    assert (bench.tests.root, bench.compiling.root) == (runtime.folder, builder.folder)
    assert seals.for_tests(TARGET, "host", site) == seals.Bench(tests=BWRAP, compiling=BWRAP)
    with pytest.raises(HostError) as caught:
        seals.for_tests(TARGET, "docker", site)
    assert caught.value.faults[0].message == "no container engine runs here"


def test_engine_that_is_named_is_the_only_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seals.engines({"DOCKER_HOST": "unix:///x"}) == ("unix:///x",)
    monkeypatch.setattr(
        Path, "is_socket", lambda path: str(path) in ("/run/u/podman/podman.sock", "/var/run/docker.sock")
    )
    assert seals.engines({"XDG_RUNTIME_DIR": "/run/u"}) == (
        "unix:///var/run/docker.sock",
        "unix:///run/u/podman/podman.sock",
    )


def test_target_that_lasts_is_no_warning() -> None:
    assert targets.ending([replace(TARGET, end_of_life="2030-06-30"), TARGET], TODAY) == ()


def test_end_of_support_is_a_warning_a_year_before() -> None:
    near, past = replace(TARGET, end_of_life="2027-11-25"), replace(TARGET, end_of_life="2026-08-31")
    told = [str(fault) for fault in targets.ending([near, past, replace(TARGET, end_of_life="2027-11-26")], TODAY)]
    assert told == [
        "t.yaml:1:1: warning: debian13-x86_64: support of debian 13 ends on 2027-11-25, in 365 days\n"
        "  hint: add a newer target to the stacks that use it",
        "t.yaml:1:1: warning: debian13-x86_64: support of debian 13 ended on 2026-08-31\n"
        "  hint: keep it for what must still run there; build new releases for a newer target too",
    ]


def test_update_tells_what_came_went_and_moved() -> None:
    def package(name: str, version: str) -> SystemPackage:
        return SystemPackage(name=name, version=version, arch="amd64", roles=("builder",), sha256=Digest("a" * 64))

    before = (package("a", "1"), package("b", "1"), package("c", "1"))
    after = (package("b", "2"), package("c", "1"), package("d", "1"))
    assert list(targets._changes(before, after)) == ["- a 1", "~ b 1 -> 2", "+ d 1"]


def test_no_bubblewrap_is_still_a_seal_for_the_host_as_before(
    monkeypatch: pytest.MonkeyPatch, site: seals.Site
) -> None:
    no_sockets(monkeypatch)
    monkeypatch.setattr(seals, "best", lambda: NONE)
    here = replace(TARGET, name="debian12-x86_64", os_version="12")
    assert seals.choose(here, "builder", "auto", site) == NONE
    assert not seal.Seal(kind="none").foreign
