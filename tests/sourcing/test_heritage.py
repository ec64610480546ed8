"""The archive of last resort makes a git origin's bytes anew when the repository is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, archive, lock, no_recipe_file, node, source
from tests.sourcing.site import Reply, Site

from lode.errors import SourceError
from lode.sourcing.fetch import fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.pack import packed
from lode.sourcing.swhid import swhid_of

pytestmark = pytest.mark.integration

COMMIT = "ab" * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "expected"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.c").write_text("int main;\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    return folder


def serve(site: Site, tree_id: str, *answers: dict[str, str]) -> None:
    """Serve the vault's answers in turn, and the bundle."""
    site.put(f"/api/1/revision/{COMMIT}/", json.dumps({"directory": tree_id.rpartition(":")[2]}).encode())
    vault = f"/api/1/vault/flat/{tree_id}/"
    site.put(vault, *(Reply(body=json.dumps(answer).encode()) for answer in answers))
    files = {f"{tree_id}/src/main.c": b"int main;\n", f"{tree_id}/run": b"#!/bin/sh\n"}
    site.put(f"{vault}raw/", archive(files, modes={f"{tree_id}/run": 0o755}))


def obtain(site: Site, tmp_path: Path, content: bytes, swhid: str | None) -> str:
    wanted = source(f"git file:///gone.git@{COMMIT}", content=content, filename="probe.tar", swhid=swhid)
    report = fetch(
        lock(node("probe", wanted)), Mirror(tmp_path / "mirror"), targets=[TARGET], recipe_file=no_recipe_file,
        access=access(archive=site.url, cooking_s=0.3),
    )  # fmt: skip
    assert report.files[0].path.read_bytes() == content
    return report.files[0].place.replace(site.url, "SITE")


@pytest.mark.parametrize("known", [True, False])
def test_tree_of_a_lost_repository_is_put_together(site: Site, tmp_path: Path, folder: Path, known: bool) -> None:
    tree_id = swhid_of(folder)
    serve(site, tree_id, {"status": "new"}, {"status": "pending"}, {"status": "done"})
    place = obtain(site, tmp_path, packed(folder), f"{tree_id};origin=https://example.org/x" if known else None)
    assert place == f"SITE/api/1/revision/{COMMIT}/"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": "failed", "progress_message": "too large"}, "the tree cannot be put together: too large"),
        ({"status": "pending"}, "the tree was not put together within 0 s; try again later"),
    ],
)
def test_tree_that_is_not_put_together_is_said(
    site: Site, tmp_path: Path, folder: Path, answer: dict[str, str], message: str
) -> None:
    serve(site, swhid_of(folder), answer)
    with pytest.raises(SourceError) as caught:
        obtain(site, tmp_path, packed(folder), None)
    assert str(caught.value).replace(site.url, "SITE").splitlines()[2] == (
        f"    Software Heritage at SITE/api/1/revision/{COMMIT}/: {message}"
    )


def test_another_tree_is_refused(site: Site, tmp_path: Path, folder: Path) -> None:
    expected, content = swhid_of(folder), packed(folder)
    (folder / "more").write_text("more\n")
    serve(site, expected, {"status": "done"})
    site.put(f"/api/1/vault/flat/{expected}/raw/", archive({"top/other": b"other"}))
    with pytest.raises(SourceError) as caught:
        obtain(site, tmp_path, content, expected)
    assert f"instead of {expected}" in str(caught.value)
