"""Where a newer version is, read from the address of an older one."""

from __future__ import annotations

import pytest
from tests.tools.scripts import script


@pytest.mark.parametrize(
    ("url", "old", "new", "there"),
    [
        ("https://github.com/a/wave/archive/refs/tags/v1.2.0.tar.gz", "1.2.0", "1.10.0",
         "https://github.com/a/wave/archive/refs/tags/v1.10.0.tar.gz"),
        ("https://gitlab.example.org/a/wave/-/archive/wave-6.5.5/wave-wave-6.5.5.tar.gz", "6.5.5", "6.5.6",
         "https://gitlab.example.org/a/wave/-/archive/wave-6.5.6/wave-wave-6.5.6.tar.gz"),
        ("https://example.org/6.38/v6-38-04/wave_v6.38.04.tar.gz", "6.38.04", "6.40.00",
         "https://example.org/6.40/v6-40-00/wave_v6.40.00.tar.gz"),
        ("https://example.org/1.90.0/wave_1_90_0.tar.bz2", "1.90.0", "1.91.0",
         "https://example.org/1.91.0/wave_1_91_0.tar.bz2"),
        ("https://example.org/wave3-3.3.1.tar.gz", "3.3.1", "3.4", "https://example.org/wave3-3.4.tar.gz"),
        ("https://example.org/wave-8.tar.gz", "8", "9", "https://example.org/wave-9.tar.gz"),
        ("https://example.org/10.1.2/wave-1.2.tar.gz", "1.2", "1.3", "https://example.org/10.1.2/wave-1.3.tar.gz"),
        ("https://example.org/wave-1.23.tar.gz", "1.2", "1.3", None),
        ("https://example.org/1.14/wave.tar.gz", "1.14.6", "1.15.0", None),
    ],
)  # fmt: skip
def test_the_version_is_replaced_however_it_is_spelled(url: str, old: str, new: str, there: str | None) -> None:
    assert script("successors").renamed(url, old, new) == there
