"""The catalogue finds what lies in collections, reads what is asked for, and nothing outside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.definitions.writing import named, stack, target

from lode.definitions import folders
from lode.definitions.catalogue import Catalogue, Selection
from lode.errors import DefinitionError


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "shipped", lambda: None)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def collection(folder: Path, *recipes: str, name: str = "own") -> Path:
    """Return a new collection at `folder` with `recipes`."""
    write(folder / "collection.yaml", f'name: {name}\nversion: "1"\n'.encode())
    for recipe in recipes:
        write(folder / "recipes" / recipe / "recipe.yaml", named(recipe, f"summary: From {name}"))
    return folder


def opened(*roots: Path, here: Path | None = None) -> Catalogue:
    return Catalogue.open(roots, here=here)


def fault(call: object, *arguments: object) -> str:
    with pytest.raises(DefinitionError) as caught:
        call(*arguments)  # type: ignore[operator]
    return str(caught.value)


def test_recipe_in_front_hides_the_same_name_behind(tmp_path: Path) -> None:
    front = collection(tmp_path / "front", "nest", "daq", name="front")
    behind = collection(tmp_path / "behind", "nest", "zlib", name="behind")
    catalogue = opened(front, behind)
    assert catalogue.recipe_names() == ("daq", "nest", "zlib")
    assert catalogue.recipe("nest").summary == "From front"
    assert catalogue.recipe("zlib").summary == "From behind"
    assert [one.name for one in catalogue.collections] == ["front", "behind"]


def test_nearest_collection_above_is_found_after_those_given_and_none_twice(tmp_path: Path) -> None:
    here = collection(tmp_path / "here", name="here")
    given = collection(tmp_path / "given", name="given")
    deep = here / "a" / "b"
    deep.mkdir(parents=True)
    assert [one.name for one in opened(given, here=deep).collections] == ["given", "here"]
    assert [one.name for one in opened(here, here=deep).collections] == ["here"]


def test_shipped_collection_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = collection(tmp_path / "shipped", "zlib", name="shipped")
    monkeypatch.setattr(folders, "shipped", lambda: shipped)
    own = collection(tmp_path / "own")
    assert [one.name for one in opened(here=own).collections] == ["own", "shipped"]


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest")
    write(root / "recipes" / "broken" / "recipe.yaml", b"[")
    catalogue = opened(root)
    assert catalogue.recipe("nest").name == "nest"
    assert catalogue.recipe_names() == ("broken", "nest")


def test_recipe_is_read_once(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest")
    catalogue = opened(root)
    first = catalogue.recipe("nest")
    (root / "recipes" / "nest" / "recipe.yaml").unlink()
    assert catalogue.recipe("nest") is first


def test_places_are_relative_to_the_current_folder(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest")
    assert str(opened(here=root).recipe("nest").place) == "recipes/nest/recipe.yaml:1:1"
    assert str(opened(root, here=root / "recipes").recipe("nest").place) == "nest/recipe.yaml:1:1"
    assert str(opened(root, here=Path("/usr")).recipe("nest").place) == f"{root}/recipes/nest/recipe.yaml:1:1"


def test_unknown_names_are_told_with_the_nearest(tmp_path: Path) -> None:
    root = collection(tmp_path, "xerces-c")
    write(root / "stacks/dance/2026.9/stack.yaml", stack('release: "2026.9"'))
    write(root / "stacks/dance/2026.10/stack.yaml", stack('release: "2026.10"'))
    write(root / "containers/targets/debian12-x86_64.yaml", target())
    catalogue = opened(root)
    assert catalogue.find_recipe("xerces") is None
    assert fault(catalogue.recipe, "xerces") == "there is no recipe called 'xerces'\n  hint: did you mean 'xerces-c'?"
    assert fault(catalogue.recipe, "qq") == "there is no recipe called 'qq'\n  hint: `lode list recipes` names all"
    assert fault(catalogue.stack, "dence") == "there is no stack called 'dence'\n  hint: did you mean 'dance'?"
    assert fault(catalogue.stack, "dance@1") == (
        "the stack 'dance' has no release '1'\n  hint: its releases: 2026.9, 2026.10"
    )
    assert fault(catalogue.target, "debian-x86_64") == (
        "there is no target called 'debian-x86_64'\n  hint: did you mean 'debian12-x86_64'?"
    )


def test_stack_without_release_is_the_newest_by_version_order(tmp_path: Path) -> None:
    root = collection(tmp_path)
    for release in ("2026.9", "2026.10"):
        write(root / f"stacks/dance/{release}/stack.yaml", stack(f'release: "{release}"'))
    catalogue = opened(root)
    assert catalogue.stacks() == (("dance", "2026.9"), ("dance", "2026.10"))
    assert catalogue.stack("dance").release == "2026.10"
    older = catalogue.stack("dance@2026.9")
    assert catalogue.lock_path(older) == root / "stacks/dance/2026.9/lode.lock"


def test_target_is_found_by_its_file_name(tmp_path: Path) -> None:
    root = collection(tmp_path)
    write(root / "containers/targets/debian12-x86_64.yaml", target())
    catalogue = opened(root)
    assert catalogue.target_names() == ("debian12-x86_64",)
    assert catalogue.target("debian12-x86_64").os == "debian"


def test_folder_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    assert fault(opened, tmp_path) == (
        f"{tmp_path}/collection.yaml: {tmp_path} is not a collection\n"
        "  hint: a collection is a folder with collection.yaml (name, version) and recipes/ or stacks/"
    )


def test_faulty_collection_file_is_told(tmp_path: Path) -> None:
    write(tmp_path / "collection.yaml", b"name: own\nversion: 2026.10\n")
    assert fault(opened, tmp_path) == (
        f"{tmp_path}/collection.yaml:2:10: version: 2026.10 is not quoted: other YAML tools read it as the number "
        '2026.1\n  hint: write "2026.10"'
    )


@pytest.mark.parametrize("name", ["../recipes/nest", "/etc", "nest/", ".", "", "NEST", "nest\0"])
def test_name_that_is_no_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    catalogue = opened(collection(tmp_path, "nest"))
    assert catalogue.find_recipe(name) is None
    with pytest.raises(DefinitionError, match="there is no recipe called"):
        catalogue.recipe_file(name, "recipe.yaml")


class TestFiles:
    """Files beside a definition."""

    @pytest.fixture
    def catalogue(self, tmp_path: Path) -> Catalogue:
        root = collection(tmp_path / "c", "nest")
        write(root / "recipes/nest/patches/gcc.patch", b"")
        write(root / "src/reader/a.cpp", b"")
        write(tmp_path / "secret", b"")
        write(root / "stacks/dance/2026.11/stack.yaml", stack())
        write(root / "stacks/dance/2026.11/tests/chain.py", b"")
        return opened(root, here=root)

    def test_file_of_a_recipe_and_of_a_stack_is_found(self, catalogue: Catalogue) -> None:
        root = catalogue.collections[0].folder
        assert catalogue.recipe_file("nest", "patches/gcc.patch") == root / "recipes/nest/patches/gcc.patch"
        found = catalogue.stack_file(catalogue.stack("dance"), "tests/chain.py")
        assert found == root / "stacks/dance/2026.11/tests/chain.py"

    def test_path_may_leave_the_recipe_but_not_the_collection(self, catalogue: Catalogue) -> None:
        assert catalogue.recipe_file("nest", "../../src/reader").is_dir()
        assert fault(catalogue.recipe_file, "nest", "../../../secret") == (
            "recipes/nest/../../../secret: the file '../../../secret' lies outside its collection\n"
            "  hint: keep the files of definitions in the collection"
        )

    @pytest.mark.parametrize("relative", ["/etc/passwd", "patches/gcc.patch/x", "a\0b", "x" * 5000])
    def test_what_is_no_file_of_the_recipe_is_refused(self, catalogue: Catalogue, relative: str) -> None:
        with pytest.raises(DefinitionError, match=r"does not exist|cannot be read"):
            catalogue.recipe_file("nest", relative)

    def test_missing_file_is_told_with_the_nearest(self, catalogue: Catalogue) -> None:
        assert fault(catalogue.recipe_file, "nest", "patches/gc.patch") == (
            "recipes/nest/patches/gc.patch: the file 'patches/gc.patch' does not exist\n"
            "  hint: did you mean 'patches/gcc.patch'?"
        )

    @pytest.mark.parametrize("link", ["file", "patches/file", "folder"])
    def test_link_out_of_the_collection_is_refused(self, catalogue: Catalogue, tmp_path: Path, link: str) -> None:
        nest = catalogue.collections[0].folder / "recipes/nest"
        (nest / link).symlink_to(tmp_path if link == "folder" else tmp_path / "secret")
        asked = "folder/secret" if link == "folder" else link
        with pytest.raises(DefinitionError, match="lies outside its collection"):
            catalogue.recipe_file("nest", asked)

    def test_link_inside_the_collection_is_followed(self, catalogue: Catalogue) -> None:
        nest = catalogue.collections[0].folder / "recipes/nest"
        (nest / "shared").symlink_to(catalogue.collections[0].folder / "src")
        assert catalogue.recipe_file("nest", "shared/reader/a.cpp").is_file()

    def test_circle_of_links_is_refused(self, catalogue: Catalogue) -> None:
        nest = catalogue.collections[0].folder / "recipes/nest"
        (nest / "a").symlink_to("b")
        (nest / "b").symlink_to("a")
        assert fault(catalogue.recipe_file, "nest", "a") == (
            "recipes/nest/a: the file 'a' cannot be read: Too many levels of symbolic links"
        )


def test_definitions_below_a_path_are_named(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest", "nestpy")
    write(root / "stacks/dance/2026.11/stack.yaml", stack())
    catalogue = opened(root)
    assert catalogue.below(root) == Selection(recipes=("nest", "nestpy"), stacks=(("dance", "2026.11"),), targets=())
    assert catalogue.below(root / "recipes/nest").recipes == ("nest",)
    assert catalogue.below(root / "recipes/nest/recipe.yaml").recipes == ("nest",)


def test_what_lies_about_unread_is_told(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest")
    for name in (
        "recipes/zlib/recipe.yml", "recipes/HDF5/recipe.yaml", "recipes/notes.txt", "recipes/README.md",
        "recipes/.git/x", "stacks/dance/stack.yaml", "stacks/Dance/1/stack.yaml", "containers/targets/debian.yaml",
    ):  # fmt: skip
        write(root / name, b"")
    assert [str(fault) for fault in opened(root, here=root).strays(root)] == [
        "recipes/HDF5: the folder's name 'HDF5' is not a package name\n  hint: lower-case letters, digits, dashes",
        "recipes/notes.txt: notes.txt is not taken for anything: a folder with recipe.yaml belongs here",
        "recipes/zlib: the folder 'zlib' has no recipe.yaml\n  hint: did you mean 'recipe.yml'?",
        "stacks/Dance: the folder's name 'Dance' is not a stack name\n  hint: lower-case letters, digits, dashes",
        "stacks/dance/stack.yaml: stack.yaml is not taken for anything: a folder with stack.yaml belongs here",
        "containers/targets/debian.yaml: debian.yaml is not taken for a target\n  hint: its name is <os>-<arch>.yaml",
    ]


def test_recipe_that_went_away_is_told(tmp_path: Path) -> None:
    root = collection(tmp_path, "nest")
    catalogue = opened(root, here=root)
    (root / "recipes/nest/recipe.yaml").unlink()
    assert fault(catalogue.recipe, "nest") == "recipes/nest/recipe.yaml: cannot be read: No such file or directory"


def test_recipe_behind_a_link_out_of_the_collection_is_not_read(tmp_path: Path) -> None:
    root = collection(tmp_path / "c")
    write(tmp_path / "elsewhere" / "recipe.yaml", named("nest"))
    (root / "recipes").mkdir()
    (root / "recipes/nest").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DefinitionError, match="lies outside its collection"):
        opened(root).recipe("nest")


def test_checkout_ships_its_own_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shipped = folders.shipped()
    assert shipped is not None
    assert (shipped / "collection.yaml").is_file()


def test_wheel_ships_its_collection_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    package = tmp_path / "site-packages" / "lode"
    inside = collection(package / "collection", "zlib", name="shipped")
    monkeypatch.setattr("lode.__file__", str(package / "__init__.py"))
    assert folders.shipped() == inside
    assert Catalogue.open([], here=None).recipe("zlib").name == "zlib"
