"""A release's bill of materials on one target as SPDX 2.3 in JSON (ISO/IEC 5962; spdx.github.io/spdx-spec/v2.3)."""

from __future__ import annotations

import json
import re
from typing import Any

from lode import __version__
from lode.describing import drawing
from lode.describing.sbom import purl
from lode.digest import Digest
from lode.locking.graph import Lock, LockedSource, Node, dependencies

PREDICATE = "https://spdx.dev/Document"
_NONE = "NOASSERTION"


def spdx(lock: Lock, target: str, *, inventory: Digest | None = None) -> bytes:
    """Return the bill of materials of the release on `target`; the same lock gives the same bytes.

    `inventory` is the digest of the tree that was built of it, if known. KeyError if the lock has no such target.
    """
    nodes = [node for node in lock.nodes if target in node.targets]
    installed = drawing.installed(lock)
    name = f"{lock.stack}-{lock.release}-{target}"
    document: dict[str, Any] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:lode:spdx:{name}:{lock.digest}:{inventory or 'unbuilt'}",
        "creationInfo": {"created": f"{lock.date}T00:00:00Z", "creators": [f"Tool: lode-{__version__}"]},
        "documentDescribes": ["SPDXRef-stack"],
        "packages": [_stack(lock, target, inventory), *(_package(node, target) for node in nodes)],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-stack"),
            *(
                _relation("SPDXRef-stack", "CONTAINS", _id(node))
                if node.package in installed
                else _relation(_id(node), "BUILD_DEPENDENCY_OF", "SPDXRef-stack")
                for node in nodes
            ),
            *(
                _relation(_id(node), "DEPENDS_ON", _id(lock.node(needed)))
                for node in nodes
                for needed in dependencies(node, target)
            ),
        ],
    }
    own = sorted({found for node in nodes for found in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", node.license)})
    if own:
        document["hasExtractedLicensingInfos"] = [
            {"licenseId": each, "name": each, "extractedText": "See the package's homepage."} for each in own
        ]
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _stack(lock: Lock, target: str, inventory: Digest | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "SPDXID": "SPDXRef-stack",
        "name": lock.stack,
        "versionInfo": lock.release,
        "summary": lock.summary,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        "primaryPackagePurpose": "INSTALL",
        "comment": f"lock sha256:{lock.digest}, target {target} sha256:{lock.target(target).digest}",
    }
    if inventory:
        found["checksums"] = [_checksum(inventory)]
    return found


def _package(node: Node, target: str) -> dict[str, Any]:
    sources = [source for source in node.sources if target in source.targets]
    found: dict[str, Any] = {
        "SPDXID": _id(node),
        "name": node.package,
        "versionInfo": node.version,
        "summary": node.summary,
        "downloadLocation": _location(sources),
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": node.license or _NONE,
        "copyrightText": _NONE,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": purl(node, sources).to_string(),
            }
        ],
        "comment": "; ".join(
            [
                f"node sha256:{node.hashes[target]}",
                *(f"source sha256:{source.sha256}" for source in sources[1:]),
                *(
                    f"patched with {patch.file} sha256:{patch.sha256}: {patch.reason}"
                    for patch in node.patches
                    if target in patch.targets
                ),
            ]
        ),
    }
    if node.homepage.startswith(("http://", "https://")):
        found["homepage"] = node.homepage
    if sources:
        found["checksums"] = [_checksum(sources[0].sha256)]
    return found


def _location(sources: list[LockedSource]) -> str:
    origin = sources[0].origins[0] if sources else None
    return origin.location if origin is not None and origin.scheme == "url" else _NONE


def _id(node: Node) -> str:
    return f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', node.package)}"


def _relation(left: str, kind: str, right: str) -> dict[str, str]:
    return {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}


def _checksum(digest: Digest) -> dict[str, str]:
    return {"algorithm": "SHA256", "checksumValue": digest}
