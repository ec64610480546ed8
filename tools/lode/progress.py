"""How long work is shown: the interface that stations report to, and its three faces (terminal, lines, silence)."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a station tells whoever watches. Calls may come from any thread."""

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Say that `task` has begun, of `total` units (`"B"` for bytes; None: length unknown)."""
        ...

    def advance(self, task: str, amount: float) -> None:
        """Say that `amount` more units of `task` are done."""
        ...

    def step(self, task: str, text: str) -> None:
        """Say what `task` is doing now, `"compiling"`."""
        ...

    def finish(self, task: str, outcome: str = "done") -> None:
        """Say that `task` has ended, and how: `"done"`, `"cached"`, `"failed"`."""
        ...

    def note(self, text: str) -> None:
        """Show a line that stays."""
        ...


class Silent:
    """A watcher that shows nothing."""

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Show nothing."""

    def advance(self, task: str, amount: float) -> None:
        """Show nothing."""

    def step(self, task: str, text: str) -> None:
        """Show nothing."""

    def finish(self, task: str, outcome: str = "done") -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""
