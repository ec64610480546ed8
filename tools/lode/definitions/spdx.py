"""Checking licence expressions against the SPDX list."""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.licenses import canonicalize_license_expression

from lode.definitions.language import LanguageError

_WORD = re.compile(r"[^\s()]+")
_JOINING = ("AND", "OR", "WITH")
_ELSEWHERE = "the names are those of spdx.org/licenses; LicenseRef-<name> stands for any other"


@lru_cache(maxsize=4096)
def expression(text: str) -> str:
    """Return the SPDX expression `text` in its canonical spelling; LanguageError with what is unknown in it."""
    if canonical := _canonical(text):
        return canonical
    message = f"{text[:60]!r} is not an SPDX expression"
    after_with = False
    for word in _WORD.finditer(text[:500]):
        name = word.group().removesuffix("+")
        if name.upper() not in _JOINING and not after_with and not _canonical(name):
            raise LanguageError(message, word.start(), _nearest(name) or _ELSEWHERE)
        after_with = name.upper() == "WITH"
    raise LanguageError(message, 0, "join names with AND, OR and WITH: MIT AND (Apache-2.0 OR Zlib)")


def _canonical(text: str) -> str | None:
    try:
        return str(canonicalize_license_expression(text)) if 0 < len(text) <= 500 else None
    except ValueError:
        return None


def _nearest(name: str) -> str | None:
    import difflib

    from license_expression import get_spdx_licensing  # a third of a second, for messages only

    known: list[str] = list(get_spdx_licensing().known_symbols)  # type: ignore[no-untyped-call]
    begin = name[:3].lower()
    near = difflib.get_close_matches(name[:60], [each for each in known if each.lower().startswith(begin)], 1, 0.4)
    return f"did you mean {near[0]!r}?" if near else None
