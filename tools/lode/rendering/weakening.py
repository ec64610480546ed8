"""What an ecosystem cannot say: less exactly (a weakening, which the user sees), or not at all (an error)."""

from __future__ import annotations

from dataclasses import dataclass

from lode.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Weakening:
    """One thing that the output says less exactly than the lock and the recipes do."""

    package: str  # "" for the stack as a whole
    what: str  # a sentence with the values in it: what is said instead

    def __str__(self) -> str:
        """Return the weakening as it is printed."""
        return f"{self.package}: {self.what}" if self.package else self.what


class Inexpressible(UsageError):
    """Something in the lock has no words in the ecosystem it is to be rendered for."""
