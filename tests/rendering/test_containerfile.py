"""The Containerfile renderer: contexts as before, nothing of a recipe is code, edited files are named."""

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
from tests.rendering.test_quoting import texts

from lode.definitions.recipe import Environment, Origin, Source, System
from lode.definitions.target import Base
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.agreement import Unreadable
from lode.rendering.containerfile import read_back, render
from lode.rendering.containerfile.node import read
from lode.rendering.weakening import Inexpressible

T = "debian12-x86_64"
FILE = PurePosixPath(T, "Containerfile")
NODE = PurePosixPath(T, "nodes/app/node.sh")


def made_of(world: World, lock: Lock) -> Rendering:
    made = render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def test_sample_stack_renders_as_before() -> None:
    world = sample()
    made = made_of(world, world.lock(world.stack("all-of-it", "nest", release="2026.11")))
    for path, content in made.tree.files.items():
        same_as_golden(f"rendering/containerfile/{path}", content)
    lost = "".join(f"{one}\n" for one in made.weakenings)
    same_as_golden("rendering/containerfile/weakenings.txt", lost.encode())
    assert made.tree.executable == {PurePosixPath(T, "bin/build")}


def test_a_base_image_is_named_by_its_digest_and_gets_packages_the_way_of_its_os() -> None:
    image = "docker.io/library/almalinux@sha256:" + "0" * 64
    el9 = replace(target("el9-x86_64"), base=Base(image=image), runtime_packages=("libgcc",))
    world = World(el9)
    world.add("app")
    made = made_of(world, world.lock("app"))
    text = made.tree.files[PurePosixPath("el9-x86_64/Containerfile")].decode()
    assert f"ARG LODE_BASE={image}\n" in text
    assert text.count("dnf install -y") == 2
    assert not [one for one in made.weakenings if "no digest" in one.what]


def test_an_os_whose_packages_nobody_can_install_is_refused() -> None:
    world = World(target("haiku1-x86_64"))
    world.add("app")
    with pytest.raises(Inexpressible) as refused:
        made_of(world, world.lock("app"))
    assert str(refused.value) == "haiku1-x86_64: no way is known to install packages on haiku"


@pytest.mark.parametrize(("count", "steps"), [(50, 50), (51, 26), (300, 50)])
def test_an_image_never_has_more_layers_than_engines_allow(count: int, steps: int) -> None:
    world = World()
    for number in range(count):
        world.add(f"p{number}")
    lock = world.lock(world.stack(*(f"p{number}" for number in range(count))))
    text = made_of(world, lock).tree.files[FILE].decode()
    assert len(re.findall("^RUN /lode/bin/build", text, re.MULTILINE)) == steps
    assert len(re.findall("^(RUN|COPY)", text, re.MULTILINE)) < 120


def test_only_what_users_need_is_in_the_image_they_run() -> None:
    world = World()
    world.add("library")
    world.add("tool", needs=["library"])
    world.add("app", needs=["library"], build=["tool"])
    text = made_of(world, world.lock("app")).tree.files[FILE].decode()
    assert "for one in library app; do" in text
    assert "RUN /lode/bin/build tool\n" in text


@settings(max_examples=25)
@given(texts, texts, texts)
def test_nothing_that_a_recipe_says_becomes_code(one: str, two: str, three: str) -> None:
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
        build=replace(recipe.build, prepare=three, finish=one, environment=(("X", two),), targets=(three,)),
    )
    tree = made_of(world, world.lock("app")).tree
    package, needs, present, (word, sha256, _), *rest = read(tree.files[NODE].decode())
    assert (package, needs, present) == (("package", "app", "1.0"), ("needs",), ("present",))
    assert (word, sha256) == ("from_mirror", source.sha256)
    assert rest == [("from_address", origin.location), ("unpack", f"d{two}", three)]
    plain = made_of(world, world.lock("app")).tree.files[FILE].decode()
    world.recipes["app"] = replace(world.recipes["app"], summary="other", homepage="https://other.example.org")
    other = made_of(world, world.lock("app")).tree.files[FILE].decode()
    assert _without_digests(plain) == _without_digests(other)


def _without_digests(text: str) -> str:
    return re.sub("[0-9a-f]{64}", "", text)


@pytest.mark.parametrize(("text", "line"), [
    ('a "b" $c\\', 'ENV V="a \\"b\\" \\$c\\\\"'), ("a # b", 'ENV V="a # b"'), ("é ${x}", 'ENV V="é \\${x}"'),
])  # fmt: skip
def test_variables_of_recipes_are_texts_in_the_image(text: str, line: str) -> None:
    world = World()
    world.add("app")
    world.recipes["app"] = replace(world.recipes["app"], environment=Environment(value=(("V", text),)))
    assert f"\n{line}\n" in made_of(world, world.lock("app")).tree.files[FILE].decode()


def test_a_variable_of_two_lines_is_refused() -> None:
    world = World()
    world.add("app")
    world.recipes["app"] = replace(world.recipes["app"], environment=Environment(value=(("V", "a\nb"),)))
    with pytest.raises(Inexpressible) as refused:
        made_of(world, world.lock("app"))
    assert str(refused.value) == "V: a Containerfile cannot hold control characters: 'a\\nb'"


@pytest.mark.parametrize(
    ("path", "content", "message", "place"),
    [
        (NODE, "package app", "the last line is not ended", NODE),
        (NODE, "package other 1\n", "app is called other", NODE),
        (NODE, "package app\n", "list index out of range", NODE),
        (NODE, "$(id)\n", "no word at character 0", NODE),
        (NODE, "from_mirror ab cd\n", "cd is not the file of ab", NODE),
        (NODE, "rm -rf /\n", "rm is no word of a package", NODE),
        (FILE, "RUN /lode/bin/build other\n", f"{T}/nodes/other/node.sh is not there",
         PurePosixPath(T, "nodes/other/node.sh")),
    ],
)  # fmt: skip
def test_edited_files_are_named_with_their_fault(
    path: PurePosixPath, content: str, message: str, place: PurePosixPath
) -> None:
    world = World()
    world.add("app", "1.0")
    tree = made_of(world, world.lock("app")).tree
    with pytest.raises(Unreadable) as fault:
        read_back(replace(tree, files={**tree.files, path: content.encode()}))
    (one,) = fault.value.faults
    assert (one.message, one.place and one.place.file) == (f"not a package as it is rendered: {message}", str(place))


def test_a_folder_without_containerfiles_is_named() -> None:
    world = World()
    world.add("app", "1.0")
    tree = made_of(world, world.lock("app")).tree
    with pytest.raises(Unreadable, match="there is no <target>/Containerfile that builds anything"):
        read_back(replace(tree, files={}))


@given(st.lists(texts, min_size=1))
def test_words_are_read_as_they_were_written(words: list[str]) -> None:
    from lode.rendering.quoting import shell

    assert list(read(" ".join(map(shell, words)) + "\n# end\n")) == [tuple(words)]
