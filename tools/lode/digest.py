"""SHA-256 digests of bytes and of explicit documents in canonical JSON.

Every hash that Lode takes of a value is a hash of a document that names its kind and the version of its form, so that
a dataclass, a file's text, a path, a host or a time can never move it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_HEX = re.compile(r"[0-9a-f]{64}\Z")


class Digest(str):
    """A SHA-256 digest as 64 lower-case hexadecimal digits, without a prefix."""

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        """Return the digest that `text` spells; ValueError unless it is 64 lower-case hexadecimal digits."""
        if not _HEX.match(text):
            raise ValueError(f"not a sha256 in hexadecimal: {text!r}")
        return super().__new__(cls, text)


def canonical(document: Any, *, exact: bool = False) -> bytes:
    """Return `document` as canonical JSON: sorted keys, no white space, UTF-8, no floats.

    Floats are refused with TypeError: their text differs between writers; numbers with a fraction are written as text.
    `exact` says that the document's form, checked elsewhere, has none and all its keys are text: nobody looks again.
    """
    if not exact:
        _refuse_floats(document)
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def of_bytes(content: bytes) -> Digest:
    """Return the SHA-256 of `content`."""
    return Digest(hashlib.sha256(content).hexdigest())


def of_document(kind: str, version: int, fields: Mapping[str, Any], *, exact: bool = False) -> Digest:
    """Return the SHA-256 of the canonical JSON of `{"kind", "version", "fields"}`; `exact` as in `canonical`."""
    return of_bytes(canonical({"kind": kind, "version": version, "fields": dict(fields)}, exact=exact))


_TEXT = frozenset({str, Digest})
_ATOMS = frozenset({str, int, bool, type(None), Digest})


def _refuse_floats(document: Any) -> None:
    waiting = [document]  # of what is not known to be harmless by its type
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if not _TEXT.issuperset(map(type, value)):
                _refuse_keys(value)
            held: Iterable[Any] = value.values()
        elif isinstance(value, list | tuple):
            held = value
        else:
            _refuse_float(value)
            continue
        if not _ATOMS.issuperset(map(type, held)):
            waiting += [item for item in held if type(item) not in _ATOMS]


def _refuse_keys(value: Mapping[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"a key of a canonical document is text, not {key!r}")


def _refuse_float(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float has no canonical text: {value!r}")
