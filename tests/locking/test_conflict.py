"""What a conflict says: whole messages, with the places of both requests."""

from __future__ import annotations

import pytest
from tests.locking.world import World, target

from lode.errors import ResolutionError


def refused(world: World, *requirements: str) -> str:
    with pytest.raises(ResolutionError) as caught:
        world.lock(*requirements)
    return str(caught.value)


def test_conflict_names_both_requests() -> None:
    world = World()
    world.add("geant4", "11.3 11.4 12.0")
    world.add("remage", "0.9", needs=["geant4 <11.4"])
    assert refused(world, "geant4 >=12", "remage") == (
        "geant4 cannot be chosen: stack asks geant4 >=12 (stacks/x.yaml:5:3), "
        "remage 0.9 asks geant4 <11.4 (recipes/remage/recipe.yaml:20:5); stack asks remage (stacks/x.yaml:6:3)\n"
        "  hint: change one of these; known versions of geant4: 12.0, 11.4, 11.3"
    )


def test_conflict_deep_in_the_graph_names_the_chain_and_nothing_beside_it() -> None:
    world = World()
    world.add("zlib", "1.2 1.3")
    world.add("a", needs=["b", "other"])
    world.add("b", needs=["c"])
    world.add("c", needs=["zlib <1.3"])
    world.add("d", needs=["zlib >=1.3", "other"])
    world.add("other", needs=["zlib"])
    assert refused(world, "a", "d", "other") == (
        "zlib cannot be chosen: c 1.0 asks zlib <1.3 (recipes/c/recipe.yaml:20:5), "
        "d 1.0 asks zlib >=1.3 (recipes/d/recipe.yaml:20:5); "
        "stack asks a (stacks/x.yaml:5:3), stack asks d (stacks/x.yaml:6:3), "
        "a 1.0 asks b (recipes/a/recipe.yaml:20:5), b 1.0 asks c (recipes/b/recipe.yaml:20:5)\n"
        "  hint: change one of these; known versions of zlib: 1.3, 1.2"
    )


def test_conflict_over_several_versions_names_those_that_ask() -> None:
    world = World()
    world.add("geant4", "11.2 11.3")
    world.add("remage", "0.7 0.8 0.9", needs=["geant4 <11.3 when <0.9", "geant4 ==11.2 when >=0.9"])
    assert refused(world, "geant4 >=11.3", "remage") == (
        "geant4 cannot be chosen: stack asks geant4 >=11.3 (stacks/x.yaml:5:3), "
        "remage 0.8 and 0.7 ask geant4 <11.3 when <0.9 (recipes/remage/recipe.yaml:20:5), "
        "remage 0.9 asks geant4 ==11.2 when >=0.9 (recipes/remage/recipe.yaml:21:5); "
        "stack asks remage (stacks/x.yaml:6:3)\n"
        "  hint: change one of these; known versions of geant4: 11.3, 11.2"
    )


def test_two_values_of_one_option_are_a_conflict() -> None:
    world = World()
    world.add("geant4", "11.3", options=["std=17:17,20"])
    world.add("a", needs=["geant4 std=20"])
    assert refused(world, "geant4 std=17", "a") == (
        "geant4 cannot be chosen: stack asks geant4 std=17 (stacks/x.yaml:5:3), "
        "a 1.0 asks geant4 std=20 (recipes/a/recipe.yaml:20:5); stack asks a (stacks/x.yaml:6:3)\n"
        "  hint: change one of these; known versions of geant4: 11.3"
    )


def test_conflict_of_a_recipe_is_told_with_its_reason() -> None:
    world = World()
    world.add("root", "6.32", conflicts=["python >=3.13: the bindings do not compile"])
    world.add("python", "3.13")
    assert refused(world, "root", "python") == (
        "python cannot be chosen: stack asks python (stacks/x.yaml:6:3), "
        "root 6.32 excludes python >=3.13: the bindings do not compile (recipes/root/recipe.yaml:50:5); "
        "stack asks root (stacks/x.yaml:5:3)\n"
        "  hint: change one of these; known versions of python: 3.13"
    )


def test_default_that_nothing_asks_away_is_told_as_such() -> None:
    world = World()
    world.add("plot", "2", conflicts=["geant4 +qt: two event loops"])
    world.add("geant4", "11", options=["qt=true"])
    world.add("batch", "1 2", needs=["geant4 ~qt when <2", "geant4 when >=2"])
    assert refused(world, "plot", "geant4", "batch ==2") == (
        "geant4 cannot be chosen: stack asks geant4 (stacks/x.yaml:6:3), "
        "plot 2 excludes geant4 +qt: two event loops (recipes/plot/recipe.yaml:50:5), "
        "geant4 has +qt by default and nothing asks otherwise (recipes/options.yaml:7:3); "
        "stack asks plot (stacks/x.yaml:5:3)\n"
        "  hint: change one of these; known versions of geant4: 11"
    )


def test_dependency_that_no_known_version_meets_is_named() -> None:
    world = World()
    world.add("hdf5", "1.14", needs=["zlib >=9"])
    world.add("zlib", "1.2 1.3")
    assert refused(world, "hdf5") == (
        "zlib cannot be chosen: hdf5 1.14 asks zlib >=9 (recipes/hdf5/recipe.yaml:20:5); "
        "stack asks hdf5 (stacks/x.yaml:5:3)\n"
        "  hint: change one of these; known versions of zlib: 1.3, 1.2"
    )


def test_requests_that_no_version_meets_together_are_named() -> None:
    world = World()
    world.add("python", "3.11 3.12 3.13")
    world.add("a", needs=["python !=3.12"])
    world.add("b", needs=["python >=3.12"])
    world.add("c", needs=["python <3.13"])
    message = refused(world, "a", "b", "c")
    assert message.startswith(
        "python cannot be chosen: a 1.0 asks python !=3.12 (recipes/a/recipe.yaml:20:5), "
        "b 1.0 asks python >=3.12 (recipes/b/recipe.yaml:20:5), c 1.0 asks python <3.13 (recipes/c/recipe.yaml:20:5)"
    )


# -- refused before any solving


def test_unknown_version_is_refused_with_the_known_ones() -> None:
    world = World()
    world.add("geant4", " ".join(f"11.{minor}" for minor in range(20)))
    assert refused(world, "geant4 ==11.21") == (
        "stacks/x.yaml:5:3: no known version of geant4 is ==11.21\n"
        "  hint: did you mean 11.2? known versions of geant4: 11.19, 11.18, 11.17, 11.16, 11.15, 11.14, 11.13, 11.12, "
        "11.11, 11.10, 11.9, 11.8 and 8 older"
    )


def test_all_unknown_names_are_told_at_once() -> None:
    world = World()
    world.add("geant4", "11.3", options=["gdml=true", "std=17:17,20"])
    world.add("zlib", needs=["nothing"])
    assert refused(world, "geant4 +gdlm std=18", "gant4", "zlib ==7") == (
        "stacks/x.yaml:5:3: geant4 has no option gdlm\n"
        "  hint: did you mean gdml? options of geant4: gdml, std\n"
        "stacks/x.yaml:5:3: option std of geant4 cannot be 18\n"
        "  hint: values of std: 17, 20\n"
        "stacks/x.yaml:6:3: there is no recipe for gant4\n"
        "  hint: did you mean geant4?\n"
        "stacks/x.yaml:7:3: no known version of zlib is ==7\n"
        "  hint: known versions of zlib: 1.0"
    )


def test_missing_recipe_of_a_dependency_is_told_at_the_place_of_the_dependency() -> None:
    world = World()
    world.add("hdf5", needs=["zlip", "szip +extra"])
    world.add("zlib")
    world.add("szip")
    assert refused(world, "hdf5") == (
        "recipes/hdf5/recipe.yaml:20:5: there is no recipe for zlip\n"
        "  hint: did you mean zlib?\n"
        "recipes/hdf5/recipe.yaml:21:5: szip has no option extra\n"
        "  hint: szip has no options"
    )


def test_a_tool_that_the_os_has_too_old_is_told_with_its_version() -> None:
    world = World(target(externals="cmake=3.25.1 make=4.3"), target("debian13-x86_64", externals="cmake=3.31.6"))
    world.add("pytorch", build=["cmake >=3.27"])
    world.add("other", build=["cmak"])
    assert refused(world, "pytorch", "other") == (
        "recipes/other/recipe.yaml:20:5: there is no recipe for cmak\n"
        "  hint: `lode search` finds recipes; write recipes/cmak\n"
        "recipes/pytorch/recipe.yaml:20:5: there is no recipe for cmake, and the operating system's is not "
        "cmake >=3.27: 3.25.1 on debian12-x86_64\n"
        "  hint: leave out what cannot build it, or write recipes/cmake"
    )


def test_unknown_version_is_refused_before_any_dependency_is_read() -> None:
    world = World()
    world.add("geant4", "11.3", needs=["clhep"])
    assert "no known version" in refused(world, "geant4 ==12")
    assert world.loaded == ["geant4"]
