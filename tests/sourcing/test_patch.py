"""Patches apply strictly or not at all, and say why they are there when they fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sourcing.factory import node, patch, tree

from lode.errors import SourceError
from lode.sourcing import patch as patching

pytestmark = pytest.mark.integration

OLD = "".join(f"line {number}\n" for number in range(1, 31))
NEW = OLD.replace("line 3\n", "line three\n").replace("line 20\n", "line twenty\n")
DIFF = b"""Use words for numbers.

--- a/src/yields.cpp
+++ b/src/yields.cpp
@@ -1,6 +1,6 @@
 line 1
 line 2
-line 3
+line three
 line 4
 line 5
 line 6
@@ -17,7 +17,7 @@
 line 17
 line 18
 line 19
-line 20
+line twenty
 line 21
 line 22
 line 23
"""
BECAUSE = "it is there because: gcc 13 needs <cstdint> (https://example.org/pull/7)"
ANEW = "\n  hint: make the patch anew for this version, or take it out"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "src").mkdir(parents=True)
    (tmp_path / "tree" / "src" / "yields.cpp").write_text(OLD)
    return tmp_path / "tree"


def refusal(root: Path, content: bytes, **fields: object) -> str:
    before = tree(root)
    with pytest.raises(SourceError) as caught:
        patching.apply(node("nest", version="2.4.1"), patch(content, **fields), content, root)
    assert tree(root) == before
    return str(caught.value)


def test_patch_changes_the_tree_and_leaves_nothing_else(root: Path) -> None:
    patching.apply(node("nest"), patch(DIFF), DIFF, root)
    assert tree(root) == {"src/yields.cpp": NEW}


def test_patch_may_be_off_by_lines_but_not_by_words(root: Path) -> None:
    (root / "src" / "yields.cpp").write_text(OLD.replace("line 9\n", "line 9\nline 9a\n"))
    patching.apply(node("nest"), patch(DIFF), DIFF, root)
    assert tree(root) == {"src/yields.cpp": NEW.replace("line 9\n", "line 9\nline 9a\n")}


def test_patch_makes_and_removes_files(root: Path) -> None:
    content = b"--- /dev/null\n+++ b/new/file\n@@ -0,0 +1 @@\n+new\n" + b"".join(
        [b"--- a/src/yields.cpp\n+++ /dev/null\n@@ -1,30 +0,0 @@\n", *(b"-line %d\n" % n for n in range(1, 31))]
    )
    patching.apply(node("nest"), patch(content), content, root)
    assert tree(root) == {"new/file": "new\n"}


def test_changed_context_names_the_first_hunk_that_fails(root: Path) -> None:
    (root / "src" / "yields.cpp").write_text(OLD.replace("line 22\n", "line 22 // changed upstream\n"))
    assert refusal(root, DIFF) == (
        "nest 2.4.1: the patch patches/fix.patch does not apply: hunk 2 fails at src/yields.cpp:17; " + BECAUSE + ANEW
    )


def test_patch_that_is_in_the_source_already_says_so(root: Path) -> None:
    (root / "src" / "yields.cpp").write_text(NEW)
    assert refusal(root, DIFF) == (
        "nest 2.4.1: the patch patches/fix.patch is in the source already; " + BECAUSE
        + "\n  hint: take the patch out of the recipe for this version"
    )  # fmt: skip


def test_half_of_a_patch_is_not_in_the_source_already(root: Path) -> None:
    (root / "src" / "yields.cpp").write_text(OLD.replace("line 3\n", "line three\n"))
    assert refusal(root, DIFF) == (
        "nest 2.4.1: the patch patches/fix.patch does not apply: src/yields.cpp has some of it already, but not all; "
        + BECAUSE
        + ANEW
    )


def test_file_that_is_gone_is_named(root: Path) -> None:
    (root / "src" / "yields.cpp").rename(root / "src" / "other.cpp")
    assert refusal(root, DIFF) == (
        "nest 2.4.1: the patch patches/fix.patch does not apply: there is no b/src/yields.cpp; " + BECAUSE + ANEW
    )


def test_wrong_strip_names_the_file(root: Path) -> None:
    text = refusal(root, DIFF, strip=0)
    assert text.startswith("nest 2.4.1: the patch patches/fix.patch does not apply: there is no b/src/yields.cpp; ")


def test_end_condition_that_is_met_stops_before_anything_is_tried(root: Path) -> None:
    assert refusal(root, DIFF, until=">=2.4.1") == (
        "nest 2.4.1: the patch patches/fix.patch was to be gone from version >=2.4.1; " + BECAUSE
        + "\n  hint: take the patch out of the recipe for this version, or move its `until`"
    )  # fmt: skip


def test_end_condition_that_is_not_met_does_not_stop(root: Path) -> None:
    patching.apply(node("nest", version="2.4.0"), patch(DIFF, until=">=2.4.1"), DIFF, root)
    assert tree(root) == {"src/yields.cpp": NEW}


def test_reason_stands_without_a_link(root: Path) -> None:
    text = refusal(root, DIFF, until=">=2", upstream=None)
    assert "; it is there because: gcc 13 needs <cstdint>\n" in text


def test_text_that_is_no_diff_is_refused(root: Path) -> None:
    assert refusal(root, b"no diff\n") == (
        "nest 2.4.1: the patch patches/fix.patch does not apply: it is not a unified diff; " + BECAUSE + ANEW
    )


def test_empty_patch_is_refused(root: Path) -> None:
    assert refusal(root, b"") == (
        "nest 2.4.1: the patch patches/fix.patch does not apply: it is not a unified diff; " + BECAUSE + ANEW
    )


def test_patch_that_is_cut_off_is_refused(root: Path) -> None:
    text = refusal(root, DIFF[:-20])
    assert text.startswith(
        "nest 2.4.1: the patch patches/fix.patch does not apply: patch unexpectedly ends in middle of line; "
    )


def test_ed_script_is_not_run(root: Path) -> None:
    content = b"--- a/src/yields.cpp\n+++ b/src/yields.cpp\n1,2d\n!touch ran\nw\n"
    text = refusal(root, content)
    assert "does not apply: line 1 names a file, but no hunk follows; " in text
    assert not (root / "ran").exists()


def test_binary_change_is_refused(root: Path) -> None:
    text = refusal(root, DIFF + b"diff --git a/x b/x\nGIT binary patch\nliteral 3\n")
    assert "does not apply: line 23 has a binary change, which patch cannot make; " in text


def test_removed_line_that_looks_like_a_header_is_none(root: Path) -> None:
    (root / "sql").write_text("-- old\n")
    content = b"--- a/sql\n+++ b/sql\n@@ -1 +1 @@\n--- old\n+++ new\n"
    patching.apply(node("nest"), patch(content), content, root)
    assert (root / "sql").read_text() == "++ new\n"


def test_diff_without_a_line_end_at_the_end_of_a_file_applies(root: Path) -> None:
    (root / "a").write_text("old")
    content = b"--- a/a\n+++ b/a\n@@ -1 +1 @@\n-old\n\\ No newline at end of file\n+new\n\\ No newline at end of file\n"
    patching.apply(node("nest"), patch(content), content, root)
    assert (root / "a").read_text() == "new"


def test_rename_of_git_applies(root: Path) -> None:
    content = b"diff --git a/src/yields.cpp b/src/y.cpp\nrename from src/yields.cpp\nrename to src/y.cpp\n"
    patching.apply(node("nest"), patch(content), content, root)
    assert tree(root) == {"src/y.cpp": OLD}


@pytest.mark.parametrize("name", [b"../outside", b"/tmp/outside", b"a/../../outside"])
def test_patch_does_not_leave_the_tree(root: Path, name: bytes) -> None:
    content = b"--- /dev/null\n+++ " + name + b"\n@@ -0,0 +1 @@\n+x\n"
    refusal(root, content, strip=0)
    assert sorted(path.name for path in root.parent.iterdir()) == ["tree"]


def test_patch_does_not_follow_a_link_out_of_the_tree(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / "l").symlink_to("../outside")
    content = b"--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+x\n"
    refusal(root, content)
    assert list((root.parent / "outside").iterdir()) == []
