"""What Lode itself signs of a subject: which kind of thing it is, of which stack and release, and which try of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lode.digest import Digest
from lode.signing import strict
from lode.signing.statement import Statement, Subject

PREDICATE = "urn:lode:claim:1"


class Kind(StrEnum):
    """What a subject is; a trust policy says for each who may sign it."""

    LOCK = "lock"
    PREFIX = "prefix"
    RELEASE = "release"
    IMAGE = "image"
    CVMFS = "cvmfs"
    BUNDLE = "bundle"
    POLICY = "policy"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a signer says about a subject.

    `stack` and `release` name what it belongs to: for a CVMFS repository its name and revision, for a trust policy
    the policy's name and nothing. A later `sequence` of the same release takes the place of an earlier one.
    """

    kind: Kind
    stack: str
    release: str
    target: str = ""  # empty where there is none
    group: str = ""
    sequence: int = 1
    signed: str = ""  # when, ISO 8601 in UTC, by the signer's own clock
    lock: str = ""  # digest of the lock it comes from


def statement(claim: Claim, name: str, digests: Mapping[str, str]) -> Statement:
    """Return the statement that `claim` holds for the bytes with these digests."""
    return Statement(
        subjects=(Subject(name=name, digest=dict(digests)),), predicate_type=PREDICATE, predicate=predicate(claim)
    )


def predicate(claim: Claim) -> dict[str, Any]:
    """Return the claim as the predicate of a statement."""
    return {
        "kind": claim.kind.value,
        "stack": claim.stack,
        "release": claim.release,
        "target": claim.target,
        "group": claim.group,
        "sequence": claim.sequence,
        "signed": claim.signed,
        "lock": claim.lock,
    }


def read(found: Statement, file: str) -> Claim:
    """Return the claim of a statement; VerificationError unless it makes one."""
    what = "a statement of Lode"
    if found.predicate_type != PREDICATE:
        strict.refuse(f"not {what}: its predicate is {found.predicate_type!r}", file)
    texts = dict.fromkeys(("kind", "stack", "release", "target", "group", "signed", "lock"), str)
    strict.fields(found.predicate, {**texts, "sequence": int}, what, file)
    values = dict(found.predicate)
    try:
        kind = Kind(values.pop("kind"))
        if values["lock"]:
            Digest(values["lock"])
    except ValueError as error:
        strict.refuse(f"not {what}: {error}", file)
    return Claim(kind=kind, **values)
