"""Directives and texts of a package.py: literals only, so that nothing a recipe says can be code."""

from __future__ import annotations

from typing import Any

from lode.rendering.quoting import python


def call(name: str, /, *positional: Any, **named: Any) -> str:
    """Return a directive, on a line for each argument when it is long; arguments that are None are left out."""
    arguments = [python(value) for value in positional]
    arguments += [f"{key}={python(value)}" for key, value in named.items() if value is not None]
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= 95:
        return line
    return "\n".join([f"{name}(", *(f"        {argument}," for argument in arguments), "    )"])


def lines(text: str, indent: int) -> str:
    """Return a text as an expression, a literal for each of its lines, for a statement that is indented so much."""
    parts = text.splitlines(keepends=True)
    if len(parts) < 2 or "".join(parts) != text:
        return python(text)
    inner = " " * (indent + 4)
    return "\n".join(["(", *(f"{inner}{python(part)}" for part in parts), f"{' ' * indent})"])


def docstring(text: str) -> str:
    """Return a text as the literal that `spack audit` looks for: three quotes, and none inside."""
    inside = python(text)[1:-1].replace('\\"', "\\x22")
    return f'"""{inside}"""'
