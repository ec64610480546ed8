"""What is said of a release's trees beside that they are signed: bills of materials, provenance, test results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode.describing import provenance, records, sbom, spdx, verdict
from lode.installing import prefix as prefixes
from lode.locking.graph import Lock
from lode.testing import results
from lode.workflow import report as releases


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """Something to be attested: its type, its document, and what its file is called."""

    name: str
    type: str
    document: Mapping[str, Any]


def predicates(folder: Path, lock: Lock) -> dict[str, tuple[Predicate, ...]]:
    """Return what can be said of each target's tree in a release folder; what is not known there is not said."""
    return {
        target.definition.name: tuple(_of(folder / target.definition.name, lock, target.definition.name))
        for target in lock.targets
        if prefixes.is_prefix(folder / target.definition.name / releases.PREFIX)
    }


def _of(place: Path, lock: Lock, target: str) -> list[Predicate]:
    inventory = prefixes.read(place / releases.PREFIX).inventory
    found = [
        Predicate(
            name="sbom.cdx.json",
            type=sbom.PREDICATE,
            document=json.loads(sbom.cyclonedx(lock, target, inventory=inventory)),
        ),
        Predicate(
            name="sbom.spdx.json",
            type=spdx.PREDICATE,
            document=json.loads(spdx.spdx(lock, target, inventory=inventory)),
        ),
    ]
    build, tests = place / "build.json", place / "tests.json"
    if build.is_file():
        built = records.load(build.read_bytes(), str(build))
        document = provenance.slsa(lock, target, built)
        found.append(Predicate(name="provenance.json", type=provenance.PREDICATE, document=document))
    if tests.is_file():
        content = tests.read_bytes()
        document = verdict.test_result(results.load(content, str(tests)), content)
        found.append(Predicate(name="tests.json", type=verdict.PREDICATE, document=document))
    return found
