"""The LCGCMake renderer: packages as before, nothing of a recipe reaches the macros, edited files are named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.locking.world import World, target
from tests.rendering.test_guix import sample
from tests.rendering.test_quoting import HOSTILE, texts

from lode.definitions.recipe import Argument, Environment, Origin, Source, System
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.agreement import Unreadable
from lode.rendering.lcgcmake import read_back, render
from lode.rendering.lcgcmake.language import Call, Raw, dump, read
from lode.rendering.lcgcmake.words import called, here
from lode.rendering.weakening import Inexpressible

T = "debian12-x86_64"
LIST = PurePosixPath(T, "Lode/CMakeLists.txt")
VERSIONS = PurePosixPath(T, "heptools-x-1.cmake")


def made_of(world: World, lock: Lock) -> Rendering:
    made = render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def test_sample_stack_renders_as_before() -> None:
    world = sample()
    made = made_of(world, world.lock(world.stack("all-of-it", "nest", release="2026.11")))
    for path, content in made.tree.files.items():
        same_as_golden(f"rendering/lcgcmake/{path}", content)
    lost = "".join(f"{one}\n" for one in made.weakenings)
    same_as_golden("rendering/lcgcmake/weakenings.txt", lost.encode())


@given(st.lists(texts.filter(lambda text: "\r" not in text)))
def test_what_is_dumped_is_read_again(arguments: list[str]) -> None:
    text = f"# begin\n{dump('x', *arguments)}{dump('y', Raw('URL'), *arguments)}"
    assert list(read(text)) == [Call("x", tuple(arguments)), Call("y", ("URL", *arguments))]


@pytest.mark.parametrize(
    ("package", "name"),
    [("zlib", "zlib"), ("flit-core", "flit_core"), ("python", "Python"), ("xerces-c", "XercesC"), ("test", "test_"),
     ("install", "install_"), ("lode", "lode_")],
)  # fmt: skip
def test_names_have_no_dash_and_are_no_target_of_cmakes_own(package: str, name: str) -> None:
    assert called(package) == name
    assert here(name) == package


@given(st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True))
def test_any_name_is_known_again(package: str) -> None:
    assert here(called(package)) == package
    assert re.fullmatch(r"[A-Za-z0-9_]+", called(package))


SAID = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=40)


@settings(max_examples=25)
@given(SAID | st.sampled_from(HOSTILE), SAID, SAID)
def test_nothing_that_a_recipe_says_is_handed_to_the_macros(one: str, two: str, three: str) -> None:
    world = World()
    world.add("app", "1.0", system=System.AUTOTOOLS)
    recipe = world.recipes["app"]
    origin = Origin(scheme="url", location=f"https://example.org/{one}")
    source = Source(origins=(origin,), sha256=of_bytes(b"x"), directory=f"d{two}", subdirectory=three)
    world.recipes["app"] = replace(
        recipe,
        summary=one,
        homepage=two,
        license=three,
        versions=(replace(recipe.versions[0], sources=(source,)),),
        build=replace(recipe.build, args=(Argument(words=(one, two)),), prepare=three, finish=one,
                      environment=(("X", two),), targets=(three,)),
        environment=Environment(prepend=(("P", one),), value=(("V", three),)),
    )  # fmt: skip
    files = made_of(world, world.lock("app")).tree.files
    (add,) = [call for call in read(files[LIST].decode()) if call.name == "LCGPackage_Add"]
    assert all(re.fullmatch(r"[A-Za-z0-9_${}/.=<>-]+", word) for word in add.arguments)
    laid_out = list(read(files[LIST.parent / "app/sources.cmake"].decode()))
    assert Call("lode_address", (origin.location,)) in laid_out
    assert Call("lode_unpack", (f"d{two}", three)) in laid_out


def test_a_dependency_comes_before_what_needs_it_and_is_where_the_script_looks() -> None:
    world = sample()
    text = made_of(world, world.lock("module")).tree.files[LIST].decode()
    added = {call.arguments[0]: call.arguments for call in read(text) if call.name == "LCGPackage_Add"}
    assert list(added) == ["zlib", "nest", "Python", "module"]
    assert "LODE_NEEDS=${zlib_home}:${nest_home}:${Python_home}" in added["module"]
    assert added["module"][-3:] == ("DEPENDS", "nest", "Python")
    assert "SHA256=" + of_bytes(b"module 2.0") in added["module"]


@pytest.mark.parametrize(
    ("address", "plain"),
    [("https://example.org/v1.tar.gz", True), ("https://example.org/v1.tgz", True),
     ("https://example.org/tarball/v1.0", False), ("https://example.org/v1.tar.zst", False),
     ("https://example.org/a.zip?raw=1", False)],
)  # fmt: skip
def test_cmake_itself_fetches_only_archives_whose_name_tells_their_kind(address: str, plain: bool) -> None:
    world = World()
    world.add("app", "1.0")
    recipe = world.recipes["app"]
    source = replace(recipe.versions[0].sources[0], origins=(Origin(scheme="url", location=address),))
    world.recipes["app"] = replace(recipe, versions=(replace(recipe.versions[0], sources=(source,)),))
    tree = made_of(world, world.lock("app")).tree
    (add,) = [call for call in read(tree.files[LIST].decode()) if call.name == "LCGPackage_Add"]
    assert ("URL" in add.arguments, "DOWNLOAD_COMMAND" in add.arguments) == (plain, not plain)
    assert (LIST.parent / "app/sources.cmake" in tree.files) is not plain


def test_a_patch_that_changed_since_is_refused() -> None:
    world = sample()
    lock = world.lock("nest")
    world.files["nest", "patches/a.patch"] = b"new"
    with pytest.raises(Inexpressible) as refused:
        made_of(world, lock)
    assert str(refused.value) == (
        "recipes/nest/recipe.yaml:1:1: nest: the patch patches/a.patch changed since the lock was made\n"
        "  hint: `lode lock` renews the lock"
    )


def test_a_carriage_return_in_a_folder_is_refused() -> None:
    world = World(target())
    world.add("app", "1.0")
    recipe = world.recipes["app"]
    source = replace(recipe.versions[0].sources[0], subdirectory="a\rb")
    world.recipes["app"] = replace(recipe, versions=(replace(recipe.versions[0], sources=(source,)),))
    with pytest.raises(Inexpressible) as refused:
        made_of(world, world.lock("app"))
    assert str(refused.value) == "app: CMake cannot hold a carriage return: 'a\\rb'"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (LIST, "(", "not a package as it is rendered: a parenthesis out of place at character 0"),
        (LIST, "x(", "not a package as it is rendered: a closing parenthesis is missing"),
        (LIST, '"x"', "not a package as it is rendered: no command at character 0"),
        (LIST, "\\", "not a package as it is rendered: nothing that CMake reads at character 0"),
        (LIST, "LCGPackage_Add(app x)", "not a package as it is rendered: list index out of range"),
        (LIST, "LCGPackage_Add(other URL x)", "not a package as it is rendered: other is not there"),
        (LIST, "", "app has a version but is not added"),
        (VERSIONS, "LCG_external_package(app)", "not a package as it is rendered: tuple index out of range"),
        (LIST.parent / "app/sources.cmake", "lode_source(ab cd)",
         "not a package as it is rendered: cd is not the file of ab"),
    ],
)  # fmt: skip
def test_edited_files_are_named_with_their_fault(path: PurePosixPath, content: str, message: str) -> None:
    world = World()
    world.add("app", "1.0")
    recipe = world.recipes["app"]
    source = replace(recipe.versions[0].sources[0], subdirectory="inner")
    world.recipes["app"] = replace(recipe, versions=(replace(recipe.versions[0], sources=(source,)),))
    tree = made_of(world, world.lock("app")).tree
    assert path in tree.files
    with pytest.raises(Unreadable) as fault:
        read_back(replace(tree, files={**tree.files, path: content.encode()}))
    assert [(one.message, one.place and one.place.file) for one in fault.value.faults] == [(message, str(path))]


def test_a_folder_without_packages_is_named() -> None:
    world = World()
    world.add("app", "1.0")
    tree = made_of(world, world.lock("app")).tree
    with pytest.raises(Unreadable, match=r"there is no <target>/Lode/CMakeLists\.txt that adds anything"):
        read_back(replace(tree, files={}))
