"""Provenance names lock, sources, seal and packages; a test result names each test and the report it is from."""

from __future__ import annotations

from tests.describing.factory import mini, records, report_of
from tests.testing.factory import TARGET, sha

from lode import digest
from lode.describing import provenance, verdict
from lode.testing import results

LOCK = mini()


def test_provenance_names_every_source_and_patch_by_hash() -> None:
    found = provenance.slsa(LOCK, TARGET, records(LOCK))["buildDefinition"]
    assert found["externalParameters"]["lock"] == {"digest": {"sha256": LOCK.digest}}
    materials = {(each["name"], each["digest"]["sha256"]) for each in found["resolvedDependencies"]}
    assert materials == {(node.package, source.sha256) for node in LOCK.nodes for source in node.sources} | {
        ("nest", sha("patch"))
    }
    assert found["internalParameters"]["nodes"]["zlib"] == {"sha256": LOCK.node("zlib").hashes[TARGET]}


def test_provenance_says_which_seal_held() -> None:
    found = provenance.slsa(LOCK, TARGET, records(LOCK))["runDetails"]
    assert found["builder"]["id"] == "urn:lode:builder:bubblewrap+none"
    assert found["builder"]["version"]["rattler-build"] == "0.73.0"
    (gcem,) = [each for each in found["byproducts"] if each["name"] == "gcem"]
    assert gcem["annotations"]["seal"] == "none"
    assert gcem["annotations"]["seal_reason"] == "bubblewrap (bwrap) is not installed"
    assert gcem["digest"] == {"sha256": sha("package gcem")}


def test_failed_test_makes_a_failed_result() -> None:
    report = report_of(LOCK)
    content = results.dump(report)
    found = verdict.test_result(report, content)
    assert (found["result"], found["failedTests"]) == ("FAILED", ["mcpl: reads"])
    assert found["warnedTests"] == ["numpy: self test"]
    assert found["passedTests"] == ["hdf5: links", "nest: links", "nest: er-yields", "stack: chain"]
    assert found["configuration"][0] == {"name": "tests.json", "digest": {"sha256": digest.of_bytes(content)}}
    assert found["numbers"][0]["value"] == "42.1"
