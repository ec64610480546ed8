"""The EasyBuild renderer: easyconfigs as before, nothing of a recipe is code, edited files are named."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.locking.world import World, target

from lode.definitions.recipe import Argument, Environment, Patch, Source, System, Test
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.agreement import Unreadable
from lode.rendering.easybuild import read_back, render
from lode.rendering.easybuild.words import plain
from lode.rendering.weakening import Inexpressible

T = "debian12-x86_64"


def made_of(world: World, lock: Lock) -> Rendering:
    made = render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def said(made: Rendering, path: str) -> dict[str, Any]:
    """Return what an easyconfig assigns, each statement being one of a literal to a name."""
    found: dict[str, Any] = {}
    for statement in ast.parse(made.tree.files[PurePosixPath(path)]).body:
        assert isinstance(statement, ast.Assign)
        (name,) = statement.targets
        assert isinstance(name, ast.Name)
        found[name.id] = ast.literal_eval(statement.value)
    return found


def sample() -> World:
    world = World(target(externals="make=4.3 cmake=3.25.1"), target("debian13-x86_64", externals="make=4.4"))
    world.add("zlib", "1.3.1", languages="c", system=System.SCRIPT)
    world.add("cmake", "3.31.0", system=System.AUTOTOOLS)
    world.add("python", "3.13.5", languages="c", needs=["zlib"], build=["make"], system=System.AUTOTOOLS)
    world.add("module", "2.0", needs=["nest"], run=["python"], system=System.PYTHON)
    world.add("wheel", run=["python"], test=["module"], system=System.WHEEL)
    world.add("makes", needs=["zlib"], system=System.MAKE)
    world.add("mesons", system=System.MESON)
    world.add("all-of-it", run=["module", "wheel", "makes", "mesons"], system=System.BUNDLE)
    world.add("nest", "2.4.1", languages="cxx", options=["gdml=true"], needs=["zlib"],
              build=["cmake >=3.20", "make"], args=[Argument(option="gdml", define="NEST_GDML")])  # fmt: skip
    nest, zlib, wheel, bundle = (world.recipes[name] for name in ("nest", "zlib", "wheel", "all-of-it"))
    world.files = {("nest", "patches/a.patch"): b"--- a\n+++ b\n"}
    stated = nest.versions[0]
    world.recipes["nest"] = replace(
        nest,
        versions=(
            replace(
                stated,
                sources=(replace(stated.sources[0], subdirectory="lib/nest"),),
                patches=(Patch(file="patches/a.patch", reason="x"),),
            ),
        ),
        build=replace(nest.build, subdirectory="inner", prepare="touch x", finish="rm -f x", memory_mb=900),
        tags=("simulation",),
        environment=Environment(prepend=(("NEST_PATH", "share"),), set=(("NEST", "."),), value=(("UNIT", "keV"),)),
        tests=(Test(name="runs", run="nest --help\n"), Test(name="python", python="print('a%(b)s')")),
    )
    world.recipes["zlib"] = replace(zlib, build=replace(zlib.build, script="make install\n", jobs=1))
    data = Source(origins=wheel.versions[0].sources[0].origins, sha256=of_bytes(b"x"), unpack=False, directory="d")
    world.recipes["wheel"] = replace(
        wheel,
        versions=(replace(wheel.versions[0], sources=(replace(wheel.versions[0].sources[0], unpack=False), data)),),
        tests=(Test(name="import", python="import wheel"),),
    )
    world.recipes["all-of-it"] = replace(bundle, versions=(replace(bundle.versions[0], sources=()),))
    return world


def test_sample_stack_renders_as_before() -> None:
    world = sample()
    made = made_of(world, world.lock(world.stack("all-of-it", "nest", release="2026.11")))
    for path, content in made.tree.files.items():
        same_as_golden(f"rendering/easybuild/{path}", content)
    lost = "".join(f"{one}\n" for one in made.weakenings)
    same_as_golden("rendering/easybuild/weakenings.txt", lost.encode())


def test_modules_are_named_and_needed_as_easybuild_spells_them() -> None:
    world = sample()
    made = made_of(world, world.lock(world.stack("module", release="2026.11")))
    nest = said(made, f"{T}/n/NEST/NEST-2.4.1-x-2026.11.eb")
    assert nest["dependencies"] == [("zlib", "1.3.1", "-x-2026.11")]
    assert nest["osdependencies"] == ["cmake", "make"]
    other = said(made, "debian13-x86_64/n/NEST/NEST-2.4.1-x-2026.11.eb")
    assert other["builddependencies"] == [("CMake", "3.31.0", "-x-2026.11")]
    assert len(nest["checksums"]) == len(nest["sources"]) + len(nest["patches"]) == 2


HOSTILE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40) | st.sampled_from(
    ['"""\nimport os', '")\nimport os  #', "\\", "'''", "%(installdir)s", "%%(name)s", "$(id)", "%s", "100%", "' + x"]
)


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
        build=replace(recipe.build, args=(Argument(words=(one, two)),), prepare=three, finish=one,
                      environment=(("X", two),), targets=(three,)),
        tests=(Test(name="x", run=one or "x"), Test(name="y", python=two or "y")),
    )  # fmt: skip
    values = said(made_of(world, world.lock("app")), f"{T}/a/app/app-1.0-x-1.eb")
    assert _templated(values["description"]) == one
    assert _templated(values["homepage"]) == two


@settings(max_examples=50)
@given(HOSTILE)
def test_a_variable_is_set_to_the_very_text_or_refused(text: str) -> None:
    world = World()
    world.add("app", "1.0")
    world.recipes["app"] = replace(world.recipes["app"], environment=Environment(value=(("V", text),)))
    lock = world.lock("app")
    code = set(text) & {"\\", "$", "["} or re.search(r"[\x00-\x1f\x7f]| \.\. ", text) or {"'", '"'} <= set(text)
    if not code:
        assert _templated(said(made_of(world, lock), f"{T}/a/app/app-1.0-x-1.eb")["modextravars"]["V"]) == text
        return
    with pytest.raises(Inexpressible) as refused:
        made_of(world, lock)
    assert str(refused.value) == (
        f"app: a module of EasyBuild cannot set V to {text!r}\n  hint: leave out what Lua and Tcl look at in a string"
    )


def _templated(text: str) -> str:
    """Return what EasyBuild makes of a value (resolve_template of easybuild-framework 5.4)."""
    return re.sub(r"(%)(?!%*\(\w+\)s)", r"\1\1", text) % {}


@given(st.text(alphabet="%()sab_ \n") | HOSTILE)
def test_templates_leave_plain_texts_as_they_are(text: str) -> None:
    assert _templated(plain(text)) == text


def test_patches_that_easybuild_cannot_tell_apart_are_refused_all_at_once() -> None:
    world = World()
    world.add("app", "1.0")
    recipe = world.recipes["app"]
    files = ("a/x.patch", "b/x.patch", "c.txt", "d.patch")
    patches = tuple(Patch(file=file, reason="x") for file in files)
    world.recipes["app"] = replace(recipe, versions=(replace(recipe.versions[0], patches=patches),))
    world.files = {("app", file): file.encode() for file in files}
    lock = world.lock("app")
    world.files["app", "d.patch"] = b"new"
    with pytest.raises(Inexpressible) as refused:
        render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])
    assert [fault.message for fault in refused.value.faults] == [
        "app: two patches are called x.patch",
        "app: EasyBuild does not take c.txt for a patch",
        "app: the patch d.patch changed since the lock was made",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = (", "not an easyconfig as it is rendered: '(' was never closed (<unknown>, line 1)"),
        (b"import os", "not an easyconfig as it is rendered: line 1 gives no name a value"),
        (b"version = '1'", "not an easyconfig as it is rendered: 'name'"),
    ],
)
def test_edited_files_are_named_with_their_fault(content: bytes, message: str) -> None:
    world = World()
    world.add("app", "1.0")
    tree = made_of(world, world.lock("app")).tree
    path = PurePosixPath(f"{T}/a/app/app-1.0-x-1.eb")
    with pytest.raises(Unreadable) as fault:
        read_back(replace(tree, files={path: content}))
    assert [one.message for one in fault.value.faults] == [message]
    with pytest.raises(Unreadable, match="there is no <target>"):
        read_back(replace(tree, files={}))
