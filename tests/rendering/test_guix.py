"""The Guix renderer: modules as before, nothing of a recipe is code, edited files are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.locking.world import World, target

from lode.definitions.recipe import Argument, Environment, Patch, System, Test
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.agreement import Unreadable
from lode.rendering.guix import read_back, render
from lode.rendering.guix.expression import Symbol, call, dump, quoted, read
from lode.rendering.weakening import Inexpressible

T = "debian12-x86_64"
MODULE = PurePosixPath(T, "lode/packages.scm")


def made_of(world: World, lock: Lock) -> Rendering:
    made = render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def sample() -> World:
    world = World(target(externals="make=4.3"))
    world.add("zlib", "1.3.1", languages="c", system=System.SCRIPT)
    world.add("python", "3.13.5", languages="c", needs=["zlib"], build=["make"], system=System.AUTOTOOLS)
    world.add("module", "2.0", needs=["nest"], run=["python"], system=System.PYTHON)
    world.add("wheel", run=["python"], test=["module"], system=System.WHEEL)
    world.add("makes", needs=["zlib"], system=System.MAKE)
    world.add("mesons", system=System.MESON)
    world.add("all-of-it", run=["module", "wheel", "makes", "mesons"], system=System.BUNDLE)
    world.add("nest", "2.4.1", languages="cxx", options=["gdml=true"], needs=["zlib"],
              args=[Argument(option="gdml", define="NEST_GDML")])  # fmt: skip
    nest, zlib, wheel, bundle = (world.recipes[name] for name in ("nest", "zlib", "wheel", "all-of-it"))
    world.files = {("nest", "patches/a.patch"): b"--- a\n+++ b\n"}
    stated, whole = nest.versions[0], wheel.versions[0]
    source = replace(stated.sources[0], subdirectory="lib/nest")
    patched = replace(stated, sources=(source,), patches=(Patch(file="patches/a.patch", reason="x"),))
    world.recipes["nest"] = replace(
        nest,
        versions=(patched,),
        build=replace(nest.build, subdirectory="inner", prepare="touch x", finish="rm -f x", memory_mb=900),
        environment=Environment(prepend=(("NEST_PATH", "share"),), set=(("NEST", "."),), value=(("UNIT", "keV"),)),
        tests=(Test(name="runs", run="nest --help\n"),),
    )
    world.recipes["zlib"] = replace(zlib, build=replace(zlib.build, script="make install\n", jobs=1))
    files = (replace(whole.sources[0], unpack=False), replace(whole.sources[0], directory="more"))
    world.recipes["wheel"] = replace(wheel, versions=(replace(whole, sources=files),))
    world.recipes["all-of-it"] = replace(bundle, versions=(replace(bundle.versions[0], sources=()),))
    return world


def test_sample_stack_renders_as_before() -> None:
    world = sample()
    made = made_of(world, world.lock(world.stack("all-of-it", "nest", release="2026.11")))
    for path, content in made.tree.files.items():
        same_as_golden(f"rendering/guix/{path}", content)
    lost = "".join(f"{one}\n" for one in made.weakenings)
    same_as_golden("rendering/guix/weakenings.txt", lost.encode())


HOSTILE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40) | st.sampled_from(
    ['")(system "id")(', "\\", '\\"', "#|", "|#", ";", "$(id)", "#.(x)", "'", ",(x)"]
)
EXPRESSIONS = st.recursive(
    HOSTILE, lambda inner: st.lists(inner, max_size=4).map(tuple) | st.tuples(st.just(Symbol("quote")), inner)
)


@given(EXPRESSIONS)
def test_what_is_dumped_is_read_again(value: object) -> None:
    expression = call("x", value, quoted(value, "`"))  # type: ignore[arg-type]
    assert list(read(f"; begin\n{dump(expression)}\n")) == [expression]


@settings(max_examples=25)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_that_a_recipe_says_becomes_code(one: str, two: str, three: str) -> None:
    world = World()
    world.add("app", "1.0", system=System.AUTOTOOLS)
    recipe = world.recipes["app"]
    world.recipes["app"] = replace(
        recipe,
        summary=one,
        homepage=two,
        license=three,
        build=replace(recipe.build, args=(Argument(words=(one, two)),), prepare=three, finish=one,
                      environment=(("X", two),), targets=(three,)),
        environment=Environment(prepend=(("P", one),), value=(("V", three),)),
    )  # fmt: skip
    module, defined = read(made_of(world, world.lock("app")).tree.files[MODULE].decode())
    assert (module[0], defined[0], defined[1]) == ("define-module", "define-public", "lode-app")
    fields = {str(field[0]): field[1:] for field in defined[2][1:]}  # type: ignore[union-attr]
    assert fields["synopsis"] == (one,)
    assert fields["home-page"] == (two,)
    assert fields["description"] == (f"{one}.  License: {three}.",)


def test_a_patch_that_changed_since_is_refused() -> None:
    world = sample()
    lock = world.lock("nest")
    world.files["nest", "patches/a.patch"] = b"new"
    with pytest.raises(Inexpressible, match=r"nest: the patch patches/a\.patch changed since the lock was made"):
        made_of(world, lock)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("(", "not a module as it is rendered: a closing parenthesis is missing"),
        (")", "not a module as it is rendered: a closing parenthesis too many at character 1"),
        ('"x', "not a module as it is rendered: no expression at character 0"),
        ('(define-public lode-x (package (name "y")))', "not a module as it is rendered: lode-x is called y"),
        ("", "there is no <target>/lode/packages.scm that defines anything"),
    ],
)
def test_edited_files_are_named_with_their_fault(content: str, message: str) -> None:
    world = World()
    world.add("app", "1.0")
    tree = made_of(world, world.lock("app")).tree
    with pytest.raises(Unreadable) as fault:
        read_back(replace(tree, files={MODULE: content.encode()}))
    assert [one.message for one in fault.value.faults] == [message]
