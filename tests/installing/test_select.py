from __future__ import annotations

import pytest
from tests.testing.factory import TARGET, lock, node, whole

from lode.definitions.recipe import Kind
from lode.errors import UsageError
from lode.installing.select import TOOLS, selected, tools
from lode.locking.graph import Lock


def some() -> Lock:
    return whole(
        lock(
            node("app", needs={"cython": [Kind.BUILD], "zlib": [Kind.LINK]}),
            node("cython", needs={"python": [Kind.RUN], "flit": [Kind.BUILD]}),
            node("flit", needs={"python": [Kind.RUN]}),
            node("python", needs={"zlib": [Kind.LINK]}),
            node("zlib"),
            requirements=["app"],
            groups={"all": ("app",)},
        )
    )


def names(group: str | None) -> set[str]:
    return {one.package for one in selected(some(), TARGET, group)}


def test_tools_are_what_builds_alone_need() -> None:
    assert {one.package for one in tools(some(), TARGET)} == {"cython", "flit", "python"}


def test_prefix_of_tools_holds_what_they_link_and_run() -> None:
    assert names(TOOLS) == {"cython", "flit", "python", "zlib"}
    assert names(None) == {"app", "zlib"}


def test_unknown_group_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        names("al")
    assert str(caught.value) == "mini@2026.11 has no group al\n  hint: its groups: all"
