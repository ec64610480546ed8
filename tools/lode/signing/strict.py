"""Reading JSON that was signed: nothing in it may be taken in two ways."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from lode.errors import Place, VerificationError

LIMIT_BYTES = 64 << 20  # an SBOM of a large release is some megabytes


def document(content: bytes, what: str, file: str) -> dict[str, Any]:
    """Return the JSON object in `content`; VerificationError unless it is one, with no key twice and finite numbers."""
    if len(content) > LIMIT_BYTES:
        refuse(f"not {what}: it is larger than {LIMIT_BYTES >> 20} MiB", file)
    try:
        found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        refuse(f"not {what}: {_short(error)}", file)
    if not isinstance(found, dict):
        refuse(f"not {what}: it is no JSON object", file)
    return found


def fields(found: Mapping[str, Any], kinds: Mapping[str, type], what: str, file: str) -> None:
    """Raise VerificationError unless `found` has exactly the keys of `kinds`, each of its type."""
    for key in found:
        if key not in kinds:
            refuse(f"not {what}: it has an unknown key {key!r}", file)
    for key, kind in kinds.items():
        if key not in found:
            refuse(f"not {what}: it lacks {key!r}", file)
        if type(found[key]) is not kind:
            refuse(f"not {what}: {key!r} is of the wrong type", file)


def unbase64(text: str, what: str, file: str) -> bytes:
    """Return the bytes that `text` encodes; VerificationError unless it is their one canonical base64 form."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        refuse(f"not {what}: {_short(error)}", file)
    if base64.b64encode(content).decode() != text:  # its last character may have bits that nobody reads
        refuse(f"not {what}: its base64 is not canonical", file)
    return content


def refuse(message: str, file: str) -> NoReturn:
    """Raise the VerificationError that `file` is not what it should be."""
    raise VerificationError(
        message, place=Place(file=file), hint="it was cut or altered; take it again from its source"
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _finite(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _short(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200]
