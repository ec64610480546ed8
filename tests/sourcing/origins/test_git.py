"""Commits of git repositories, as archives that are the same on every machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, lock, no_recipe_file, node, source, tree

from lode import digest
from lode.errors import SourceError
from lode.progress import Silent
from lode.sourcing.access import Refused
from lode.sourcing.fetch import FetchReport, fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.origins import git as commits
from lode.sourcing.pack import packed
from lode.sourcing.reach import Reach
from lode.sourcing.stage import stage
from lode.sourcing.swhid import swhid_of

pytestmark = pytest.mark.integration

FILES = {
    "README": "$Format:%H$ and $Id$\n",
    ".gitattributes": "README export-subst ident\nsecret export-ignore\n*.bat text eol=crlf\n",
    "secret": "not for archives\n",
    "run.bat": "echo\n",
}


def git(folder: Path, *arguments: str) -> str:
    fixed = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *fixed, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with two commits; the sources are those of the first."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    (folder / "link").symlink_to("README")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "v1")
    (folder / "README").write_text("two\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """Return the archive of the first commit's tree, made without git."""
    folder = tmp_path / "expected"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "link").symlink_to("README")
    return packed(folder)


def obtain(tmp_path: Path, place: str, content: bytes, **fields: object) -> FetchReport:
    wanted = source(f"git {place}", content=content, filename="repository.tar", **fields)  # type: ignore[arg-type]
    return fetch(
        lock(node("x", wanted)), Mirror(tmp_path / "mirror"), targets=[TARGET], recipe_file=no_recipe_file,
        access=access(), offline=True,
    )  # fmt: skip


def test_tree_is_that_of_the_commit_whatever_attributes_say(tmp_path: Path, repository: Path, content: bytes) -> None:
    place = f"{repository.as_uri()}@{git(repository, 'rev-parse', 'v1')}"
    report = obtain(tmp_path, place, content, swhid=swhid_of(tmp_path / "expected"))
    assert report.files[0].place == place
    assert report.files[0].path.suffix == ".tar"
    stage(
        node("x", report.files[0].source), TARGET, Mirror(tmp_path / "mirror"), file=lambda *_: b"",
        recipe_file=no_recipe_file, destination=tmp_path / "tree",
    )  # fmt: skip
    assert tree(tmp_path / "tree") == {**FILES, "link": "-> README"}


def test_server_that_hands_out_no_single_commits_is_asked_for_all(
    tmp_path: Path, repository: Path, content: bytes
) -> None:
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "false")
    git(repository, "config", "protocol.version", "0")
    commit = git(repository, "rev-parse", "v1")
    git(repository, "tag", "-d", "v1")
    assert obtain(tmp_path, f"{repository.as_uri()}@{commit}", content).fetched_bytes == len(content)


def test_commit_that_is_not_there_is_named(tmp_path: Path, repository: Path, content: bytes) -> None:
    place = f"{repository.as_uri()}@{'0' * 40}"
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, place, content)
    assert str(caught.value).splitlines()[1] == f"    git {place}: it does not have that commit"
    assert [path.name for path in (tmp_path / "mirror").rglob("*") if path.is_file()] == [
        f"{source(content=content).sha256}.lock"
    ]


def test_repository_that_is_not_there_is_named_with_gits_words(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, f"file:///nowhere/x.git@{'0' * 40}", content)
    assert str(caught.value).splitlines()[1].startswith(f"    git file:///nowhere/x.git@{'0' * 40}: ")


def test_other_content_of_a_commit_is_refused(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, f"{repository.as_uri()}@{git(repository, 'rev-parse', 'HEAD')}", b"other")
    assert " bytes with the sha256 " in str(caught.value)


def test_other_tree_than_the_heritage_id_is_refused(tmp_path: Path, repository: Path, content: bytes) -> None:
    place = f"{repository.as_uri()}@{git(repository, 'rev-parse', 'v1')}"
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, place, content, swhid="swh:1:dir:" + "0" * 40)
    assert str(caught.value).splitlines()[1] == (
        f"    git {place}: its tree is {swhid_of(tmp_path / 'expected')} instead of swh:1:dir:{'0' * 40}"
    )


def test_transport_that_runs_programs_is_not_used(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, f"ext::touch {tmp_path}/ran@{'0' * 40}", content)
    assert "transport 'ext' not allowed" in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Return a folder whose repositories a real git server hands out on the loopback, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    words = ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen([*words, f"--base-path={folder}", str(folder)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield folder, f"git://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def repository_of(folder: Path, files: dict[str, str], submodules: dict[str, tuple[str, str]] | None = None) -> str:
    """Return the commit of a new repository with `files`, and with submodules: path to URL and commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    lines = [f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n' for path, (url, _) in (submodules or {}).items()]
    for name, content in {**files, **({".gitmodules": "".join(lines)} if lines else {})}.items():
        (folder / name).write_text(content)
    git(folder, "add", ".")
    for path, (_, commit) in (submodules or {}).items():
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(folder, "commit", "-q", "-m", "one")
    return git(folder, "rev-parse", "HEAD")


def measured(location: str) -> str:
    with Reach(access(), Silent(), threading.Event()) as reach:
        return commits.measured(commits.parse(location), reach)


def test_submodules_are_taken_along_with_their_own_when_asked_for(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, address = served
    deep = repository_of(folder / "group" / "deep.git", {"deep.h": "3\n"})
    mxml = repository_of(folder / "group" / "mxml.git", {"mxml.h": "2\n"}, {"ext/deep": ("../deep.git", deep)})
    top = repository_of(folder / "midas.git", {"midas.h": "1\n"}, {"mxml": (f"{address}/group/mxml.git", mxml)})
    expected = tmp_path / "expected"
    (expected / "mxml" / "ext" / "deep").mkdir(parents=True)
    for name in ("midas.h", ".gitmodules"):
        (expected / name).write_text((folder / "midas.git" / name).read_text())
    for name in ("mxml.h", ".gitmodules"):
        (expected / "mxml" / name).write_text((folder / "group" / "mxml.git" / name).read_text())
    (expected / "mxml" / "ext" / "deep" / "deep.h").write_text("3\n")
    assert measured(f"{address}/midas.git@{top}+submodules") == digest.of_bytes(packed(expected))
    shutil.rmtree(expected / "mxml")
    (expected / "mxml").mkdir()
    assert measured(f"{address}/midas.git@{top}") == digest.of_bytes(packed(expected))


def test_only_the_commit_is_fetched_where_the_server_hands_it_out(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, address = served
    first = repository_of(folder / "a.git", {"data": "first\n"})
    (folder / "a.git" / "data").write_text("second\n")
    git(folder / "a.git", "commit", "-q", "-a", "-m", "two")
    git(folder / "a.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    second = git(folder / "a.git", "rev-parse", "HEAD")
    with Reach(access(), Silent(), threading.Event()) as reach:
        commits.parse(f"{address}/a.git@{second}").tree(tmp_path, reach)
    known = git(tmp_path / "repository", "rev-list", "--all", second)
    assert known == second
    assert first not in known


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "its .gitmodules does not say where the submodule mxml comes from"),
        (
            {"mxml": "file:///etc/mxml.git"},
            "its submodule mxml is to come from a place on this machine, file:///etc/mxml.git",
        ),
    ],
)
def test_submodule_from_nowhere_or_from_this_machine_is_refused(
    served: tuple[Path, str], told: dict[str, str], reason: str
) -> None:
    folder, address = served
    commit = repository_of(folder / "midas.git", {"midas.h": "1\n"}, {"mxml": (told.get("mxml", ""), "1" * 40)})
    if not told:
        git(folder / "midas.git", "rm", "-q", "--cached", ".gitmodules")
        git(folder / "midas.git", "commit", "-q", "-m", "two")
        commit = git(folder / "midas.git", "rev-parse", "HEAD")
    with pytest.raises(Refused) as caught:
        measured(f"{address}/midas.git@{commit}+submodules")
    assert str(caught.value) == reason


def test_submodule_whose_commit_is_gone_is_named(served: tuple[Path, str]) -> None:
    folder, address = served
    repository_of(folder / "mxml.git", {"mxml.h": "2\n"})
    top = repository_of(folder / "midas.git", {"midas.h": "1\n"}, {"mxml": ("../mxml.git", "1" * 40)})
    with pytest.raises(Refused) as caught:
        measured(f"{address}/midas.git@{top}+submodules")
    assert str(caught.value) == (
        f"its submodule mxml, {address}/mxml.git@{'1' * 40}+submodules: it does not have that commit"
    )


def test_tree_with_a_name_that_git_itself_forbids_is_refused(served: tuple[Path, str]) -> None:
    folder, address = served
    repository_of(folder / "a.git", {"data": "1\n"})
    blob = git(folder / "a.git", "rev-parse", "HEAD:data")
    raw = b"100644 .git\0" + bytes.fromhex(blob)
    done = subprocess.run(
        ["git", "-C", folder / "a.git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        input=raw, check=True, capture_output=True,
    )  # fmt: skip
    commit = git(folder / "a.git", "commit-tree", "-m", "bad", done.stdout.decode().strip())
    git(folder / "a.git", "update-ref", "refs/heads/bad", commit)
    with pytest.raises(Refused) as caught:
        measured(f"{address}/a.git@{commit}")
    assert str(caught.value) == f"error: object {done.stdout.decode().strip()}: hasDotgit: contains '.git'"
