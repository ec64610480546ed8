"""Expressions of Scheme as values: dumped, so that nothing a recipe says can be code, and read without running them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from lode.rendering.quoting import scheme


class Symbol(str):
    """A name, keyword or boolean, as it is written; a plain str is a string."""

    __slots__ = ()


Expression: TypeAlias = "str | Symbol | int | tuple[Expression, ...]"
_TOKEN = re.compile(r'\s+|;[^\n]*|(?P<mark>[()\'`,])|"(?P<string>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()\'`,";]+)', re.DOTALL)
_MARKS = {"'": Symbol("quote"), "`": Symbol("quasiquote"), ",": Symbol("unquote")}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{6})|(.))", re.DOTALL)


def call(name: str, *arguments: Expression) -> tuple[Expression, ...]:
    """Return the list that begins with the symbol `name`."""
    return (Symbol(name), *arguments)


def quoted(value: Expression, mark: str = "'") -> tuple[Expression, ...]:
    """Return `value` under a quote, a quasiquote or an unquote."""
    return (_MARKS[mark], value)


def dump(value: Expression, indent: int = 0) -> str:
    """Return the text of `value`: lists that are long have an item on each line."""
    match value:
        case Symbol():
            return str(value)
        case str():
            return scheme(value)
        case int():
            return str(value)
    for mark, name in _MARKS.items():
        if len(value) == 2 and value[0] == name and isinstance(value[0], Symbol):
            return mark + dump(value[1], indent + 1)
    items = [dump(item, indent + 2) for item in value]
    line = f"({' '.join(items)})"
    if len(line) + indent <= 100 and "\n" not in line:
        return line
    return f"({items[0]}" + "".join(f"\n{' ' * (indent + 2)}{item}" for item in items[1:]) + ")"


def read(text: str) -> Iterator[Expression]:
    """Yield the expressions of `text`; ValueError when it is not Scheme of the kind that `dump` writes."""
    stack: list[list[Expression]] = [[]]
    marks: list[list[Symbol]] = [[]]
    waiting: list[Symbol] = []
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise ValueError(f"no expression at character {end}")
        end = match.end()
        if match["mark"] == "(":
            stack.append([])
            marks.append(waiting)
            waiting = []
            continue
        if match["mark"] == ")":
            if len(stack) == 1 or waiting:
                raise ValueError(f"a closing parenthesis too many at character {end}")
            value: Expression = tuple(stack.pop())
            waiting = marks.pop()
        elif match["mark"]:
            waiting.append(_MARKS[match["mark"]])
            continue
        elif match["string"] is not None:
            value = _ESCAPE.sub(_meant, match["string"])
        elif match["atom"]:
            value = Symbol(match["atom"])
        else:
            continue
        while waiting:
            value = (waiting.pop(), value)
        stack[-1].append(value)
    if len(stack) != 1 or waiting:
        raise ValueError("a closing parenthesis is missing")
    yield from stack[0]


def _meant(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    return chr(int(digits, 16)) if digits else {"n": "\n"}.get(match[4], match[4])
