"""Calls of CMake as values: dumped, so that nothing a recipe says can be code, and read without running them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lode.rendering.quoting import cmake


class Raw(str):
    """An argument as it is written, references to variables in it; a plain str is a text that means itself."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One command with its arguments."""

    name: str
    arguments: tuple[str, ...]


# cmake-language(7): space, comments, bracket arguments, quoted arguments, parentheses, and words without quotes
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|#[^\n]*)|\[(?P<level>=*)\[\n?(?P<bracket>.*?)\](?P=level)\]|"
    r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<mark>[()])|(?P<word>(?:[^\s()"#\\]|\\.)+)',
    re.DOTALL,
)
_LONG = 110  # characters of a line, from which on a call has an argument on each


def dump(name: str, *arguments: str) -> str:
    """Return the text of one call, ended: on a line, or on one for each keyword when that is long."""
    words = [str(one) if isinstance(one, Raw) else cmake(one) for one in arguments]
    line = f"{name}({' '.join(words)})\n"
    if len(line) <= _LONG and "\n" not in line[:-1]:
        return line
    parts: list[list[str]] = [[]]
    for argument, word in zip(arguments, words, strict=True):
        if isinstance(argument, Raw) and re.fullmatch(r"[A-Z][A-Z_]+", argument):
            parts.append([])
        parts[-1].append(word)
    return f"{name}(\n" + "".join(f"  {' '.join(part)}\n" for part in parts if part) + ")\n"


def read(text: str) -> Iterator[Call]:
    """Yield the calls of `text`; ValueError when it is not CMake of the kind that `dump` writes.

    References to variables are left as they are written.
    """
    name: str | None = None
    arguments: list[str] | None = None
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise ValueError(f"nothing that CMake reads at character {end}")
        end = match.end()
        if match["space"] is not None:
            continue
        if match["mark"] == "(" and name is not None and arguments is None:
            arguments = []
        elif match["mark"] == ")" and name is not None and arguments is not None:
            yield Call(name, tuple(arguments))
            name = arguments = None
        elif match["mark"]:
            raise ValueError(f"a parenthesis out of place at character {end - 1}")
        elif arguments is not None:
            arguments.append(_meant(match))
        elif name is None and match["word"] is not None:
            name = match["word"]
        else:
            raise ValueError(f"no command at character {match.start()}")
    if name is not None:
        raise ValueError("a closing parenthesis is missing")


def _meant(match: re.Match[str]) -> str:
    if match["bracket"] is not None:
        return match["bracket"]
    text = match["quoted"] if match["quoted"] is not None else match["word"]
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
