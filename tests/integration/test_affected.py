"""`lode affected` on a git repository: exactly the nodes whose hashes moved, over twenty kinds of changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lode.definitions.catalogue import Catalogue
from lode.locking.graph import Lock
from lode.workflow.affected import affected
from lode.workflow.lock import locked, relock, write

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "dance-mini@2026.11"


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *settings, *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a git repository with the recipes of `dance-mini`, its stack and its targets."""
    folder = tmp_path / "repository"
    lock = locked(Catalogue.open([], here=ROOT), REFERENCE)
    for node in lock.nodes:
        shutil.copytree(ROOT / "recipes" / node.package, folder / "recipes" / node.package)
    shutil.copytree(ROOT / "stacks" / "dance-mini", folder / "stacks" / "dance-mini")
    shutil.copytree(ROOT / "containers" / "targets", folder / "containers" / "targets")
    shutil.copy(ROOT / "collection.yaml", folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "start")
    return folder


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text, f"{path} has no {old!r}"
        (folder / path).write_text(text.replace(old, new, 1))

    return change


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("a") as file:
            file.write(text)

    return change


XZ, ZLIB, STACK = "recipes/xz/recipe.yaml", "recipes/zlib/recipe.yaml", "stacks/dance-mini/2026.11/stack.yaml"
DEBIAN12 = "containers/targets/debian12-x86_64.yaml"
HEXADECIMAL = "0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e"
NEW = (
    "name: brandnew\nsummary: Something new\nhomepage: https://example.org\nlicense: MIT\n"
    'versions:\n  - version: "1"\n    source: [{path: src}]\nbuild: {system: bundle}\n'
)

# what changed -> (the change, whether hashes move)
CHANGES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "nothing": (lambda folder: None, False),
    "a comment in a recipe": (append(XZ, "# a comment\n"), False),
    "a summary": (replace(XZ, "Lossless data compression", "Compression"), False),
    "a homepage": (replace(XZ, "https://tukaani.org/xz", "https://tukaani.org"), False),
    "a tag": (replace(XZ, "tags: [base, compression]", "tags: [compression]"), False),
    "a test": (replace(XZ, "head -c 100000", "head -c 200000"), False),
    "the size of a source": (replace(XZ, "1461872", "1461873"), False),
    "a place to download from": (replace(XZ, "- debian: xz-utils", "- debian: xz-other"), False),
    "the name in another ecosystem": (replace(XZ, "spack: xz", "spack: xzz"), False),
    "an argument of configure": (replace(XZ, "    - --disable-doc\n", ""), True),
    "the hash of a source": (replace(XZ, HEXADECIMAL, "ab" * 32), True),
    "the build environment": (replace(XZ, "  args:\n", "  environment: {XZ_OPT: '-1'}\n  args:\n"), True),
    "a step after installing": (replace(XZ, "  args:\n", "  finish: rm -rf share\n  args:\n"), True),
    "a library below everything": (replace(ZLIB, 'make -j"$JOBS"', 'make -j"$JOBS" all'), True),
    "a recipe that no stack has": (append("recipes/brandnew/recipe.yaml", NEW), False),
    "a requirement less": (replace(STACK, "  - mcpl ==2.2.*\n", ""), False),
    "an option": (replace(STACK, "hdf5 ==1.14.* +hl +tools", "hdf5 ==1.14.* +hl ~tools"), True),
    "a file that is no definition": (append("docs/notes.md", "notes\n"), False),
    "the target's compiler": (replace(DEBIAN12, 'version: "12.2.0"', 'version: "12.3.0"'), True),
    "the date at which a target ends": (replace(DEBIAN12, "2028-06-30", "2029-06-30"), False),
    "the microarchitecture": (replace(DEBIAN12, "x86-64-v2", "x86-64-v3"), True),
}


def moved(before: Lock, after: Lock) -> set[tuple[str, str]]:
    """Return package and target of each node of `after` that has another hash there than in `before`, or none."""
    then = {(node.package, target): one for node in before.nodes for target, one in node.hashes.items()}
    now = {(node.package, target): one for node in after.nodes for target, one in node.hashes.items()}
    return {key for key, one in now.items() if then.get(key) != one}


@pytest.mark.parametrize("name", list(CHANGES))
def test_exactly_the_nodes_whose_hashes_moved_are_affected(name: str, repository: Path) -> None:
    change, moves = CHANGES[name]
    before = locked(Catalogue.open([repository], here=repository), REFERENCE)
    if name == "a requirement less":
        text = (repository / STACK).read_text()
        (repository / STACK).write_text(text.replace("hepmc3, mcpl, nest", "hepmc3, nest"))
    change(repository)
    catalogue = Catalogue.open([repository], here=repository)
    expected = moved(before, relock(catalogue, REFERENCE).lock)
    found = affected(catalogue, "HEAD", here=repository, times={})
    rebuilt = {pair for one in found.stacks if one.stack == "dance-mini" for pair in one.rebuilt}
    assert rebuilt == expected
    assert bool(expected) == moves


def lode(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "lode", *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    ended = lode(folder, "affected", "--json", *arguments)
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_a_branch_is_compared_with_what_its_lock_was_then(repository: Path) -> None:
    git(repository, "switch", "--quiet", "-c", "work")
    CHANGES["an argument of configure"][0](repository)
    catalogue = Catalogue.open([repository], here=repository)
    made = relock(catalogue, REFERENCE)
    write(made.lock, made.path, shown="lode.lock")
    commit(repository, "xz: build its documentation")
    assert report(repository, "--since", "HEAD")["stacks"] == []
    (stack,) = report(repository, "--since", "main")["stacks"]
    assert {node["package"] for node in stack["nodes"]} >= {"xz", "python", "numpy"}
    assert (stack["current"], stack["new"], stack["problem"]) == (True, False, None)
    assert any(line.startswith("~ xz 5.8.1: ") for line in stack["changes"])


def test_a_new_stack_is_new_and_one_that_is_gone_is_named(repository: Path) -> None:
    other = repository / "stacks" / "other" / "1"
    other.mkdir(parents=True)
    (other / "stack.yaml").write_text(
        'name: other\nrelease: "1"\ndate: 2026-11-01\nsummary: Another\ntargets: [debian12-x86_64]\n'
        "requirements: [zlib]\npublish: {cvmfs: x.example.org}\n"
    )
    shutil.rmtree(repository / "stacks" / "dance-mini")
    found = report(repository, "--since", "main")
    (stack,) = [one for one in found["stacks"] if one["stack"] == "other"]
    assert (stack["new"], stack["current"]) == (True, False)
    assert stack["nodes"] == [{"package": "zlib", "target": "debian12-x86_64"}]


def test_a_stack_that_cannot_be_locked_any_more_is_told_before_it_is_merged(repository: Path) -> None:
    for version, other in (("1.3.1", "1.0"), ("1.2.13", "0.9")):
        replace(ZLIB, f'version: "{version}"', f'version: "{other}"')(repository)
    ended = lode(repository, "affected", "--since", "main", "--markdown")
    assert ended.returncode == 0, ended.stderr
    assert "| dance-mini@2026.11 | 0 |" in ended.stdout
    assert "**cannot be locked**" in ended.stdout


def test_what_git_does_not_know_is_a_clear_error(repository: Path, tmp_path: Path) -> None:
    ended = lode(repository, "affected", "--since", "nowhere")
    assert (ended.returncode, ended.stderr) == (
        2,
        "there is no commit 'nowhere' here\n  hint: `git log --oneline` lists those there are\n",
    )
    ended = lode(repository, "affected", "--since=--output=/tmp/x")
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (2, "there is no commit '--output=/tmp/x' here")
    (tmp_path / "plain").mkdir()
    ended = lode(tmp_path / "plain", "affected", "--since", "main")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"{tmp_path / 'plain'} is in no git repository\n  hint: call this in the repository of the stack\n",
    )


def test_history_that_a_shallow_clone_lacks_is_told_with_what_brings_it(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD").strip()
    commit(repository, "second")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    ended = lode(clone, "affected", "--since", first)
    assert (ended.returncode, ended.stderr) == (
        2,
        f"there is no commit '{first}' here\n  hint: a shallow clone lacks older commits: `git fetch --unshallow`\n",
    )
