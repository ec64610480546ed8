from __future__ import annotations

import pytest

from lode.definitions import variables


@pytest.mark.parametrize(
    "text", ["", "-O2", "$PREFIX/lib;${SRC_DIR}", "-Wl,-rpath,$ORIGIN/../lib", "a$", "$(CURDIR)", "$$", "$1"]
)
def test_what_recipes_may_write_holds_nothing_unknown(text: str) -> None:
    assert variables.unknown(text) is None


def test_first_unknown_variable_is_told_with_its_place() -> None:
    assert variables.unknown("$PREFIX:${HOME}:$USER") == ("HOME", 8)


def test_pattern_finds_whole_names_only() -> None:
    found = variables.pattern(variables.VARIABLES).finditer("$CC ${CXX} $CCACHE $CFLAGS $BUILD_PREFIX $PREFIX/x")
    assert [match[1] or match[2] for match in found] == ["CC", "CXX", "CFLAGS", "PREFIX"]
