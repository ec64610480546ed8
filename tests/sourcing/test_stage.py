"""A node's source tree: several sources, files as they are, patches, one fixed time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, archive, node, patch, source, tree

from lode.errors import SourceError
from lode.locking.graph import LockedSource, Node
from lode.sourcing.mirror import Mirror
from lode.sourcing.pack import packed
from lode.sourcing.stage import stage
from lode.sourcing.unpack import EPOCH_S

NEST = archive({"nest-2.4.0/CMakeLists.txt": b"project(nest)\n", "nest-2.4.0/src/a.c": b"int a;\n"})
GCEM = archive({"gcem-1.14/include/gcem.hpp": b"// gcem\n", "gcem-1.14/README": b"gcem\n"})
DIFF = b"--- a/src/a.c\n+++ b/src/a.c\n@@ -1 +1 @@\n-int a;\n+long a;\n"


def hold(mirror: Mirror, content: bytes, **fields: object) -> LockedSource:
    """Return the source of `content`, which is in the mirror."""
    wanted = source("url https://example.org/x", content=content, **fields)  # type: ignore[arg-type]
    mirror.path(wanted).parent.mkdir(parents=True, exist_ok=True)
    mirror.path(wanted).write_bytes(content)
    return wanted


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "mirror")


def lay(one: Node, mirror: Mirror, tmp_path: Path, *, patches: dict[str, bytes] | None = None) -> dict[str, str]:
    stage(
        one, TARGET, mirror, file=lambda package, name: (patches or {})[name],
        recipe_file=lambda package, name: tmp_path / "recipes" / package / name, destination=tmp_path / "tree",
    )  # fmt: skip
    return tree(tmp_path / "tree")


def refusal(one: Node, mirror: Mirror, tmp_path: Path, **options: object) -> str:
    with pytest.raises(SourceError) as caught:
        lay(one, mirror, tmp_path, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "tree").exists()
    return str(caught.value).replace(str(tmp_path), "TMP")


def test_sources_lie_where_the_lock_puts_them(mirror: Mirror, tmp_path: Path) -> None:
    one = node(
        "nest",
        hold(mirror, NEST),
        hold(mirror, GCEM, filename="gcem.tar.gz", directory="extern/gcem", subdirectory="include"),
        hold(mirror, b"1 2 3\n", filename="yields.dat", directory="data", unpack=False),
        hold(mirror, b"for another target", filename="other", unpack=False, targets=("el9-x86_64",)),
    )
    assert lay(one, mirror, tmp_path) == {
        "CMakeLists.txt": "project(nest)\n",
        "data/yields.dat": "1 2 3\n",
        "extern/gcem/gcem.hpp": "// gcem\n",
        "src/a.c": "int a;\n",
    }
    everything = [tmp_path / "tree", *(tmp_path / "tree").rglob("*")]
    assert {path.stat().st_mtime for path in everything} == {EPOCH_S}
    assert {path.stat().st_mode & 0o777 for path in everything} == {0o755, 0o644}


def test_node_without_sources_has_an_empty_tree(mirror: Mirror, tmp_path: Path) -> None:
    assert lay(node("bundle"), mirror, tmp_path) == {}
    assert (tmp_path / "tree").is_dir()


def test_wheel_is_kept_whole(mirror: Mirror, tmp_path: Path) -> None:
    wheel = hold(mirror, b"PK\x03\x04", filename="attrs-26.1.0-py3-none-any.whl", unpack=False)
    assert lay(node("attrs", wheel), mirror, tmp_path) == {"attrs-26.1.0-py3-none-any.whl": "PK\x03\x04"}


@pytest.mark.integration
def test_patches_of_the_target_are_applied_in_order(mirror: Mirror, tmp_path: Path) -> None:
    second = b"--- a/src/a.c\n+++ b/src/a.c\n@@ -1 +1 @@\n-long a;\n+short a;\n"
    patches = {"one.patch": DIFF, "two.patch": second, "three.patch": b"not for this target"}
    one = node("nest", hold(mirror, NEST), patches=(
        patch(DIFF, "one.patch"), patch(patches["three.patch"], "three.patch", targets=("el9-x86_64",)),
        patch(second, "two.patch"),
    ))  # fmt: skip
    assert lay(one, mirror, tmp_path, patches=patches)["src/a.c"] == "short a;\n"
    assert (tmp_path / "tree" / "src" / "a.c").stat().st_mtime == EPOCH_S


def test_patch_other_than_the_locked_one_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    one = node("nest", hold(mirror, NEST), version="2.4.0", patches=(patch(DIFF, "one.patch"),))
    assert refusal(one, mirror, tmp_path, patches={"one.patch": DIFF + b"\n"}) == (
        "nest 2.4.0: the patch one.patch is not the one that was locked\n"
        "  hint: take it back to what it was, or lock again"
    )


def test_expired_patch_is_refused_before_anything_is_unpacked(mirror: Mirror, tmp_path: Path) -> None:
    one = node("nest", source(content=b"not there"), version="2.4.1", patches=(patch(DIFF, until=">=2.4"),))
    assert refusal(one, mirror, tmp_path).startswith(
        "nest 2.4.1: the patch patches/fix.patch was to be gone from version >=2.4; "
    )


def test_missing_source_is_named_with_its_place(mirror: Mirror, tmp_path: Path) -> None:
    missing = source("url https://example.org/x", content=NEST)
    assert refusal(node("nest", missing), mirror, tmp_path) == (
        "nest 1.0: thing-1.0.tar.gz is not in the mirror at "
        f"TMP/mirror/_source-cache/archive/{missing.sha256[:2]}/{missing.sha256}.tar.gz\n"
        "  hint: fetch the stack's sources first: lode fetch"
    )


def test_damaged_file_of_the_mirror_is_not_used(mirror: Mirror, tmp_path: Path) -> None:
    wanted = hold(mirror, NEST)
    mirror.path(wanted).write_bytes(GCEM)
    other = source(content=GCEM).sha256
    assert refusal(node("nest", wanted), mirror, tmp_path) == (
        f"nest 1.0: TMP/mirror/_source-cache/archive/{wanted.sha256[:2]}/{wanted.sha256}.tar.gz "
        f"has the sha256 {other} instead of {wanted.sha256}\n"
        "  hint: fetch again: a damaged file is replaced"
    )


def test_hostile_archive_is_refused_with_node_archive_and_member(mirror: Mirror, tmp_path: Path) -> None:
    hostile = hold(mirror, archive({"../outside": b"x"}))
    assert refusal(node("nest", hostile), mirror, tmp_path) == (
        "nest 1.0: the archive thing-1.0.tar.gz is refused: its member '../outside' leaves the tree by '..'"
    )


def test_file_that_is_no_archive_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    text = hold(mirror, b"just text\n", filename="yields.dat")
    assert refusal(node("nest", text), mirror, tmp_path) == (
        "nest 1.0: the archive yields.dat is refused: it is neither a tar nor a zip archive"
    )


@pytest.mark.parametrize(
    ("directory", "message"),
    [
        ("../out", "nest 1.0: the directory '../out' for thing-1.0.tar.gz leaves the tree by '..'"),
        ("/out", "nest 1.0: the directory '/out' for thing-1.0.tar.gz has an absolute path"),
        ("l/x", "nest 1.0: the directory 'l/x' for thing-1.0.tar.gz goes through 'l'"),
        ("src/a.c", "nest 1.0: the directory 'src/a.c' for thing-1.0.tar.gz goes through 'a.c'"),
    ],
)
def test_directory_stays_inside_the_tree(mirror: Mirror, tmp_path: Path, directory: str, message: str) -> None:
    first = hold(mirror, archive({"t/src/a.c": b"1", "t/l": "-> src"}))
    second = hold(mirror, GCEM, directory=directory)
    assert refusal(node("nest", first, second), mirror, tmp_path) == message


def test_two_sources_do_not_bring_the_same_file(mirror: Mirror, tmp_path: Path) -> None:
    first = hold(mirror, NEST)
    text = hold(mirror, b"x", filename="CMakeLists.txt", unpack=False)
    assert refusal(node("nest", first, text), mirror, tmp_path) == (
        "nest 1.0: CMakeLists.txt was brought by another source too"
    )


@pytest.mark.parametrize("filename", ["../x", "a/b", "..", ""])
def test_filename_is_a_name_and_no_path(mirror: Mirror, tmp_path: Path, filename: str) -> None:
    text = hold(mirror, b"x", filename=filename, unpack=False)
    assert refusal(node("nest", text), mirror, tmp_path) == f"nest 1.0: {filename!r} is not a file name"


def test_sources_beside_the_recipe_need_no_mirror(mirror: Mirror, tmp_path: Path) -> None:
    recipe = tmp_path / "recipes" / "probe"
    (recipe / "src").mkdir(parents=True)
    (recipe / "src" / "main.c").write_text("int main;\n")
    (recipe / "notes").write_text("notes\n")
    one = node(
        "probe",
        source("path src", content=packed(recipe / "src"), filename="src.tar"),
        source("path notes", content=b"notes\n", filename="notes.tar"),
        source("path notes", content=b"notes\n", filename="notes", unpack=False, directory="doc"),
    )
    assert lay(one, mirror, tmp_path) == {"main.c": "int main;\n", "notes": "notes\n", "doc/notes": "notes\n"}


def test_folder_that_is_not_empty_is_a_mistake_of_the_caller(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "old").write_text("precious")
    with pytest.raises(ValueError, match="not an empty folder"):
        lay(node("nest"), mirror, tmp_path)
    assert tree(tmp_path / "tree") == {"old": "precious"}
