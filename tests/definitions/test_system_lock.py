"""The lock of a target's OS packages: what it keeps, and when it does not count."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lode.definitions import system_lock
from lode.definitions.system_lock import SystemLock, SystemPackage
from lode.definitions.target import Base, Compiler, Target
from lode.digest import Digest
from lode.errors import LockError

TARGET = Target(
    name="debian12-x86_64",
    os="debian",
    os_version="12",
    arch="x86_64",
    base=Base(suite="bookworm"),
    compiler=Compiler(name="gcc", version="12.2.0"),
    glibc="2.36",
    libstdcxx="3.4.30",
    system_packages=("gcc",),
    runtime_packages=("libc6",),
)
GCC = SystemPackage(
    name="gcc",
    version="4:12.2.0-3",
    arch="amd64",
    roles=("builder",),
    source="gcc-defaults",
    file="gcc_12.2.0-3_amd64.deb",
    sha256=Digest("a" * 64),
    size=5216,
)
LIBC = SystemPackage(name="libc6", version="2.36-9", arch="amd64", roles=("builder", "runtime"))
LOCK = SystemLock(
    target=TARGET.name, asked=system_lock.asked(TARGET), archive="Sat, 11 Jul 2026 10:16:37 UTC", packages=(GCC, LIBC)
)


def refused(content: bytes, target: Target = TARGET) -> str:
    with pytest.raises(LockError) as caught:
        system_lock.load(content, "t.lock", target)
    return str(caught.value)


def test_lock_is_read_back_as_it_was_written() -> None:
    assert system_lock.load(system_lock.dump(LOCK), "t.lock", TARGET) == LOCK
    empty = replace(LOCK, packages=(LIBC,))
    assert system_lock.load(system_lock.dump(empty), "t.lock", TARGET) == empty


def test_lock_has_a_line_a_package() -> None:
    lines = system_lock.dump(LOCK).decode().splitlines()
    assert [line.strip().partition(",")[0] for line in lines if '"name"' in line] == [
        '{"name": "gcc"',
        '{"name": "libc6"',
    ]


def test_role_has_the_packages_that_name_it() -> None:
    assert LOCK.of("builder") == (GCC, LIBC)
    assert LOCK.of("runtime") == (LIBC,)


def test_lock_does_not_count_once_the_target_asks_for_something_else() -> None:
    hint = "`lode target update debian12-x86_64` writes it again"
    stale = f"t.lock: the lock is not what the target says today\n  hint: {hint}"
    content = system_lock.dump(LOCK)
    assert refused(content, replace(TARGET, system_packages=("gcc", "make"))) == stale
    assert refused(content, replace(TARGET, runtime_packages=())) == stale
    assert refused(content, replace(TARGET, base=Base(suite="trixie"))) == stale
    assert refused(content, replace(TARGET, name="debian12-aarch64")).startswith("t.lock: the lock is not what")
    assert system_lock.load(content, "t.lock", replace(TARGET, end_of_life="2028-06-30")) == LOCK
    assert system_lock.load(content, "t.lock", replace(TARGET, base=replace(TARGET.base, mirror="http://m"))) == LOCK


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2, this version reads 1"),
        ({"target": None, "schema": None}, "schema None, this version reads 1"),
        ({"packages": [{"name": "gcc"}]}, "lacks 'roles'"),
        ({"packages": [{**json.loads(system_lock.dump(LOCK))["packages"][0], "roles": ["kitchen"]}]},
         "gcc has the roles ['kitchen']"),
        ({"packages": [{**json.loads(system_lock.dump(LOCK))["packages"][0], "sha256": "b"}]},
         "not a sha256 in hexadecimal: 'b'"),
        ({"packages": [{**json.loads(system_lock.dump(LOCK))["packages"][0], "version": 3}]},
         "version of gcc is no text"),
        ({"packages": [{**json.loads(system_lock.dump(LOCK))["packages"][0], "size": "3"}]},
         "size of gcc is no whole number"),
    ],
)  # fmt: skip
def test_faulty_lock_says_what_is_wrong(change: dict[str, Any], message: str) -> None:
    document = json.loads(system_lock.dump(LOCK)) | change
    assert refused(json.dumps(document).encode()) == (
        f"t.lock: not the lock of a target's system: {message}\n"
        "  hint: `lode target update debian12-x86_64` writes it again"
    )


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"schema": 1}'])
def test_what_is_no_lock_is_refused_with_its_place(content: bytes) -> None:
    assert refused(content).startswith("t.lock: not the lock of a target's system: ")
