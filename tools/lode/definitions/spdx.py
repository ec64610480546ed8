"""Checking licence expressions against the SPDX list."""

from __future__ import annotations

from functools import lru_cache

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression


@lru_cache(maxsize=4096)
def expression(text: str) -> str:
    """Return the SPDX expression `text` in its canonical spelling; ValueError when it is none."""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression as error:
        raise ValueError(f"{text!r} is not an SPDX expression: {error}") from None
