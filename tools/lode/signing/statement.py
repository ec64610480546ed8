"""What is signed: an in-toto statement, which says something (the predicate) about named bytes (the subjects).

Form: in-toto Attestation Framework, spec/v1/statement.md. Version 0.1 is read too: cosign 2 writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lode.signing import strict

TYPE = "https://in-toto.io/Statement/v1"
TYPE_0_1 = "https://in-toto.io/Statement/v0.1"
_HEX = re.compile(r"[0-9a-f]{32,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Bytes that a statement is about: what they are called, and their digests in hexadecimal by algorithm."""

    name: str  # may be empty
    digest: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A predicate about one or more subjects. `predicate` is plain JSON data."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]
    type: str = TYPE


def dump(statement: Statement) -> bytes:
    """Return the statement as JSON: sorted keys, no white space, UTF-8."""
    document = {
        "_type": statement.type,
        "subject": [_subject(subject) for subject in statement.subjects],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }
    return plain(document)


def load(content: bytes, file: str) -> Statement:
    """Return the statement in `content`; VerificationError, naming `file`, unless it is one."""
    what = "an in-toto statement"
    document = strict.document(content, what, file)
    kinds = {"_type": str, "subject": list, "predicateType": str, "predicate": dict}
    strict.fields(document, kinds, what, file)
    if document["_type"] not in (TYPE, TYPE_0_1):
        strict.refuse(f"not {what}: its type is {document['_type']!r}", file)
    subjects = tuple(_read_subject(subject, file) for subject in document["subject"])
    if not subjects:
        strict.refuse(f"not {what}: it is about nothing", file)
    return Statement(
        subjects=subjects,
        predicate_type=document["predicateType"],
        predicate=document["predicate"],
        type=document["_type"],
    )


def plain(document: Any) -> bytes:
    """Return `document` as JSON: sorted keys, no white space, UTF-8; ValueError for a number that is not finite."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _subject(subject: Subject) -> dict[str, Any]:
    named = {"name": subject.name} if subject.name else {}
    return {**named, "digest": dict(subject.digest)}


def _read_subject(subject: Any, file: str) -> Subject:
    digest = subject.get("digest") if isinstance(subject, dict) else None
    if not isinstance(digest, dict) or not digest:
        strict.refuse("not an in-toto statement: a subject has no digest", file)
    for algorithm, text in digest.items():
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            strict.refuse(f"not an in-toto statement: a subject's {algorithm} is no digest", file)
    name = subject.get("name", "")
    if not isinstance(name, str):
        strict.refuse("not an in-toto statement: a subject's name is no text", file)
    return Subject(name=name, digest=digest)
