"""Choosing: versions, options, conditions, targets, externals, extension, least change, determinism."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.locking.world import TOOLS, World, target, versions

from lode.definitions.recipe import Argument, Kind, Origin, Patch, Recipe, Source, System, Test
from lode.definitions.requirement import Condition
from lode.definitions.stack import Group, StackDefinition
from lode.errors import Place, ResolutionError
from lode.locking import lockfile
from lode.locking.graph import build_order, closure
from lode.locking.resolve import resolve
from lode.locking.update import Update


def refused(world: World, *requirements: str, **more: object) -> str:
    with pytest.raises(ResolutionError) as caught:
        world.lock(*requirements, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_newest_version_is_chosen_in_our_order_of_versions() -> None:
    world = World()
    world.add("root", "6.32.04 6.32.4 6.30.06")
    world.add("openssl", "1.1.1w 1.1.1 1.1.1b")
    world.add("garfield", "v4r2 v4r10 v4r1")
    world.add("table", "2024-11-c 2024-11-a 2024-09")
    world.add("beta", "2.0rc1 1.9")
    chosen = versions(world.lock("root", "openssl", "garfield", "table", "beta <2"))
    assert chosen == {
        "root": "6.32.4",
        "openssl": "1.1.1w",
        "garfield": "v4r10",
        "table": "2024-11-c",
        "beta": "2.0rc1",
    }


def test_version_bounds_of_all_who_ask_hold_at_once() -> None:
    world = World()
    world.add("zlib", "1.1 1.2 1.3 1.4")
    world.add("hdf5", needs=["zlib >=1.2"])
    world.add("boost", needs=["zlib <1.4"])
    assert versions(world.lock("hdf5", "boost", "zlib !=1.3"))["zlib"] == "1.2"


def test_an_older_version_is_chosen_where_the_newest_does_not_fit() -> None:
    world = World()
    world.add("geant4", "11.2 11.3")
    world.add("remage", "0.8 0.9", needs=["geant4 >=11.3 when >=0.9", "geant4 <11.3 when <0.9"])
    assert versions(world.lock("geant4 <11.3", "remage")) == {"geant4": "11.2", "remage": "0.8"}


def test_dependency_of_another_version_is_no_dependency() -> None:
    world = World()
    world.add("a", "1 2", needs=["b when <2"])
    world.add("b")
    assert versions(world.lock("a")) == {"a": "2"}
    assert versions(world.lock("a ==1")) == {"a": "1", "b": "1.0"}


def test_dependency_under_an_option_follows_the_option() -> None:
    world = World()
    world.add("geant4", options=["gdml=true", "qt=false"], needs=["xerces-c when +gdml", "qt when +qt"])
    world.add("xerces-c")
    world.add("qt")
    assert set(versions(world.lock("geant4"))) == {"geant4", "xerces-c"}
    assert set(versions(world.lock("geant4 ~gdml +qt"))) == {"geant4", "qt"}
    assert world.lock("geant4 ~gdml").node("geant4").options == {"gdml": "false", "qt": "false"}


def test_recipes_that_only_an_unasked_option_needs_are_not_even_read() -> None:
    world = World()
    world.add("geant4", options=["qt=false"], needs=["qt when +qt"])
    world.lock("geant4")
    assert "qt" not in world.loaded


def test_an_option_is_set_by_whoever_depends_with_it() -> None:
    world = World()
    world.add("geant4", options=["gdml=false", "std=17:17,20"], needs=["xerces-c when +gdml"])
    world.add("xerces-c")
    world.add("remage", needs=["geant4 +gdml std=20"])
    lock = world.lock("remage")
    assert lock.node("geant4").options == {"gdml": "true", "std": "20"}
    assert "xerces-c" in versions(lock)
    assert lock.node("remage").edges[0].options == (("gdml", "true"), ("std", "20"))


def test_an_option_asked_for_only_by_a_version_that_was_not_chosen_keeps_its_default() -> None:
    world = World()
    world.add("geant4", options=["gdml=false"], needs=["xerces-c when +gdml"])
    world.add("xerces-c")
    world.add("remage", "1 2", needs=["geant4 +gdml when <2", "geant4 when >=2"])
    lock = world.lock("remage")
    assert lock.node("geant4").options == {"gdml": "false"}
    assert versions(lock) == {"geant4": "1.0", "remage": "2"}
    assert world.lock("remage ==1").node("geant4").options == {"gdml": "true"}


def test_no_option_leaves_its_default_to_make_way_for_a_newer_version() -> None:
    world = World()
    world.add("plot", "1 2", conflicts=["<9 | geant4 +qt: two event loops"])
    world.add("geant4", options=["qt=true"])
    world.add("batch", "1 2", needs=["geant4 ~qt when <2", "geant4 when >=2"])
    message = refused(world, "plot", "geant4", "batch ==2")
    assert "two event loops" in message


def test_an_option_that_a_version_does_not_have_rules_that_version_out() -> None:
    world = World()
    world.add("geant4", "10 11", options=["vecgeom=false when <11"])
    assert versions(world.lock("geant4 +vecgeom"))["geant4"] == "10"
    assert world.lock("geant4").node("geant4").options == {}


def test_condition_on_another_package_follows_its_version() -> None:
    world = World()
    world.add("python", "3.11 3.12 3.13")
    world.add("tomli")
    world.add("build", needs=["python"], run=["tomli when ^python<3.12"])
    assert set(versions(world.lock("build"))) == {"build", "python"}
    assert set(versions(world.lock("build", "python <3.12"))) == {"build", "python", "tomli"}


def test_condition_on_another_package_does_not_bring_that_package() -> None:
    world = World()
    world.add("python")
    world.add("numpy", needs=["python"])
    world.add("hist", run=["numpy when ^python"])
    assert set(versions(world.lock("hist"))) == {"hist"}
    assert set(versions(world.lock("hist", "python"))) == {"hist", "python", "numpy"}


def test_condition_on_another_package_does_not_choose_its_version() -> None:
    world = World()
    world.add("python", "3.11 3.12")
    world.add("old-helper")
    world.add("new-helper")
    world.add("app", needs=["python"], run=["old-helper when ^python<3.12", "new-helper when ^python>=3.12"])
    assert versions(world.lock("app")) == {"app": "1.0", "python": "3.12", "new-helper": "1.0"}


def test_dependency_for_one_system_is_only_there_on_its_targets() -> None:
    world = World(target("debian12-x86_64"), target("el9-x86_64"))
    world.add("daq", needs=["libaio when os=debian", "numa when arch=aarch64"])
    world.add("libaio", needs=["zlib"])
    world.add("zlib")
    lock = world.lock("daq")
    assert lock.node("daq").targets == ("debian12-x86_64", "el9-x86_64")
    assert lock.node("libaio").targets == lock.node("zlib").targets == ("debian12-x86_64",)
    assert [node.package for node in build_order(lock, "el9-x86_64")] == ["daq"]
    assert [node.package for node in build_order(lock, "debian12-x86_64")] == ["zlib", "libaio", "daq"]


def test_one_version_of_a_package_holds_on_all_targets() -> None:
    world = World(target("debian12-x86_64"), target("el9-x86_64"))
    world.add("daq", needs=["zlib", "zlib <1.3 when os=el"])
    world.add("zlib", "1.2 1.3")
    lock = world.lock("daq")
    assert versions(lock)["zlib"] == "1.2"
    assert [(edge.constraint, edge.targets) for edge in lock.node("daq").edges] == [
        ("", ("debian12-x86_64",)),
        ("<1.3", ("el9-x86_64",)),
    ]


def test_build_tool_of_the_os_is_taken_where_its_version_is_admitted() -> None:
    world = World(target("debian12-x86_64", externals="cmake=3.25.1"), target("el9-x86_64", externals="cmake=3.20.2"))
    world.add("cmake", "3.31")
    world.add("hdf5", build=["cmake >=3.22"])
    lock = world.lock("hdf5")
    assert lock.node("cmake").targets == ("el9-x86_64",)
    assert [(edge.package, edge.targets) for edge in lock.node("hdf5").edges] == [("cmake", ("el9-x86_64",))]
    external = lock.node("hdf5").externals
    assert [(edge.package, edge.targets, edge.constraint) for edge in external] == [
        ("cmake", ("debian12-x86_64",), ">=3.22")
    ]


def test_a_stack_may_want_its_own_build_tools() -> None:
    world = World(target(externals="cmake=3.25.1"))
    world.add("cmake", "3.31")
    world.add("hdf5", build=["cmake"])
    assert set(versions(world.lock("hdf5"))) == {"hdf5"}
    assert set(versions(world.lock("hdf5", own="cmake"))) == {"hdf5", "cmake"}


def test_what_is_linked_or_asked_for_with_options_is_never_taken_from_the_os() -> None:
    world = World(target(externals="cmake=3.25.1 zlib=1.2"))
    world.add("cmake", options=["gui=false"])
    world.add("zlib")
    world.add("hdf5", needs=["zlib"], build=["cmake ~gui"])
    assert set(versions(world.lock("hdf5"))) == {"hdf5", "cmake", "zlib"}


def test_test_dependencies_are_nodes_but_enter_no_hash() -> None:
    world = World()
    world.add("app", needs=["zlib"], test=["checker"])
    world.add("zlib")
    world.add("checker", "1.0 2.0")
    first, second = world.lock("app", "checker ==1.0"), world.lock("app", "checker ==2.0")
    assert first.node("checker").version != second.node("checker").version
    assert first.node("app").hashes == second.node("app").hashes


def test_packages_that_test_each_other_are_no_cycle() -> None:
    world = World()
    world.add("a", needs=["b"])
    world.add("b", test=["a"])
    assert [node.package for node in build_order(world.lock("a"), "debian12-x86_64")] == ["b", "a"]


def test_deprecated_version_is_chosen_only_when_asked_for_exactly() -> None:
    world = World()
    world.add("hdf5", "1.14 1.15", deprecated="1.15")
    world.add("reader", needs=["hdf5 >=1.14"])
    assert versions(world.lock("reader"))["hdf5"] == "1.14"
    assert versions(world.lock("reader", "hdf5 ==1.15"))["hdf5"] == "1.15"
    assert refused(world, "hdf5 >=1.15") == (
        "stacks/x.yaml:5:3: every version of hdf5 that hdf5 >=1.15 admits is deprecated: has a known fault\n"
        "  hint: to take it all the same, ask for hdf5 ==1.15"
    )


def test_deprecated_version_that_an_unused_recipe_version_asks_for_is_not_chosen() -> None:
    world = World()
    world.add("hdf5", "1.13 1.15", deprecated="1.15")
    world.add("reader", "1 2", needs=["hdf5 ==1.15 when <2", "hdf5 >=1.13 when >=2"])
    assert versions(world.lock("reader")) == {"hdf5": "1.13", "reader": "2"}


def test_conflict_stated_by_a_recipe_is_honoured() -> None:
    world = World()
    world.add("root", "6.30 6.32", conflicts=[">=6.32 | python <3.12: the bindings need 3.12"])
    world.add("python", "3.11")
    assert versions(world.lock("root", "python")) == {"python": "3.11", "root": "6.30"}


def test_conflict_under_an_option_holds_only_with_the_option() -> None:
    world = World()
    world.add("root", "6.32", options=["qt=false"], conflicts=["+qt | geant4 +qt: both draw"])
    world.add("geant4", options=["qt=false"])
    assert len(world.lock("root +qt", "geant4").nodes) == 2
    assert len(world.lock("root", "geant4 +qt").nodes) == 2
    assert refused(world, "root +qt", "geant4 +qt").startswith("geant4 cannot be chosen: stack asks geant4 +qt")


def test_sources_patches_and_words_follow_version_options_and_target() -> None:
    world = World(target("debian12-x86_64"), target("el9-x86_64"))
    world.files["nest", "patches/a.patch"] = b"a"
    world.add(
        "nest",
        options=["threads=true", "std=17:17,20", "gpu=false when os=el"],
        args=[
            Argument(words=("-DA=1",)),
            Argument(option="threads", define="USE_THREADS"),
            Argument(option="std", define="CMAKE_CXX_STANDARD"),
            Argument(option="gpu", define="USE_GPU"),
            Argument(words=("-DSINGLE=1",), when=Condition(options=(("threads", "false"),))),
        ],
    )
    known = world.recipes["nest"]
    extra = Source(
        origins=(Origin(scheme="path", location="data/table.txt"),),
        sha256=None,
        unpack=False,
        when=Condition(os=("el",)),
    )
    world.files["nest", "data/table.txt"] = b"1 2 3"
    stated = replace(
        known.versions[0],
        sources=(*known.versions[0].sources, extra),
        patches=(Patch(file="patches/a.patch", reason="gcc", until=">=2", when=Condition(os=("debian",))),),
    )
    world.recipes["nest"] = replace(known, versions=(stated,))
    node = world.lock("nest").node("nest")
    both = ("debian12-x86_64", "el9-x86_64")
    assert [(argument.words, argument.targets) for argument in node.build.args] == [
        (("-DA=1",), both),
        (("-DUSE_THREADS=ON",), both),
        (("-DCMAKE_CXX_STANDARD=17",), both),
        (("-DUSE_GPU=OFF",), ("el9-x86_64",)),
    ]
    assert [(source.filename, source.targets) for source in node.sources] == [
        ("nest-1.0.tar.gz", both),
        ("table.txt", ("el9-x86_64",)),
    ]
    assert [(patch.file, patch.targets) for patch in node.patches] == [("patches/a.patch", ("debian12-x86_64",))]


def test_patch_whose_end_has_come_is_refused_with_its_reason() -> None:
    world = World()
    world.files["nest", "patches/a.patch"] = b"a"
    world.add("nest", "2.4.1")
    known = world.recipes["nest"]
    patch = Patch(
        file="patches/a.patch",
        reason="gcc 13 needs cstdint",
        until=">=2.4.1",
        upstream="https://example.org/1",
        place=Place(file="recipes/nest/recipe.yaml", line=12, column=9),
    )
    world.recipes["nest"] = replace(known, versions=(replace(known.versions[0], patches=(patch,)),))
    assert refused(world, "nest") == (
        "recipes/nest/recipe.yaml:12:9: the patch patches/a.patch of nest 2.4.1 must be gone from >=2.4.1: "
        "gcc 13 needs cstdint\n  hint: drop the patch from this version; see https://example.org/1"
    )


def test_language_that_a_target_cannot_compile_is_refused() -> None:
    world = World(target(languages="c cxx"))
    world.add("lapack", languages="fortran")
    assert refused(world, "lapack") == (
        "recipes/lapack/recipe.yaml:1:1: "
        "lapack 1.0 needs a fortran compiler, which target debian12-x86_64 does not have\n"
        "  hint: gcc there compiles: c, cxx"
    )


def test_cycle_is_refused_and_named() -> None:
    world = World()
    world.add("a", needs=["b"])
    world.add("b", run=["c"])
    world.add("c", build=["a"])
    assert refused(world, "b") == (
        "packages need each other in a circle on debian12-x86_64: a needs b needs c needs a\n"
        "  hint: a package cannot be built before itself: drop a dependency, or put it under an option"
    )


def test_groups_pins_tests_and_reasons_are_in_the_lock() -> None:
    world = World()
    world.add("nest", needs=["gcem >=1"])
    world.add("gcem")
    world.files["", "tests/a.py"] = b"print(1)"
    stack = replace(
        world.stack("nest", groups=[Group(name="simulation", packages=("nest",))]),
        tests=(Test(name="chain", python="tests/a.py"),),
        upstream=("gcem",),
    )
    lock = world.lock(stack)
    assert lock.groups == {"simulation": ("nest",)}
    assert lock.node("gcem").reasons == ("nest: gcem >=1",)
    assert lock.node("nest").reasons == ("stack: nest",)
    assert lock.node("gcem").provider == "upstream"
    assert [path for path, _ in lock.tests[0].files] == ["tests/a.py"]
    assert lock.tools == TOOLS


def test_closure_follows_only_the_kinds_asked_for() -> None:
    world = World()
    world.add("app", needs=["lib"], build=["tool"], run=["data"])
    world.add("lib", needs=["zlib"])
    for name in ("tool", "data", "zlib"):
        world.add(name)
    lock = world.lock("app")
    found = closure(lock, ["app"], "debian12-x86_64", {Kind.LINK, Kind.RUN})
    assert [node.package for node in found] == ["data", "zlib", "lib", "app"]
    with pytest.raises(KeyError, match="nobody"):
        closure(lock, ["nobody"], "debian12-x86_64", {Kind.LINK})


def test_only_what_the_requirements_reach_is_in_the_lock() -> None:
    world = World()
    world.add("a", "1 2", needs=["b when <2", "c when >=2"])
    world.add("b", needs=["d"])
    world.add("c")
    world.add("d")
    world.add("e")
    assert set(versions(world.lock("a"))) == {"a", "c"}


# -- least change


def growing() -> World:
    world = World()
    world.add("zlib", "1.2 1.3")
    world.add("hdf5", "1.14", needs=["zlib"])
    world.add("nest", "2.3 2.4")
    return world


def test_lock_made_again_keeps_versions_although_newer_ones_came() -> None:
    world = growing()
    before = world.lock("hdf5", "nest")
    world.add("zlib", "1.2 1.3 1.4")
    world.add("nest", "2.3 2.4 2.5")
    assert versions(world.lock("hdf5", "nest", previous=before)) == versions(before)
    assert versions(world.lock("hdf5", "nest", previous=before, update=Update(everything=True)))["zlib"] == "1.4"


def test_update_renews_the_named_package_and_nothing_else() -> None:
    world = growing()
    before = world.lock("hdf5", "nest")
    world.add("zlib", "1.2 1.3 1.4")
    world.add("nest", "2.3 2.4 2.5")
    after = world.lock("hdf5", "nest", previous=before, update=Update(packages=("nest",)))
    assert versions(after) == {"hdf5": "1.14", "nest": "2.5", "zlib": "1.3"}


def test_update_takes_what_the_new_version_needs_along() -> None:
    world = World()
    world.add("zlib", "1.2")
    world.add("hdf5", "1.14", needs=["zlib"])
    before = world.lock("hdf5")
    world.add("zlib", "1.2 1.3")
    world.add("hdf5", "1.14 2.0", needs=["zlib", "zlib >=1.3 when >=2"])
    after = world.lock("hdf5", previous=before, update=Update(packages=("hdf5",)))
    assert versions(after) == {"hdf5": "2.0", "zlib": "1.3"}


def test_version_that_a_new_requirement_rules_out_is_changed_alone() -> None:
    world = growing()
    before = world.lock("hdf5", "nest")
    world.add("zlib", "1.2 1.3 1.4")
    world.add("nest", "2.3 2.4 2.5")
    assert versions(world.lock("hdf5", "nest", "zlib >=1.4", previous=before)) == {
        "hdf5": "1.14",
        "nest": "2.4",
        "zlib": "1.4",
    }


def test_change_that_only_a_chain_of_requests_forces_is_told_with_the_chain() -> None:
    world = World()
    world.add("zlib", "1.2 1.3")
    world.add("hdf5", "1.14", needs=["zlib <1.3"])
    before = world.lock("hdf5")
    world.add("hdf5", "1.14 2.0", needs=["zlib <1.3 when <2", "zlib when >=2"])
    after = world.lock("hdf5", "zlib >=1.3", previous=before)
    assert versions(after) == {"hdf5": "2.0", "zlib": "1.3"}
    assert world.told == {
        "hdf5": "stack asks zlib >=1.3 (stacks/x.yaml:6:3), "
        "hdf5 1.14 asks zlib <1.3 when <2 (recipes/hdf5/recipe.yaml:20:5)"
    }


def test_change_from_a_version_that_is_gone_or_deprecated_is_told() -> None:
    world = growing()
    before = world.lock("hdf5", "nest")
    world.add("zlib", "1.2")
    world.add("nest", "2.3 2.4", deprecated="2.4")
    world.lock("hdf5", "nest", previous=before)
    assert world.told == {
        "nest": "nest 2.4 is deprecated: has a known fault",
        "zlib": "the recipe has zlib 1.3 no longer",
    }


def test_update_of_a_package_that_is_not_needed_is_refused() -> None:
    world = growing()
    message = refused(world, "hdf5", previous=world.lock("hdf5"), update=Update(packages=("zlip",)))
    assert message == "zlip cannot be updated: the stack does not need it\n  hint: did you mean 'zlib'?"


def test_newer_tools_alone_change_no_lock() -> None:
    world = growing()
    before = world.lock("hdf5")
    stack = world.stack("hdf5")
    again = resolve(
        stack,
        targets=world.targets,
        recipe=world.recipes.get,
        recipe_names=lambda: sorted(world.recipes),
        file=lambda package, path: b"",
        previous=before,
        collections=(("lode", "2.0"),),
        tools={**TOOLS, "rattler": "9.9"},
    )
    assert again == before


# -- determinism


def shuffled(recipe: Recipe, chance: random.Random) -> Recipe:
    def mixed(items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(chance.sample(items, len(items)))

    return replace(recipe, dependencies=mixed(recipe.dependencies), conflicts=mixed(recipe.conflicts))  # type: ignore[arg-type]


def tangled() -> World:
    world = World(target("debian12-x86_64", externals="cmake=3.25"), target("el9-x86_64"))
    world.add("cmake", "3.20 3.31")
    world.add("zlib", "1.2 1.3 1.4")
    world.add("python", "3.11 3.12 3.13", needs=["zlib >=1.2", "ssl when ~light"], options=["light=false"])
    world.add("ssl", "1.1.1w 3.0", needs=["zlib <1.4 when <3"])
    world.add("numpy", "1.26 2.0", needs=["python >=3.12 when >=2", "python <3.13 when <2"], build=["cmake"])
    world.add("root", "6.30 6.32", needs=["numpy", "python", "ssl ==1.1.1w when <6.32"], options=["gui=true"])
    world.add("geant4", "11.2 11.3", needs=["zlib", "root when +plot"], options=["plot=false"], build=["cmake >=3.22"])
    world.add("remage", "0.8 0.9", needs=["geant4 +plot when >=0.9", "geant4 <11.3"], conflicts=["root >=6.32: broken"])
    return world


@settings(max_examples=25)
@given(st.integers(min_value=0, max_value=2**32))
def test_order_of_writing_never_matters(seed: int) -> None:
    chance = random.Random(seed)
    world = tangled()
    expected = lockfile.dump(world.lock("remage", "python", "root", "numpy"))
    mixed = tangled()
    names = list(mixed.recipes)
    chance.shuffle(names)
    mixed.recipes = {name: shuffled(mixed.recipes[name], chance) for name in names}
    mixed.targets = dict(chance.sample(sorted(mixed.targets.items()), len(mixed.targets)))
    stack = mixed.stack("remage", "python", "root", "numpy")
    requirements = list(stack.requirements)
    chance.shuffle(requirements)
    assert lockfile.dump(mixed.lock(replace(stack, requirements=tuple(requirements)))) == expected


# -- stacks on top of others


def base_and_top() -> tuple[World, StackDefinition]:
    world = World()
    world.add("python", "3.12", options=["light=false"])
    world.add("zlib", "1.2 1.3")
    return world, world.stack("python", "zlib <1.3", name="base", groups=[Group(name="core", packages=("python",))])


def test_extended_lock_gives_its_nodes_as_they_are() -> None:
    world, stack = base_and_top()
    base = world.lock(stack)
    world.add("python", "3.12 3.13", options=["light=true"])
    world.add("zlib", "1.2 1.3 1.4")
    world.add("numpy", "2.0", needs=["python"])
    lock = world.lock("numpy", "zlib", base=base)
    assert versions(lock) == {"numpy": "2.0", "python": "3.12", "zlib": "1.2"}
    assert lock.node("python").hashes == base.node("python").hashes
    assert lock.node("python").options == {"light": "false"}
    assert lock.extends is not None
    assert lock.extends.digest == base.digest
    assert lock.groups == {"core": ("python",)}
    assert lock.requirements == ("numpy", "python", "zlib", "zlib <1.3")
    assert lock.node("zlib").reasons == ("base@1: zlib", "stack: zlib")


def test_build_tools_of_an_extended_lock_stay_as_they_were() -> None:
    world = World(target(externals="cmake=3.25.1"))
    world.add("cmake", "3.31")
    world.add("hdf5", build=["cmake"])
    base = world.lock(world.stack("hdf5", own="cmake", name="base"))
    lock = world.lock("hdf5", base=base)
    assert lock.node("hdf5").hashes == base.node("hdf5").hashes
    assert set(versions(lock)) == {"cmake", "hdf5"}


def test_request_against_the_extended_lock_names_both() -> None:
    world, stack = base_and_top()
    base = world.lock(stack)
    assert refused(world, "zlib >=1.3", base=base) == (
        "stacks/x.yaml:5:3: no known version of zlib is >=1.3\n  hint: known versions of zlib: 1.2, fixed by base@1"
    )
    assert refused(world, "python +light", base=base) == (
        "stacks/x.yaml:5:3: option light of python cannot be true\n"
        "  hint: base@1 has python with light=false; a stack on top of it cannot change that"
    )


def test_extended_lock_must_have_the_target_as_it_is_now() -> None:
    world, stack = base_and_top()
    base = world.lock(stack)
    world.targets["debian12-x86_64"] = target(glibc="2.40")
    assert refused(world, "python", base=base) == (
        "the target debian12-x86_64 is not what it was when base@1 was locked\n"
        "  hint: lock base@1 again, or undo the change"
    )
    world.targets = {"el9-x86_64": target("el9-x86_64")}
    assert refused(world, "python", base=base) == (
        "stacks/x.yaml:1:1: base@1 has no target el9-x86_64, so x@1 cannot have it on top\n"
        "  hint: targets of base@1: debian12-x86_64"
    )


@pytest.mark.parametrize(
    ("system", "name", "value", "word"),
    [
        (System.CMAKE, "NEST_GDML", "true", "-DNEST_GDML=ON"),
        (System.CMAKE, "NEST_GDML", "false", "-DNEST_GDML=OFF"),
        (System.CMAKE, "CXX", "17", "-DCXX=17"),
        (System.MESON, "gdml", "true", "-Dgdml=true"),
        (System.AUTOTOOLS, "enable-gdml", "true", "--enable-gdml"),
        (System.AUTOTOOLS, "enable-gdml", "false", "--disable-gdml"),
        (System.AUTOTOOLS, "with-ssl", "false", "--without-ssl"),
        (System.AUTOTOOLS, "with-ssl", "gnutls", "--with-ssl=gnutls"),
        (System.MAKE, "USE_SSL", "true", "USE_SSL=1"),
        (System.PYTHON, "USE_SSL", "false", "USE_SSL=0"),
    ],
)
def test_define_is_put_in_the_words_of_the_build_system(system: System, name: str, value: str, word: str) -> None:
    world = World()
    values = "true,false" if value in ("true", "false") else value
    world.add("a", options=[f"x={value}:{values}"], args=[Argument(option="x", define=name)], system=system)
    assert [argument.words for argument in world.lock("a").node("a").build.args] == [(word,)]
