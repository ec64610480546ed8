"""Directives of a package.py: calls whose arguments are literals."""

from __future__ import annotations

from typing import Any

from lode.rendering.quoting import python


def call(name: str, /, *positional: Any, **named: Any) -> str:
    """Return a directive; arguments that are None are left out."""
    arguments = [python(value) for value in positional]
    arguments += [f"{key}={python(value)}" for key, value in named.items() if value is not None]
    return f"{name}({', '.join(arguments)})"
