"""The argument `[KIND] SUBJECT` of `lode sign` and `lode verify`."""

from __future__ import annotations

from collections.abc import Sequence

from lode.errors import UsageError
from lode.signing.claim import Kind


def split(arguments: Sequence[str]) -> tuple[Kind | None, str]:
    """Return the kind, None when it is left open, and the subject; UsageError unless that is what was given."""
    if len(arguments) == 1:
        return None, arguments[0]
    kinds = {kind.value: kind for kind in Kind if kind is not Kind.STORE}  # `lode store` signs and verifies that
    if len(arguments) > 2 or arguments[0] not in kinds:
        raise UsageError(
            f"one subject is needed, not {' '.join(arguments)}",
            hint=f"write SUBJECT, or KIND SUBJECT with a kind of: {', '.join(kinds)}",
        )
    return kinds[arguments[0]], arguments[1]
