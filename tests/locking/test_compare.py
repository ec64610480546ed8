"""What differs between two locks, in whole lines."""

from __future__ import annotations

from dataclasses import replace

from tests.locking.sample import sample_lock
from tests.locking.test_nodehash import parts
from tests.locking.world import World, target

from lode.definitions.recipe import Environment, System
from lode.locking.compare import compare
from lode.locking.graph import Lock
from lode.locking.update import Update


def lines(old: Lock, new: Lock, **more: object) -> list[str]:
    return list(compare(old, new, **more).lines())  # type: ignore[arg-type]


def world() -> World:
    made = World()
    made.add("zlib", "1.2 1.3")
    made.add("hdf5", "1.14", needs=["zlib"], options=["mpi=false"])
    made.add("nest", "2.3 2.4")
    return made


def test_same_lock_has_no_differences() -> None:
    lock = world().lock("hdf5")
    assert not compare(lock, lock)
    assert lines(lock, lock) == []


def test_added_and_removed_nodes_come_with_who_asked() -> None:
    old, new = world().lock("hdf5"), world().lock("nest")
    assert lines(old, new) == [
        "requirement added: nest",
        "requirement removed: hdf5",
        "- hdf5 1.14: no longer: the stack asks hdf5",
        "+ nest 2.4: the stack asks nest",
        "- zlib 1.3: no longer: hdf5 asks zlib",
    ]


def test_changed_version_comes_with_the_rule_that_forced_it_and_what_it_rebuilds() -> None:
    old, new = world().lock("hdf5"), world().lock("hdf5", "zlib <1.3")
    assert lines(old, new) == [
        "requirement added: zlib <1.3",
        "~ hdf5 1.14: dependency zlib changed",
        "~ zlib 1.3 to 1.2: the stack asks zlib <1.3",
    ]
    assert lines(new, old) == [
        "requirement removed: zlib <1.3",
        "~ hdf5 1.14: dependency zlib changed",
        "~ zlib 1.2 to 1.3: no longer: the stack asks zlib <1.3",
    ]


def test_rule_of_a_recipe_is_named_with_its_version() -> None:
    made = world()
    old = made.lock("hdf5 ==1.14")
    made.add("hdf5", "1.14 2.0", needs=["zlib", "zlib <1.3 when >=2"])
    new = made.lock("hdf5", previous=old, update=Update(packages=("hdf5",)))
    assert lines(old, new, why={"hdf5": "asked"})[2:] == [
        "~ hdf5 1.14 to 2.0: option mpi: false to absent, dependency zlib asked for otherwise; "
        "no longer: the stack asks hdf5 ==1.14",
        "~ zlib 1.3 to 1.2: hdf5 2.0 asks zlib <1.3",
    ]


def test_update_is_named_where_it_was_asked_for() -> None:
    made = world()
    old = made.lock("nest")
    made.add("nest", "2.3 2.4 2.5")
    new = made.lock("nest", previous=old, update=Update(packages=("nest",)))
    assert lines(old, new, why={"nest": "asked to be updated"}) == ["~ nest 2.4 to 2.5: asked to be updated"]
    assert lines(old, new) == ["~ nest 2.4 to 2.5: chosen anew"]


def test_changed_option_comes_with_who_asks_for_it() -> None:
    made = world()
    old = made.lock("hdf5")
    made.add("reader", needs=["hdf5 +mpi"])
    assert lines(old, made.lock("hdf5", "reader"))[1:] == [
        "~ hdf5 1.14: option mpi: false to true; reader 1.0 asks hdf5 mpi=true",
        "+ reader 1.0: the stack asks reader",
    ]


def test_each_change_of_a_recipe_is_told_by_name() -> None:
    made = world()
    made.add("cmake")
    old = made.lock("hdf5")
    recipe = made.recipes["hdf5"]
    stated = recipe.versions[0]
    made.recipes["hdf5"] = replace(
        recipe,
        build=replace(recipe.build, system=System.MESON),
        environment=Environment(value=(("MODE", "fast"),)),
        versions=(replace(stated, sources=(replace(stated.sources[0], directory="below"),)),),
    )
    assert lines(old, made.lock("hdf5")) == ["~ hdf5 1.14: source, build steps, environment"]
    made.recipes["hdf5"] = replace(recipe, maintainers=("somebody",))
    assert lines(old, made.lock("hdf5")) == ["~ hdf5 1.14: recipe (nothing that is built)"]
    assert compare(old, made.lock("hdf5")).changes[0].rebuilt == ()


def test_changed_target_says_whether_everything_is_built_again() -> None:
    made = world()
    old = made.lock("nest")
    made.targets["debian12-x86_64"] = target(glibc="2.40")
    assert lines(old, made.lock("nest")) == [
        "target debian12-x86_64 changed: everything on it is built again",
        "~ nest 2.4: target debian12-x86_64",
    ]
    made.targets["debian12-x86_64"] = replace(target(), end_of_life="2030-01-01")
    assert lines(old, made.lock("nest")) == ["target debian12-x86_64 changed: no rebuild"]
    made.targets = {"debian12-x86_64": target(), "el9-x86_64": target("el9-x86_64")}
    assert lines(old, made.lock("nest")) == ["target added: el9-x86_64", "~ nest 2.4: now on el9-x86_64"]


def test_head_of_the_lock_is_compared_too() -> None:
    made = world()
    old = made.lock("nest")
    new = made.lock(replace(made.stack("nest", name="y", release="2"), date="2027-01-01", summary="another"))
    assert lines(old, new) == ["stack x@1 to y@2", "date changed", "summary changed"]
    base = made.lock(made.stack("nest", name="base"))
    extended = made.lock("nest", base=base)
    assert lines(old, extended) == [
        f"extends nothing to base@1 ({base.digest[:12]})",
        "~ nest 2.4: asked for by others",
    ]


def test_no_difference_of_a_node_goes_without_a_word() -> None:
    lock = sample_lock()
    for name, field, node in parts(lock.nodes[0]):
        if name == "Node" and field in ("package", "version", "targets", "prebuilt"):
            continue  # told in the line's head, or following from something that is told
        found = compare(lock, replace(lock, nodes=(node, *lock.nodes[1:])))
        assert found.changes == () or found.changes[0].what, (name, field)
