"""Bills of materials hold every node with its sources, are valid by their own schemas, and are the same every time."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.describing.factory import mini
from tests.testing.factory import TARGET, sha

from lode.describing import sbom, spdx

LOCK = mini()


def test_cyclonedx_is_valid_by_its_schema() -> None:
    content = sbom.cyclonedx(LOCK, TARGET, inventory=sha("tree"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None
    assert content == sbom.cyclonedx(LOCK, TARGET, inventory=sha("tree"))
    assert content != sbom.cyclonedx(LOCK, TARGET)


def test_cyclonedx_names_every_node_with_licence_and_source() -> None:
    document = json.loads(sbom.cyclonedx(LOCK, TARGET))
    components = {each["name"]: each for each in document["components"]}
    assert sorted(components) == [node.package for node in LOCK.nodes]
    assert components["zstd"]["licenses"] == [{"expression": "BSD-3-Clause OR GPL-2.0-only"}]
    assert components["zlib"]["scope"] == "required"
    assert components["cmake"]["scope"] == "excluded"  # only builds need it
    assert "gcc13" not in components["nest"]["pedigree"]["notes"]
    assert components["nest"]["pedigree"]["notes"] == (
        f"patches/installed-gcem.patch (sha256:{sha('patch')}): finds <gcem> where it is installed"
    )
    source = LOCK.node("zlib").sources[0]
    (distribution,) = [
        each for each in components["zlib"]["externalReferences"] if each["type"] == "source-distribution"
    ]
    assert distribution["hashes"] == [{"alg": "SHA-256", "content": source.sha256}]


def test_cyclonedx_has_the_edges_of_the_lock() -> None:
    document = json.loads(sbom.cyclonedx(LOCK, TARGET))
    edges = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    assert edges["python@3.12.11"] == ["libffi@3.4.8", "openssl@3.5.1", "zlib@1.3.1"]
    root = document["metadata"]["component"]["bom-ref"]
    assert edges[root] == ["daq-chain@0.1.0", "mcpl@2.2.0", "nest@2.4.0", "numpy@2.3.1"]


def test_spdx_names_every_node_and_declares_own_licences() -> None:
    document = json.loads(spdx.spdx(LOCK, TARGET, inventory=sha("tree")))
    packages = {each["name"]: each for each in document["packages"]}
    assert sorted(packages) == sorted([LOCK.stack, *(node.package for node in LOCK.nodes)])
    assert packages["daq-chain"]["licenseDeclared"] == "LicenseRef-Proprietary"
    assert [each["licenseId"] for each in document["hasExtractedLicensingInfos"]] == ["LicenseRef-Proprietary"]
    assert packages[LOCK.stack]["checksums"] == [{"algorithm": "SHA256", "checksumValue": sha("tree")}]
    names = {each["SPDXID"] for each in document["packages"]} | {"SPDXRef-DOCUMENT"}
    for relation in document["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= names
    assert {"spdxElementId": "SPDXRef-cmake", "relationshipType": "BUILD_DEPENDENCY_OF",
            "relatedSpdxElement": "SPDXRef-stack"} in document["relationships"]  # fmt: skip
    assert spdx.spdx(LOCK, TARGET) == spdx.spdx(LOCK, TARGET)


@pytest.mark.parametrize("make", [sbom.cyclonedx, spdx.spdx])
def test_target_that_the_lock_does_not_have_is_a_mistake(make: object) -> None:
    with pytest.raises(KeyError):
        make(LOCK, "el9-x86_64")  # type: ignore[operator]
