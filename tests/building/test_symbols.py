from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from lode.building.symbols import TooNew, too_new


def test_what_is_no_elf_file_needs_nothing() -> None:
    for content in (b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + b"\0" * 60, b"\x7fELF\x02\x01\x01" + b"\xff" * 200):
        assert too_new(io.BytesIO(content), glibc="2.36", libstdcxx="3.4.30") == ()


@pytest.mark.integration
def test_a_newer_symbol_is_named_with_its_version_and_library(tmp_path: Path) -> None:
    source = tmp_path / "a.cpp"
    source.write_text(
        "#include <iostream>\n#include <cmath>\n"
        'int main(int argc, char**) { std::cout << std::pow(2.0, argc) << "\\n"; }\n'
    )
    subprocess.run(["g++", "-O0", "-o", tmp_path / "a", source], check=True)
    with (tmp_path / "a").open("rb") as file:
        assert too_new(file, glibc="2.36", libstdcxx="3.4.30") == ()
        found = too_new(file, glibc="2.28", libstdcxx="3.4.31")
        assert TooNew(library="libm.so.6", version="GLIBC_2.29", symbol="pow") in found
        assert {item.library for item in too_new(file, glibc="2.99", libstdcxx="3.3")} == {"libstdc++.so.6"}
