"""`lode lock`, `lode why` and `lode diff` as they are called, on a collection on disk."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lode.cli import main
from lode.definitions.catalogue import Catalogue
from lode.errors import LockError
from lode.locking import lockfile
from lode.workflow.lock import locked, relock

TARGETS = Path(__file__).parents[2] / "containers" / "targets"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
LOCK = Path("stacks") / "daq" / "1" / "lode.lock"


def recipe(root: Path, name: str, versions: str, link: str = "") -> None:
    folder = root / "recipes" / name
    folder.mkdir(parents=True, exist_ok=True)
    listed = "".join(
        f'  - version: "{version}"\n'
        f'    source: [{{url: "https://example.org/{name}-{version}.tar.gz", sha256: {SHA256}}}]\n'
        for version in versions.split()
    )
    (folder / "recipe.yaml").write_text(
        f"name: {name}\nsummary: A package for tests\nhomepage: https://example.org\nlicense: MIT\nversions:\n{listed}"
        f"dependencies:\n  link: [{link}]\nbuild: {{system: cmake}}\n"
    )


def stack(root: Path, requirements: str, name: str = "daq", more: str = "") -> None:
    folder = root / "stacks" / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stack.yaml").write_text(
        f'name: {name}\nrelease: "1"\ndate: 2026-11-01\nsummary: A stack for tests\ntargets: [debian12-x86_64]\n'
        f"requirements: [{requirements}]\n{more}"
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a collection, which is the current one."""
    folder = tmp_path / "experiment"
    (folder / "containers" / "targets").mkdir(parents=True)
    shutil.copy(TARGETS / "debian12-x86_64.yaml", folder / "containers" / "targets")
    (folder / "collection.yaml").write_text('name: experiment\nversion: "1"\n')
    recipe(folder, "alib", "1.2 1.3")
    recipe(folder, "bformat", "1.14", link="alib")
    recipe(folder, "ctool", "2.0")
    stack(folder, "bformat, ctool")
    monkeypatch.chdir(folder)
    return folder


def test_first_lock_is_written_beside_the_stack(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["lock", "daq"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ alib 1.3",
        "+ bformat 1.14",
        "+ ctool 2.0",
        "wrote stacks/daq/1/lode.lock: 3 nodes on debian12-x86_64",
    ]
    lock = lockfile.load((root / LOCK).read_bytes(), "lode.lock")
    assert lock.collections[0] == ("experiment", "1")
    assert set(lock.tools) == {"lode-format", "rattler", "rattler-build"}
    assert os.stat(root / LOCK).st_mode & 0o777 == 0o644


def test_lock_made_again_says_that_nothing_changed_and_leaves_the_file(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run(["lock", "daq"])
    before = (root / LOCK).stat()
    capsys.readouterr()
    assert main.run(["lock", "daq"]) == 0
    assert capsys.readouterr().out == "stacks/daq/1/lode.lock is up to date: 3 nodes on debian12-x86_64\n"
    assert (root / LOCK).stat().st_ino == before.st_ino
    assert main.run(["lock", "daq", "--check"]) == 0


def test_check_of_an_old_lock_says_what_would_change(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["lock", "daq", "--check"]) == 5
    assert capsys.readouterr().err == (
        "stacks/daq/1/lode.lock: there is no lock yet\n  hint: `lode lock daq` brings it up to date\n"
    )
    main.run(["lock", "daq"])
    before = (root / LOCK).read_bytes()
    stack(root, "bformat, alib <1.3")
    capsys.readouterr()
    assert main.run(["lock", "daq", "--check"]) == 5
    assert capsys.readouterr().err.splitlines() == [
        "stacks/daq/1/lode.lock: the lock is out of date",
        "  hint: `lode lock daq` brings it up to date",
        "requirement added: alib <1.3",
        "requirement removed: ctool",
        "~ alib 1.3 to 1.2: the stack asks alib <1.3",
        "~ bformat 1.14: dependency alib changed",
        "- ctool 2.0: no longer: the stack asks ctool",
    ]
    assert (root / LOCK).read_bytes() == before


def test_update_renews_one_package(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["lock", "daq"])
    recipe(root, "alib", "1.2 1.3 1.4")
    recipe(root, "ctool", "2.0 2.1")
    assert main.run(["lock", "daq", "--check"]) == 0
    capsys.readouterr()
    assert main.run(["lock", "daq", "--update", "ctool"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "~ ctool 2.0 to 2.1: asked to be updated",
        "wrote stacks/daq/1/lode.lock: 3 nodes on debian12-x86_64, 1 changed",
    ]
    assert main.run(["lock", "daq", "--update-all", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["nodes"] == {"alib": "1.4", "bformat": "1.14", "ctool": "2.1"}
    assert document["differences"]["changes"][0]["rules"] == ["asked to be updated"]


def test_check_goes_with_no_other_option(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["lock", "daq", "--check", "--update-all"]) == 2
    assert capsys.readouterr().err == (
        "--check goes with no other option\n  hint: it says whether `lode lock` would change anything\n"
    )


def test_edited_or_older_lock_lends_its_versions(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["lock", "daq"])
    recipe(root, "alib", "1.2 1.3 1.4")
    (root / LOCK).write_bytes((root / LOCK).read_bytes().replace(b'"schema": 1', b'"schema": 0'))
    capsys.readouterr()
    assert main.run(["lock", "daq", "--check"]) == 5
    assert capsys.readouterr().err == (
        "stacks/daq/1/lode.lock: the lock has schema 0, older than the 1 that this lode reads\n"
        "  hint: run `lode lock` again: versions and options are kept\n"
    )
    assert main.run(["lock", "daq"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "the lock that was there could not be used: the lock has schema 0, older than the 1 that this lode reads; "
        "its versions are kept",
        "wrote stacks/daq/1/lode.lock: 3 nodes on debian12-x86_64",
    ]
    assert main.run(["lock", "daq", "--check"]) == 0
    lock = locked(Catalogue.open((), here=root), "daq")
    assert lock.node("alib").version == "1.3"


def test_lock_that_cannot_be_made_out_is_said_to_keep_no_version(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run(["lock", "daq"])
    recipe(root, "alib", "1.2 1.3 1.4")
    with (root / LOCK).open("a") as file:
        file.write("<<<<<<< mine\n")
    capsys.readouterr()
    assert main.run(["lock", "daq"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("the lock that was there could not be used: this is not a lock: Extra data: line ")
    assert first.endswith("; its versions are lost, all are chosen anew")
    assert rest == ["wrote stacks/daq/1/lode.lock: 3 nodes on debian12-x86_64"]
    assert locked(Catalogue.open((), here=root), "daq").node("alib").version == "1.4"


def test_folder_in_place_of_the_lock_is_no_bug(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / LOCK).mkdir()
    assert main.run(["lock", "daq"]) == 10
    assert capsys.readouterr().err == (
        f"a folder is where a file belongs: {root / LOCK}\n  hint: name another path, or move the folder away\n"
    )


def test_package_that_is_nowhere_is_refused_with_the_command_that_lists_all(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run(["lock", "daq"])
    capsys.readouterr()
    assert main.run(["why", "daq", "zzz"]) == 2
    assert capsys.readouterr().err == "zzz is not in daq@1\n  hint: `lode lock daq --check --json` lists what is\n"
    assert main.run(["lock", "daq", "--update", "zzz"]) == 4
    assert capsys.readouterr().err == (
        "zzz cannot be updated: the stack does not need it\n"
        "  hint: `lode lock STACK --check --json` lists what it needs\n"
    )
    assert main.run(["lock", "daq", "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nodes"] == {"alib": "1.3", "bformat": "1.14", "ctool": "2.0"}


def test_lock_whose_hashes_another_lode_took_is_made_anew_with_its_choices(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run(["lock", "daq"])
    right = (root / LOCK).read_bytes()
    lock = lockfile.load(right, "lode.lock")
    odd = replace(lock.nodes[2], hashes={"debian12-x86_64": lock.digest})
    (root / LOCK).write_bytes(lockfile.dump(lockfile.seal(replace(lock, nodes=(*lock.nodes[:2], odd)))))
    capsys.readouterr()
    assert main.run(["why", "daq", "alib"]) == 5
    assert "the hashes of ctool 2.0 do not follow from its fields" in capsys.readouterr().err
    assert main.run(["lock", "daq"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "~ ctool 2.0: the way of hashing"
    assert (root / LOCK).read_bytes() == right


def test_lock_is_the_same_in_another_folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main.run(["lock", "daq"])
    shutil.copytree(root, tmp_path / "elsewhere" / "copy", ignore=shutil.ignore_patterns("lode.lock"))
    monkeypatch.chdir(tmp_path / "elsewhere" / "copy")
    assert main.run(["lock", "daq"]) == 0
    assert LOCK.read_bytes() == (root / LOCK).read_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_read_only_collection_is_refused_with_a_way_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / LOCK).parent.chmod(0o555)
    assert main.run(["lock", "daq"]) == 10
    assert capsys.readouterr().err == (
        "stacks/daq/1/lode.lock: the lock cannot be written: Permission denied\n"
        "  hint: write it elsewhere with -o FILE\n"
    )


def test_lock_that_cannot_be_written_is_refused_with_a_way_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "file").touch()
    assert main.run(["lock", "daq", "-o", "file/lode.lock"]) == 10
    assert capsys.readouterr().err == (
        "file/lode.lock: the lock cannot be written: File exists\n  hint: write it elsewhere with -o FILE\n"
    )


def test_lock_written_elsewhere_is_the_one_that_changes_are_few_against(root: Path) -> None:
    assert main.run(["lock", "daq", "-o", "mine.lock"]) == 0
    recipe(root, "alib", "1.2 1.3 1.4")
    assert main.run(["lock", "daq", "-o", "mine.lock"]) == 0
    assert not (root / LOCK).exists()
    assert lockfile.load(Path("mine.lock").read_bytes(), "mine.lock").node("alib").version == "1.3"


def test_missing_lock_is_refused_with_the_command_that_makes_it(root: Path) -> None:
    with pytest.raises(LockError) as caught:
        locked(Catalogue.open((), here=root), "daq")
    assert str(caught.value) == ("stacks/daq/1/lode.lock: daq@1 has no lock yet\n  hint: `lode lock daq@1` makes it")


def test_extended_stack_takes_the_committed_lock_below_it(root: Path) -> None:
    stack(root, "ctool", name="top", more="extends: daq@1\n")
    catalogue = Catalogue.open((), here=root)
    with pytest.raises(LockError, match="daq@1 has no lock yet"):
        relock(catalogue, "top")
    main.run(["lock", "daq"])
    lock = relock(catalogue, "top").lock
    assert lock.extends is not None
    assert (lock.extends.stack, [node.package for node in lock.nodes]) == ("daq", ["alib", "bformat", "ctool"])


def test_why_prints_the_chains(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["lock", "daq"])
    capsys.readouterr()
    assert main.run(["why", "daq", "alib"]) == 0
    assert capsys.readouterr().out == "stack → bformat = 1.14 → alib (link) = 1.3\n"
    assert main.run(["why", "daq@1", "alib", "--json"]) == 0
    assert [link["package"] for link in json.loads(capsys.readouterr().out)["chains"][0]] == ["bformat", "alib"]
    assert main.run(["why", "daq", "alip"]) == 2
    assert capsys.readouterr().err == "alip is not in daq@1\n  hint: did you mean 'alib'?\n"


def test_diff_explains_and_its_status_says_whether_there_is_any(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["lock", "daq"])
    stack(root, "bformat, ctool, alib ==1.2")
    main.run(["lock", "daq", "-o", "new.lock"])
    capsys.readouterr()
    assert main.run(["diff", "daq", "daq@1"]) == 0
    assert capsys.readouterr().out == "the locks are the same\n"
    assert main.run(["diff", "daq", "new.lock"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "requirement added: alib ==1.2",
        "~ alib 1.3 to 1.2: the stack asks alib ==1.2",
        "~ bformat 1.14: dependency alib changed",
    ]
    assert main.run(["diff", "daq", "new.lock", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["changes"][1]["rebuilt"] == ["debian12-x86_64"]
    assert main.run(["diff", "daq", "none.lock"]) == 5
    assert capsys.readouterr().err == "none.lock: there is no such lock file\n  hint: a stack is `name@release`\n"


@pytest.fixture
def overlay(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a collection in front of `root`, which is the current one, with an alib of its own."""
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "collection.yaml").write_text('name: overlay\nversion: "1"\n')
    recipe(folder, "alib", "9.0")
    assert main.run(["lock", "daq"]) == 0
    monkeypatch.chdir(folder)
    return folder


def test_stack_is_locked_the_same_from_a_collection_in_front_of_its_own(
    root: Path, overlay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (root / LOCK).read_bytes()
    assert main.run(["lock", "daq", "--check", "--collection", str(overlay), "--collection", str(root)]) == 0
    assert main.run(["lock", "daq", "-o", "other.lock", "--collection", str(overlay), "--collection", str(root)]) == 0
    capsys.readouterr()
    assert (overlay / "other.lock").read_bytes() == before
    assert lockfile.load(before, "lode.lock").collections[0] == ("experiment", "1")


def test_lock_of_another_collections_stack_is_not_written_from_here(
    root: Path, overlay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (root / LOCK).read_bytes()
    capsys.readouterr()
    assert main.run(["lock", "daq", "--collection", str(overlay), "--collection", str(root)]) == 2
    assert capsys.readouterr().err == (
        f"{root}/stacks/daq/1/stack.yaml:1:1: daq@1 is a stack of the collection experiment, not of this one\n"
        "  hint: write a lock elsewhere with -o FILE, or go to that collection to change its own\n"
    )
    assert (root / LOCK).read_bytes() == before


def test_lock_of_a_newer_lode_is_not_written_over(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["lock", "daq"]) == 0
    newer = (root / LOCK).read_bytes().replace(b'"schema": 1', b'"schema": 2')
    (root / LOCK).write_bytes(newer)
    capsys.readouterr()
    assert main.run(["lock", "daq"]) == 5
    assert capsys.readouterr().err == (
        f"{LOCK}: the lock has schema 2, newer than the 1 that this lode reads\n"
        "  hint: use the lode that wrote it, or a newer one\n"
    )
    assert (root / LOCK).read_bytes() == newer
