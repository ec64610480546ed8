"""The release page holds everything, escapes what is hostile, and is the same each time."""

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath

from tests.describing.factory import chain, mini, released
from tests.golden.check import same_as_golden
from tests.testing.factory import TARGET, sha
from tests.testing.test_report import outline

from lode.describing.report import TargetRelease, index, release


def page(locked=None, **changes) -> str:
    locked = locked or mini()
    tree = release(locked, (replace(released(locked), **changes),), version="1.0")
    return tree.files[PurePosixPath("report.html")].decode()


def test_page_is_as_it_was() -> None:
    same_as_golden("describing/report.html", page().encode())


def test_release_has_its_page_and_plain_files() -> None:
    tree = release(mini(), (released(mini()),), version="1.0")
    assert sorted(map(str, tree.files)) == ["CITATION.cff", "LICENCES.txt", "references.bib", "report.html"]


def test_page_is_well_nested_and_loads_nothing_from_elsewhere() -> None:
    parser = outline(page().encode())
    for tag, attributes in parser.seen:
        assert tag not in {"script", "link", "img", "iframe", "object", "base"}
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith(("#", "https://", "CITATION.cff", "references.bib", TARGET))
    assert "url(" not in page()


def test_every_link_into_the_page_has_its_place() -> None:
    parser = outline(page().encode())
    places = {attributes.get("id") for _, attributes in parser.seen}
    inner = {href[1:] for _, attributes in parser.seen if (href := attributes.get("href") or "").startswith("#")}
    assert inner <= places | {""}


def test_hostile_recipe_cannot_run_anything() -> None:
    assert "<script" not in page()
    assert 'href="javascript' not in page()
    assert "&lt;script&gt;alert(&#39;summary&#39;)&lt;/script&gt;" in page()


def test_page_names_every_digest_of_every_package() -> None:
    text = page()
    locked = mini()
    for node in locked.nodes:
        assert node.hashes[TARGET] in text
        assert node.sources[0].sha256 in text
        assert sha(f"package {node.package}") in text
    assert locked.digest in text


def test_page_marks_what_is_prebuilt_kept_back_or_for_building_only() -> None:
    def summary(package: str) -> str:
        return page().partition(f'id="package-{package}"')[2].partition("</summary>")[0]

    assert "prebuilt" in summary("numpy")
    assert "not redistributable" in summary("daq-chain")
    assert "build only" in summary("cmake")
    assert not re.search("prebuilt|not redistributable|build only", summary("nest"))


def test_page_tells_the_seal_of_every_package() -> None:
    text = page()
    assert "14 packages built without network, seeing the operating system" in text
    assert "1 package built without a seal (bubblewrap (bwrap) is not installed): gcem" in text


def test_page_of_a_release_without_records_or_tests_is_whole() -> None:
    locked = mini()
    tree = release(locked, (TargetRelease(target=TARGET),), version="1.0")
    text = tree.files[PurePosixPath("report.html")]
    outline(text)
    assert b"No test of this release wrote numbers." in text


def test_large_graph_is_a_list_only() -> None:
    assert 'id="graph"' in page(chain(100))
    assert 'id="graph"' not in page(chain(101))


def test_index_tells_targets_and_files() -> None:
    locked = mini()
    files = {PurePosixPath("lode.lock"): (sha("file"), 12)}
    assert json.loads(index(locked, (released(locked),), files)) == {
        "schema": 1,
        "stack": "dance-mini",
        "release": "2026.11",
        "date": "2026-11-01",
        "lock": locked.digest,
        "targets": {
            TARGET: {
                "digest": sha(f"target {TARGET}"),
                "final_path": f"/cvmfs/lode.example.org/dance-mini/2026.11/{TARGET}",
                "inventory": sha("inventory"),
                "entries": 7421,
                "size": 412_000_000,
                "tests": {"failed": 1, "passed": 4, "skipped": 1},
            }
        },
        "files": {"lode.lock": {"sha256": sha("file"), "size": 12}},
    }


def test_page_tells_images_and_repository_when_there_are_any() -> None:
    delivery = {
        "cvmfs": {"name": "dance.example.org", "revision": 7, "root": "4ee3f0"},
        "indexes": [{"tag": "2026.11", "group": None, "digest": "sha256:aa", "targets": [TARGET]}],
        "images": [{"tag": "2026.11-daq", "group": "daq", "target": TARGET, "digest": "sha256:bb", "size": 1500000}],
    }
    tree = release(mini(), (released(mini()),), version="1.0", delivery=delivery)
    text = tree.files[PurePosixPath("report.html")].decode()
    for said in ("dance.example.org from revision 7 on", "4ee3f0", "sha256:aa", "sha256:bb", 'href="#delivered"'):
        assert said in text
    assert "delivered" not in page()
    outline(text.encode())
