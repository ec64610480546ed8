"""Why a package is there: the chains to it."""

from __future__ import annotations

from tests.locking.world import World, target

from lode.locking.explain import why
from lode.locking.graph import Lock


def chains(lock: Lock, package: str, limit: int = 50) -> list[str]:
    return [
        " / ".join(f"{link.asker}: {link.request}" for link in chain)
        for chain in why(lock, package, limit=limit).chains
    ]


def test_every_chain_is_told_shortest_first() -> None:
    world = World()
    world.add("zlib")
    world.add("png", needs=["zlib >=1"])
    world.add("hdf5", needs=["zlib"])
    world.add("root", needs=["png", "hdf5 ~mpi"])
    world.add("other")
    world.recipes.pop("hdf5")
    world.add("hdf5", needs=["zlib"], options=["mpi=false"])
    lock = world.lock("root", "hdf5", "other")
    assert chains(lock, "zlib") == [
        "stack: hdf5 / hdf5 1.0: zlib",
        "stack: root / root 1.0: hdf5 mpi=false / hdf5 1.0: zlib",
        "stack: root / root 1.0: png / png 1.0: zlib >=1",
    ]
    assert chains(lock, "root") == ["stack: root"]
    assert chains(lock, "nobody") == []


def test_chains_beyond_the_limit_are_counted_out() -> None:
    world = World()
    world.add("zlib")
    for name in "abcd":
        world.add(name, needs=["zlib"])
    lock = world.lock("a", "b", "c", "d")
    assert len(why(lock, "zlib", limit=3).chains) == 3
    assert why(lock, "zlib", limit=3).more
    assert not why(lock, "zlib", limit=4).more


def test_chain_holds_on_one_target_as_a_whole() -> None:
    world = World(target("debian12-x86_64"), target("el9-x86_64"))
    world.add("a", needs=["b when os=debian", "zlib"])
    world.add("b", needs=["zlib when os=el", "zlib >=1 when os=debian"])
    world.add("zlib")
    found = chains(world.lock("a"), "zlib")
    assert found == ["stack: a / a 1.0: zlib", "stack: a / a 1.0: b / b 1.0: zlib >=1"]


def test_tool_of_the_os_has_chains_that_end_there() -> None:
    world = World(target(externals="cmake=3.25"))
    world.add("cmake", "3.31")
    world.add("hdf5", build=["cmake >=3.20"])
    (chain,) = why(world.lock("hdf5"), "cmake").chains
    assert [(link.request, link.version) for link in chain] == [("hdf5", "1.0"), ("cmake >=3.20", None)]


def test_packages_that_test_each_other_make_no_endless_chain() -> None:
    world = World()
    world.add("a", needs=["b"])
    world.add("b", test=["a"])
    assert chains(world.lock("a"), "b") == ["stack: a / a 1.0: b"]
