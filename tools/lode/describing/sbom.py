"""A release's bill of materials on one target, as CycloneDX 1.6 in JSON: every node of the lock, whatever its use.

The same lock gives the same bytes: the serial number follows from the lock and the target, the time is the release's.
What is only used for building has the scope `excluded`.
"""

from __future__ import annotations

import datetime
import uuid

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType, Patch, PatchClassification, Pedigree
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from lode.describing import drawing
from lode.digest import Digest
from lode.locking.graph import Lock, LockedSource, Node, dependencies

PREDICATE = "https://cyclonedx.org/bom"
_SPACE = uuid.UUID("6b0e3a0c-4d5b-5c6f-9a53-2d9c6d1f7e10")  # of the serial numbers of these bills


def cyclonedx(lock: Lock, target: str, *, inventory: Digest | None = None) -> bytes:
    """Return the bill of materials of the release on `target`, JSON in UTF-8.

    `inventory` is the digest of the tree that was built of it, if known. KeyError if the lock has no such target.
    """
    nodes = [node for node in lock.nodes if target in node.targets]
    present = drawing.installed(lock)
    components = {node.package: _component(node, target, node.package in present) for node in nodes}
    root = Component(
        name=lock.stack,
        version=lock.release,
        type=ComponentType.PLATFORM,
        bom_ref=f"{lock.stack}@{lock.release}/{target}",
        description=lock.summary,
        hashes=[_sha256(inventory)] if inventory else (),
        properties=[
            Property(name="lode:lock", value=lock.digest),
            Property(name="lode:target", value=target),
            Property(name="lode:target-digest", value=lock.target(target).digest),
            Property(name="lode:path", value=lock.final_path(target)),
        ],
    )
    asked = {text.split()[0] for text in lock.requirements}
    bom = Bom(
        components=components.values(),
        serial_number=uuid.uuid5(_SPACE, f"{lock.digest}/{target}/{inventory or ''}"),
        metadata=BomMetaData(
            component=root, timestamp=datetime.datetime.fromisoformat(lock.date).replace(tzinfo=datetime.UTC)
        ),
        dependencies=[
            Dependency(
                ref=components[node.package].bom_ref,
                dependencies=[Dependency(ref=components[name].bom_ref) for name in dependencies(node, target)],
            )
            for node in nodes
        ]
        + [
            Dependency(
                ref=root.bom_ref,
                dependencies=[Dependency(ref=components[name].bom_ref) for name in sorted(asked) if name in components],
            )
        ],
    )
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def _component(node: Node, target: str, installed: bool) -> Component:
    sources = [source for source in node.sources if target in source.targets]
    return Component(
        name=node.package,
        version=node.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{node.package}@{node.version}",
        description=node.summary,
        scope=ComponentScope.REQUIRED if installed else ComponentScope.EXCLUDED,
        licenses=[LicenseFactory().make_from_string(node.license)] if node.license else (),
        purl=purl(node, sources),
        external_references=[*_references(node), *(_distribution(source) for source in sources)],
        properties=[
            Property(name="lode:node", value=node.hashes[target]),
            *(Property(name=f"lode:option:{name}", value=value) for name, value in sorted(node.options.items())),
        ],
        pedigree=_pedigree(node, target),
    )


def purl(node: Node, sources: list[LockedSource]) -> PackageURL:
    """Return the package URL of a node: of PyPI when its source is from there, else generic with place and hash."""
    if not sources:
        return PackageURL("generic", name=node.package, version=node.version)
    origin = sources[0].origins[0]
    if origin.scheme == "pypi":
        return PackageURL("pypi", name=origin.location.partition("==")[0], version=node.version)
    qualifiers = {"checksum": f"sha256:{sources[0].sha256}"}
    if origin.scheme == "url":
        qualifiers["download_url"] = origin.location
    return PackageURL("generic", name=node.package, version=node.version, qualifiers=qualifiers)


def _references(node: Node) -> list[ExternalReference]:
    if not node.homepage.startswith(("http://", "https://")):
        return []
    return [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(node.homepage))]


def _distribution(source: LockedSource) -> ExternalReference:
    origin = source.origins[0]
    url = origin.location if origin.scheme == "url" else f"{origin.scheme}:{origin.location.replace(' ', '%20')}"
    return ExternalReference(
        type=ExternalReferenceType.SOURCE_DISTRIBUTION, url=XsUri(url), hashes=[_sha256(source.sha256)]
    )


def _pedigree(node: Node, target: str) -> Pedigree | None:
    patches = [patch for patch in node.patches if target in patch.targets]
    if not patches:
        return None
    notes = "; ".join(f"{patch.file} (sha256:{patch.sha256}): {patch.reason}" for patch in patches)
    return Pedigree(patches=[Patch(type=PatchClassification.UNOFFICIAL) for _ in patches[:1]], notes=notes)


def _sha256(digest: Digest) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
