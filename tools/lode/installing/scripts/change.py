"""What the activation of a prefix changes, as every shell's script and `activation.activated` understand it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a variable's value: a path below the prefix ("" is the prefix itself) or a plain text."""

    text: str
    below: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A variable that gets a value, or paths in front of the colon list that it holds.

    `name` is a shell variable's name and `text` has no control characters, so that neither can break a script.
    """

    name: str
    parts: tuple[Part, ...]  # exactly one unless it is a list
    prepend: bool
    open_end: bool = (
        False  # a list that was unset or empty ends in a colon: the system's default follows, as in MANPATH
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """All changes of a prefix's activation, in order, and what its scripts say and look for."""

    stack: str
    release: str
    target: str
    group: str | None
    final_path: str
    changes: tuple[Change, ...]  # sorted by name, each name once

    @property
    def title(self) -> str:
        """Return what is activated, as messages name it."""
        group = f", group {self.group}" if self.group else ""
        return f"{self.stack} {self.release} for {self.target}{group}"
