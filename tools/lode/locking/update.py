"""What a lock made anew may change without being forced to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What may change although nothing forces it to: some packages, or everything."""

    packages: tuple[str, ...] = ()
    everything: bool = False


NOTHING = Update()
