"""The audit on files that a real compiler made: what a tree may load, and what it may not say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.installing.making import artifact, no_files, sound
from tests.testing.factory import TARGET, lock, node, target

from lode.definitions.recipe import Kind
from lode.errors import BuildError
from lode.installing import prefix as prefixes
from lode.installing.audit import audit
from lode.installing.install import install
from lode.locking.graph import Lock

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"


def stack(*, glibc: str = "2.99", own: tuple[str, ...] = ()) -> Lock:
    here = target()
    definition = replace(here.definition, system_libraries=("libc.so.6", "libm.so.*"), glibc=glibc)
    return sound(
        lock(
            node("core"),
            node("app", needs={"core": [Kind.LINK]}, system_libraries=own),
            targets=(replace(here, definition=definition),),
        )
    )


def compiled(folder: Path, name: str, *words: str, text: str = "int f(void){return 1;}") -> bytes:
    source = folder / "source.c"
    source.write_text(text)
    made = folder / name
    subprocess.run(["gcc", "-o", str(made), str(source), "-L", str(folder), *words], check=True, cwd=folder)
    return made.read_bytes()


@pytest.fixture
def core(tmp_path: Path) -> bytes:
    return compiled(tmp_path, "libcore.so", "-shared", "-fPIC", "-Wl,-soname,libcore.so.1")


MAIN = "int f(void); int main(void){return f();}"


def app(folder: Path, *words: str) -> bytes:
    return compiled(folder, "app", "-lcore", *words, text=MAIN)


def laid(folder: Path, locked: Lock, core: bytes, files: Mapping[str, bytes]) -> None:
    made = [
        artifact(
            locked.node("core"), folder, {"lib/libcore.so.1.0": core}, links={"lib/libcore.so.1": "libcore.so.1.0"}
        ),
        artifact(locked.node("app"), folder, files),
    ]
    install(locked, TARGET, made, folder / "prefix", file=no_files)


def faults(folder: Path, locked: Lock, core: bytes, files: Mapping[str, bytes]) -> list[str]:
    with pytest.raises(BuildError) as caught:
        laid(folder, locked, core, files)
    assert not (folder / "prefix").exists()
    return [fault.message for fault in caught.value.faults]


def test_libraries_found_along_the_run_path_are_accepted(core: bytes, tmp_path: Path) -> None:
    files = {
        "bin/relative": app(tmp_path, "-Wl,-rpath,$ORIGIN/../lib"),
        "bin/braces": app(tmp_path, "-Wl,-rpath,${ORIGIN}/../lib", "-Wl,--disable-new-dtags"),
        "bin/absolute": app(tmp_path, f"-Wl,-rpath,{FINAL}/lib"),
        "lib/deep/er/x.so": compiled(tmp_path, "x.so", "-shared", "-fPIC", "-lcore", "-Wl,-rpath,$ORIGIN/../.."),
        "lib/static.a": b"!<arch>\n",
        "share/empty": b"",
    }
    laid(tmp_path, stack(), core, files)
    assert prefixes.is_prefix(tmp_path / "prefix")


def test_a_library_that_is_nowhere_is_named_with_file_and_package(core: bytes, tmp_path: Path) -> None:
    assert faults(
        tmp_path, stack(), core, {"bin/app": app(tmp_path), "bin/wrong": app(tmp_path, "-Wl,-rpath,$ORIGIN")}
    ) == [
        f"bin/app of app needs libcore.so.1, which is neither in the prefix along its run path (none) "
        f"nor a system library of {TARGET}",
        f"bin/wrong of app needs libcore.so.1, which is neither in the prefix along its run path ($ORIGIN) "
        f"nor a system library of {TARGET}",
    ]


def test_a_run_path_out_of_the_prefix_is_refused(core: bytes, tmp_path: Path) -> None:
    path = "-Wl,-rpath,$ORIGIN/../lib:/home/me/lib:$ORIGIN/../../other:lib:/usr/$LIB"
    assert faults(tmp_path, stack(), core, {"bin/app": app(tmp_path, path)}) == [
        f"bin/app of app has the run path '{entry}', which leads out of the prefix"
        for entry in ("/home/me/lib", "$ORIGIN/../../other", "lib", "/usr/$LIB")
    ]


def test_a_recipe_may_name_a_library_of_the_system(core: bytes, tmp_path: Path) -> None:
    laid(tmp_path, stack(own=("libcore.so.*",)), core, {"bin/app": app(tmp_path)})


def test_a_link_out_of_the_prefix_is_not_a_library(core: bytes, tmp_path: Path) -> None:
    locked = stack()
    library = {"lib/libcore.so.1": "/usr/lib/libcore.so.1"}
    made = [
        artifact(locked.node("core"), tmp_path, {}, links=library),
        artifact(locked.node("app"), tmp_path, {"bin/app": app(tmp_path, "-Wl,-rpath,$ORIGIN/../lib")}),
    ]
    with pytest.raises(BuildError, match=r"bin/app of app needs libcore\.so\.1"):
        install(locked, TARGET, made, tmp_path / "prefix", file=no_files)


def test_a_symbol_newer_than_the_target_is_named(core: bytes, tmp_path: Path) -> None:
    text = '#include <stdio.h>\nint main(void){return puts("x");}'
    found = faults(tmp_path, stack(glibc="2.1"), core, {"bin/app": compiled(tmp_path, "new", text=text)})
    assert all(fault.startswith("bin/app of app needs GLIBC_2.") for fault in found)
    assert all(fault.endswith(f", newer than {TARGET} has") for fault in found)


def test_a_stand_in_of_the_final_path_is_refused_in_any_file(core: bytes, tmp_path: Path) -> None:
    files = {"share/data": b"\0\0dir\0/lode/build/output/_placehold_placehold_placehold\0"}
    assert faults(tmp_path, stack(), core, files) == [
        "share/data of app contains the path of its build, /lode/build/output/_placehold_placehold_placehold"
    ]


def test_a_folder_of_the_build_is_refused_where_it_would_be_followed(core: bytes, tmp_path: Path) -> None:
    files = {
        "bin/script": b"#!/bin/sh\nexec '/lode/build/build/app' \"$@\"\n",
        "lib/cmake/app/app-config.cmake": b"set(APP_DIR /lode/build/source)\n",
        "lib/pkgconfig/app.pc": b"Cflags: -ffile-prefix-map=/lode/build/source=/usr/src -I/lode/build/source/include\n",
    }
    assert faults(tmp_path, stack(), core, files) == [
        "bin/script of app contains the path of its build, /lode/build/build/app",
        "lib/cmake/app/app-config.cmake of app contains the path of its build, /lode/build/source)",
        "lib/pkgconfig/app.pc of app contains the path of its build, -I/lode/build/source/include",
    ]


def test_a_record_of_how_a_package_was_built_may_name_its_folder(core: bytes, tmp_path: Path) -> None:
    program = app(tmp_path, "-Wl,-rpath,$ORIGIN/../lib") + b"\0VPATH=/lode/build/source\0"
    files = {
        "bin/app": program,
        "lib/app.settings": b"Source: /lode/build/source\n",
        "lib/pkgconfig/app.pc": b"Cflags: -O2 -ffile-prefix-map=/lode/build/source=/usr/src\n",
    }
    laid(tmp_path, stack(), core, files)


def test_a_broken_elf_file_is_no_reason_to_stop(core: bytes, tmp_path: Path) -> None:
    laid(tmp_path, stack(), core, {"share/cut": core[:100], "share/magic": b"\x7fELF"})


def test_what_was_installed_can_be_audited_again(core: bytes, tmp_path: Path) -> None:
    locked = stack()
    laid(tmp_path, locked, core, {"bin/app": app(tmp_path, "-Wl,-rpath,$ORIGIN/../lib")})
    audit(tmp_path / "prefix", locked, TARGET, FINAL)
    (tmp_path / "prefix/lib/libcore.so.1").unlink()
    with pytest.raises(BuildError, match=r"bin/app of app needs libcore\.so\.1"):
        audit(tmp_path / "prefix", locked, TARGET, FINAL)


def test_a_symbol_that_its_library_lost_is_named_with_both_packages(core: bytes, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    compiled(newer, "libcore.so", "-shared", "-fPIC", "-Wl,-soname,libcore.so.1",
             text="int f(void){return 1;} int f_ratio(void){return 2;} int f_count(void){return 3;}")  # fmt: skip
    text = "int f_ratio(void), f_count(void); int main(void){return f_ratio() + f_count();}"
    files = {"bin/app": compiled(newer, "app", "-lcore", "-Wl,-rpath,$ORIGIN/../lib", text=text)}
    older = compiled(tmp_path, "libcore.so", "-shared", "-fPIC", "-Wl,-soname,libcore.so.1",
                     text="int f_rate(void){return 1;}")  # fmt: skip
    with pytest.raises(BuildError) as caught:
        laid(tmp_path, stack(), older, files)
    assert [(fault.message, fault.hint) for fault in caught.value.faults] == [
        (
            "bin/app of app asks for the symbol f_count and 1 more, which no file of the prefix has",
            "give the recipe a link dependency on what has it, or link it",
        )
    ]
    older = compiled(tmp_path, "libcore.so", "-shared", "-fPIC", "-Wl,-soname,libcore.so.1",
                     text="int f_counts(void){return 1;}")  # fmt: skip
    assert faults(tmp_path, stack(), older, files) == [
        "bin/app of app asks for the symbol f_count and 1 more,"
        " which lib/libcore.so.1.0 of core should have and has not"
    ]


def test_what_a_plug_in_takes_from_its_program_is_accepted(core: bytes, tmp_path: Path) -> None:
    plug = "int f(void); int host_says(void); int g(void){return f() + host_says();}"
    files = {
        "lib/plug.so": compiled(tmp_path, "plug.so", "-shared", "-fPIC", "-lcore", "-Wl,-rpath,$ORIGIN", text=plug),
        "bin/host": compiled(tmp_path, "host", "-rdynamic", text="int host_says(void){return 1;} int main(void){}"),
    }
    laid(tmp_path, stack(), core, files)
    assert prefixes.is_prefix(tmp_path / "prefix")
