"""A target is read whole, or every fault of it is told at its place."""

from __future__ import annotations

import pytest
from tests.definitions.writing import SHA256, target

from lode.definitions import read_target
from lode.definitions.target import Base, Compiler, External, Target
from lode.errors import DefinitionError

FULL = (
    f"base: {{image: docker.io/library/debian@sha256:{SHA256}}}",
    """compiler:
  {name: gcc, version: "12.2.0", languages: [fortran, c, cxx], fortran: /usr/bin/gfortran, c: /opt/gcc, cxx: /opt/g++}
""",
    "microarchitecture: x86-64-v3",
    "system_packages: [make, gcc=12.2.0-14]",
    "runtime_packages: [libstdc++6, libc6]",
    """externals:
  - {package: make, version: "4.3", system_package: make, program: /usr/bin/make}
  - {package: cmake, version: "3.25.1", system_package: cmake, program: /usr/bin/cmake}
""",
    "system_libraries: [libm.so.6, libc.so.6]",
    "end_of_life: 2028-06-30",
)


def read(*changes: str) -> Target:
    return read_target.read(target(*changes), file="t", name="debian12-x86_64")


def test_shortest_target_has_the_usual_compilers() -> None:
    shortest = read()
    assert shortest.compiler == Compiler(name="gcc", version="12.2.0")
    assert shortest.base == Base(suite="bookworm")
    assert shortest.microarchitecture == "x86-64-v2"


def test_snapshot_of_a_suite_is_read_with_its_mirror() -> None:
    assert read("base: {suite: bookworm, snapshot: 20261101T000000Z, mirror: https://example.org/past}").base == Base(
        suite="bookworm", snapshot="20261101T000000Z"
    )
    base = read("base: {suite: bookworm, snapshot: 20261101T000000Z, mirror: https://example.org/past}").base
    assert base.mirror == "https://example.org/past"


def test_whole_target_is_read_and_sorted() -> None:
    full = read(*FULL)
    assert full.base.image == f"docker.io/library/debian@sha256:{SHA256}"
    assert (full.compiler.languages, full.compiler.fortran) == (("c", "cxx", "fortran"), "/usr/bin/gfortran")
    assert (full.compiler.c, full.compiler.cxx) == ("/opt/gcc", "/opt/g++")
    assert full.system_packages == ("gcc=12.2.0-14", "make")
    assert full.runtime_packages == ("libc6", "libstdc++6")
    assert full.externals == (
        External(package="cmake", version="3.25.1", system_package="cmake", program="/usr/bin/cmake"),
        External(package="make", version="4.3", system_package="make", program="/usr/bin/make"),
    )
    assert full.system_libraries == ("libc.so.6", "libm.so.6")
    assert full.end_of_life == "2028-06-30"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("os_version: 12", "t:3:13: os_version: 12 is not quoted: other YAML tools read it as the number 12\n"
                           '  hint: write "12"'),
        ("name: debian11-x86_64", "t:1:7: name: 'debian11-x86_64' is in the file debian12-x86_64.yaml\n"
                                  "  hint: rename the file or write: name: debian12-x86_64"),
        ("arch: aarch64", "t:1:7: name: 'debian12-x86_64' does not end with -aarch64\n  hint: the form is <os>-<arch>"),
        ("base: {image: debian:12}", "t:5:15: image: 'debian:12' is not an image pinned by digest\n"
                                     "  hint: such as docker.io/library/almalinux@sha256:<64 hexadecimal digits>"),
        ("base: {suite: bookworm, snapshot: today, mirror: https://example.org}",
         "t:5:35: snapshot: 'today' is not an archive time stamp\n"
         "  hint: such as 20261101T000000Z"),
        ("base: {suite: bookworm, snapshot: 20261101T000000Z}",
         "t:5:35: base: a snapshot of a suite needs the mirror that has it\n"
         "  hint: mirror: the URL below which there are folders by time stamp"),
        ("base: {suite: bookworm, mirror: https://example.org/debian}",
         "t:5:33: mirror: is of use beside a suite and a snapshot only\n  hint: remove it"),
        ("base: {}", "t:5:7: base: exactly one of image, suite is needed, this one has none"),
        ('compiler: {name: gcc, version: "12", languages: [fortran]}',
         "t:6:49: compiler: fortran is a language but has no path\n  hint: fortran: /usr/bin/gfortran"),
        ('externals: [{package: a, version: "1", system_package: a, program: a}]',
         "t:9:68: program: 'a' is not an absolute path"),
        ("system_packages: [a b]",
         "t:9:19: system_packages: 'a b' is not an OS package\n  hint: name, or name=version"),
        ("end_of_life: 2028", "t:9:14: end_of_life: expected a date such as 2026-11-30, found '2028'"),
    ],
)  # fmt: skip
def test_faulty_target_is_told_at_its_place(change: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(change)
    assert str(caught.value) == message


def test_external_listed_twice_is_refused() -> None:
    external = '{package: make, version: "4.3", system_package: make, program: /usr/bin/make}'
    with pytest.raises(DefinitionError) as caught:
        read(f"externals: [{external}, {external}]")
    assert str(caught.value) == "t:9:102: the external 'make' is listed twice"
