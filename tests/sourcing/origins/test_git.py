"""Commits of git repositories, as archives that are the same on every machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, lock, no_recipe_file, node, source, tree

from lode.errors import SourceError
from lode.sourcing.fetch import FetchReport, fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.pack import packed
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
