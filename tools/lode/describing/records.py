"""How the nodes of a release came to be on one target: what `build.json` of a release folder holds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass

from lode.building.artifact import Artifact, BuildRecord
from lode.digest import Digest
from lode.errors import LodeError, Place

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One node's artifact without its place on disk: its digests, and how it was made."""

    package: str
    version: str
    node_hash: Digest
    sha256: Digest  # of the package file
    inventory: Digest  # of the tree inside it
    record: BuildRecord


def of(artifacts: Iterable[Artifact]) -> tuple[NodeRecord, ...]:
    """Return the records of `artifacts`, sorted by package."""
    return tuple(
        NodeRecord(
            package=artifact.package,
            version=artifact.version,
            node_hash=artifact.node_hash,
            sha256=artifact.sha256,
            inventory=artifact.inventory,
            record=artifact.record,
        )
        for artifact in sorted(artifacts, key=lambda artifact: artifact.package)
    )


def dump(records: Iterable[NodeRecord]) -> bytes:
    """Return the records as JSON text, UTF-8, indented, one trailing newline."""
    nodes = [dataclasses.asdict(record) | {"record": _record_document(record.record)} for record in records]
    return (json.dumps({"schema": SCHEMA, "nodes": nodes}, indent=2, sort_keys=True) + "\n").encode()


def load(content: bytes, file: str) -> tuple[NodeRecord, ...]:
    """Return the records that `dump` wrote; LodeError naming `file` if it did not."""
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise LodeError(
                f"the build record is of schema {document['schema']}, this version reads {SCHEMA}",
                place=Place(file=file),
                hint="run `lode release` again",
            )
        return tuple(
            NodeRecord(
                package=node["package"],
                version=node["version"],
                node_hash=Digest(node["node_hash"]),
                sha256=Digest(node["sha256"]),
                inventory=Digest(node["inventory"]),
                record=BuildRecord(**node["record"]),
            )
            for node in document["nodes"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LodeError(
            f"not a build record: {type(error).__name__}: {error}",
            place=Place(file=file),
            hint="run `lode release` again",
        ) from error


def _record_document(record: BuildRecord) -> dict[str, object]:
    document = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return document | {"host": dict(record.host), "tools": dict(record.tools)}
