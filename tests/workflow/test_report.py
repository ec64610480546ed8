"""The page and index of a release folder follow from what lies in it."""

import json
import shutil
from pathlib import Path

import pytest
from tests.describing.factory import mini, records, report_of
from tests.testing.factory import TARGET, whole

from lode import digest, inventory
from lode.building.artifact import Artifact
from lode.errors import HostError, UsageError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.workflow import report as releases


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a release folder: lock, prefix with an inventory, build records, test reports."""
    locked = whole(mini())
    (tmp_path / "lode.lock").write_bytes(lockfile.dump(locked))
    root = tmp_path / TARGET / "prefix"
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").write_text("#!/bin/sh\n")
    (root / ".lode").mkdir()
    (root / prefixes.RECORD).write_bytes(prefixes.record(locked, TARGET, None, locked.final_path(TARGET), ()))
    inventory.write(inventory.scan(root), tmp_path / "inventory")
    (tmp_path / "inventory").rename(root / prefixes.INVENTORY)
    artifacts = [
        Artifact(
            package=each.package,
            version=each.version,
            target=TARGET,
            node_hash=each.node_hash,
            path=Path("/cache/x.conda"),
            sha256=each.sha256,
            inventory=each.inventory,
            record=each.record,
        )
        for each in records(locked)
    ]
    releases.save_builds(tmp_path, TARGET, artifacts)
    releases.save_tests(tmp_path, report_of(locked))
    return tmp_path


def test_page_is_written_with_the_files_beside_it(folder: Path) -> None:
    page = releases.write_report(folder)
    assert page == folder / "report.html"
    assert sorted(path.name for path in folder.iterdir()) == [
        "CITATION.cff", "LICENCES.txt", TARGET, "index.json", "lode.lock", "references.bib", "report.html",
    ]  # fmt: skip
    text = page.read_text()
    assert "✗ 1 of 6 tests failed" in text
    assert "sealed by bubblewrap" in text


def test_index_tells_the_digest_of_every_file_that_is_there(folder: Path) -> None:
    releases.write_report(folder)
    document = json.loads((folder / "index.json").read_bytes())
    assert sorted(document["files"]) == [
        "CITATION.cff", "LICENCES.txt", f"{TARGET}/build.json", f"{TARGET}/tests.html", f"{TARGET}/tests.json",
        f"{TARGET}/tests.xml", "lode.lock", "references.bib", "report.html",
    ]  # fmt: skip
    for name, entry in document["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": digest.of_bytes(content), "size": len(content)}
    target = document["targets"][TARGET]
    assert target["inventory"] == prefixes.read(folder / TARGET / "prefix").inventory
    assert (target["entries"], target["tests"]) == (4, {"failed": 1, "passed": 4, "skipped": 1})


def test_signed_release_is_left_as_it_is(folder: Path) -> None:
    releases.write_report(folder)
    signature = folder / "index.json.dsse"
    signature.write_text("{}")
    before = (folder / "index.json").read_bytes()
    assert releases.rewrite_report(folder) == folder / "report.html"  # it comes out the same
    (folder / "notes.txt").write_text("a word more")
    with pytest.raises(UsageError) as caught:
        releases.rewrite_report(folder)
    assert str(caught.value) == (
        f"the release in {folder} is signed, and its page or index would come out otherwise\n"
        f"  hint: a signed release stays as it is; to write it all the same, remove {signature}, "
        "and sign it again after"
    )
    assert (folder / "index.json").read_bytes() == before
    (folder / "notes.txt").unlink()
    (folder / "report.html").write_text("another page")
    with pytest.raises(UsageError):
        releases.rewrite_report(folder)
    signature.unlink()
    releases.rewrite_report(folder)
    assert (folder / "index.json").read_bytes() == before


def test_report_written_again_is_the_same(folder: Path) -> None:
    releases.write_report(folder)
    first = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    releases.write_report(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == first


def test_release_whose_prefix_is_gone_is_still_told(folder: Path) -> None:
    shutil.rmtree(folder / TARGET / "prefix")
    (folder / TARGET / "tests.json").unlink()
    releases.write_report(folder)
    target = json.loads((folder / "index.json").read_bytes())["targets"][TARGET]
    assert (target["inventory"], target["tests"]) == (None, None)


def test_folder_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError) as refused:
        releases.write_report(tmp_path)
    assert str(refused.value) == f"no release lies at {tmp_path}\n  hint: `lode release STACK` makes one"


def test_release_is_found_by_name_newest_first_or_by_folder(tmp_path: Path) -> None:
    for name in ("mini/2026.9", "mini/2026.11", "mini/2026.12", "full/1"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("mini/2026.9", "mini/2026.11", "full/1"):
        (tmp_path / name / "lode.lock").touch()
    assert releases.find_release(tmp_path, "mini") == tmp_path / "mini/2026.11"
    assert releases.find_release(tmp_path, "mini@2026.9") == tmp_path / "mini/2026.9"
    assert releases.find_release(tmp_path, str(tmp_path / "full/1")) == tmp_path / "full/1"
    with pytest.raises(UsageError) as refused:
        releases.find_release(tmp_path, "mini@2026.12")
    assert str(refused.value) == (
        f"no release of mini@2026.12 lies in {tmp_path}\n  hint: there are: full@1, mini@2026.11, mini@2026.9"
    )


def test_name_with_wildcards_finds_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mini/1").mkdir(parents=True)
    (tmp_path / "mini/1/lode.lock").touch()
    with pytest.raises(UsageError):
        releases.find_release(tmp_path, "*")
