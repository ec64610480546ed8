from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rattler import Version
from tests.building.factory import TARGET, graph, node

from lode.building import naming
from lode.digest import Digest


@pytest.mark.parametrize(
    ("verbatim", "text"),
    [
        ("6.32.04", "6.32.04"),
        ("v4r2", "v4r2"),
        ("2024-11-c", "2024_11_c"),
        ("1.1.1w", "1.1.1w"),
        ("R-3_06_02", "r_3_06_02"),
        ("4.3.4~rc1", "4.3.4.rc1"),
        ("1.3.dfsg+really1.3.1", "1.3.dfsg+really1.3.1"),
        ("1.0+a+b", "1.0+a.b"),
        ("2.4.5beta.nestpy2.1.3", "2.4.5beta.nestpy2.1.3"),
        ("1:2.0", "1_2.0"),
        ("1..2-.3_", "1.2.3"),
        ("-", "0"),
    ],
)
def test_a_version_keeps_what_conda_allows(verbatim: str, text: str) -> None:
    assert naming.version_text(verbatim) == text


@given(st.text(st.sampled_from("aZ09._+-~:!/ é"), min_size=1, max_size=20))
def test_every_version_becomes_one_that_conda_reads(verbatim: str) -> None:
    text = naming.version_text(verbatim)
    Version(text)
    assert naming.version_text(text) == text


def test_the_build_string_carries_the_hash() -> None:
    assert naming.build_string(Digest("0123456789abcdef" * 4)) == "h0123456789abcdef_0"


def test_an_exact_requirement_and_a_file_name_say_name_version_and_build() -> None:
    zlib = graph(node("zlib", version="1.3-x"))["zlib"]
    build = naming.build_string(zlib.hashes[TARGET.name])
    assert naming.exact(zlib, TARGET.name) == f"zlib ==1.3_x {build}"
    assert naming.file_name(zlib, TARGET.name) == f"zlib-1.3_x-{build}.conda"


def test_an_unknown_machine_has_no_platform() -> None:
    assert naming.platform("aarch64") == "linux-aarch64"
    with pytest.raises(ValueError, match="conda has no platform for vax"):
        naming.platform("vax")
