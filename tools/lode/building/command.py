"""What is to be run inside a seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lode.building.seal import Bind


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program, and all that it may see besides the operating system."""

    argv: tuple[str, ...]
    binds: tuple[Bind, ...]
    env: Mapping[str, str]
    cwd: str  # as seen inside
