"""Any text as one word, string or comment of another language, so that nothing in it is ever code there.

Each function is total on the texts that its language can hold; a NUL, which files of programs cannot hold, is refused
everywhere with ValueError, and so is a text that is no Unicode (a lone surrogate). What is returned is one line unless
the function says otherwise.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

_SAFE_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}
_LINE_ENDS = {0x85: "\\x85", 0x2028: "\\u2028", 0x2029: "\\u2029"}  # lines for some readers: str.splitlines, YAML 1.1

# Texts that YAML reads as themselves without quotes, but for the words that mean a boolean or nothing.
_PLAIN = re.compile(r"[A-Za-z_/$](?:[A-Za-z0-9_./@=+,%$~^()-]|:(?=[A-Za-z0-9_/]))*(?: [A-Za-z0-9_./@=+,%$~^()-]+)*")
_YAML_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_UNSEEN = re.compile(
    "[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]"
)  # line ends of YAML 1.1 and what it calls not printable
_NOT_LITERAL = re.compile("\\A\\s|[ \\t]\n|[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]|[ \\t]\\Z")


def comment(text: str, mark: str = "#") -> str:
    """Return `text` as comments to the line's end that begin with `mark`: each line of it ended and prefixed."""
    _checked(text)
    lines = [line.translate(_CONTROL).translate(_LINE_ENDS).rstrip() for line in text.split("\n")]
    # a backslash at the end would join the next line on in shell, Tcl and C
    return "".join(f"{mark} {line.rstrip(chr(92))}".rstrip() + "\n" for line in lines)


def python(value: Any) -> str:
    """Return the Python literal of a text, number, boolean, None, or tuple, list or dict of such, in ASCII.

    Texts have double quotes, as Spack's and most formatters write them.
    """
    match value:
        case str():
            return _python_text(value)
        case None | bool() | int():
            return repr(value)
        case tuple():
            inside = ", ".join(python(item) for item in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case list():
            return f"[{', '.join(python(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{python(key)}: {python(item)}' for key, item in value.items())}}}"
        case _:
            raise TypeError(f"no literal for {type(value).__name__}")


def _python_text(text: str) -> str:
    inside = ascii(_checked(text) + "'")[1:-1]  # with an apostrophe inside, ascii() uses double quotes unless both
    if ascii(text + "'")[0] == "'":  # both kinds are inside: apostrophes are escaped, quotes are not
        inside = inside.replace("\\'", "'").replace('"', '\\"')
    return f'"{inside[:-1]}"'


def shell(text: str) -> str:
    """Return `text` as one word of POSIX sh."""
    if _SAFE_WORD.fullmatch(_checked(text)):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def containerfile(text: str) -> str:
    """Return `text` as one value of a Containerfile's ENV or LABEL; ValueError for one with control characters.

    Such a value is on one line and variables are replaced in it (docs.docker.com/reference/dockerfile, "Environment
    replacement").
    """
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in _checked(text)):
        raise ValueError(f"a Containerfile cannot hold control characters: {text!r}")
    escaped = re.sub(r'([\\"$])', r"\\\1", text)
    return f'"{escaped}"'


def tcl(text: str) -> str:
    """Return `text` as one word of Tcl, in ASCII: double quotes with everything special escaped."""
    return f'"{_escaped(text, specials=r"$[]{};#", short="uU")}"'


def scheme(text: str) -> str:
    """Return `text` as a string of Scheme (R7RS, Guile), in ASCII."""
    parts = []
    for letter in _checked(text):
        code = ord(letter)
        if letter in '\\"':
            parts.append(f"\\{letter}")
        elif letter == "\n":
            parts.append("\\n")
        elif code < 32 or code == 127:
            parts.append(f"\\x{code:02x}")
        elif code > 0xFFFF:
            parts.append(f"\\U{code:06x}")
        elif code > 126:
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(letter)
    return f'"{"".join(parts)}"'


def cmake(text: str) -> str:
    """Return `text` as one argument of CMake: a bracket argument when it has anything special, maybe on many lines.

    A bracket argument replaces nothing; its length is chosen so that the text cannot close it. Carriage returns, which
    CMake drops before line ends, are refused with ValueError.
    """
    if re.fullmatch(r"[A-Za-z0-9_+./:-]+", _checked(text)):
        return text
    if "\r" in text:
        raise ValueError(f"CMake cannot hold a carriage return: {text!r}")
    if re.fullmatch(r"[A-Za-z0-9_+=./:,@ %<>-]*", text) and not re.search(r"@[A-Za-z0-9_./+-]*@", text):
        return f'"{text}"'
    level = 0
    while f"]{'=' * level}]" in f"{text}]":
        level += 1
    first = "\n" if text.startswith("\n") else ""  # the first line end after the bracket is dropped
    return f"[{'=' * level}[{first}{text}]{'=' * level}]"


def lua(text: str) -> str:
    """Return `text` as a string of Lua 5.1 and newer: bytes that are not printable ASCII are written as numbers."""
    parts = []
    for byte in _checked(text).encode():
        letter = chr(byte)
        parts.append(f"\\{letter}" if letter in '\\"' else letter if 32 <= byte < 127 else f"\\{byte:03d}")
    return f'"{"".join(parts)}"'


def yaml_document(value: Any) -> str:
    """Return `value` (dicts, lists, texts, whole numbers, booleans, None) as a YAML document, keys as they come.

    Blocks, and literal blocks for texts of many lines; a text that any YAML (1.1, 1.2) might take for something else is
    in double quotes. Ten times as fast as PyYAML, which counts with files of hundreds of packages.
    """
    lines: list[str] = []
    _yaml_block(lines, "", value, 0, after_dash=True)
    return "\n".join(lines) + "\n"


def _yaml_block(lines: list[str], lead: str, value: Any, indent: int, *, after_dash: bool) -> None:
    """Add `value` after `lead`, which a nested block continues after a dash and has below it after a key."""
    if not isinstance(value, dict | list | tuple) or not value:
        lines += f"{lead}{_yaml_scalar(value, indent)}".split("\n")
        return
    pad = " " * indent
    if not after_dash:
        lines.append(lead.rstrip())
        lead = pad
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key is text, not {key!r}")
            _yaml_block(lines, f"{lead}{_yaml_text(key)}: ", item, indent + 2, after_dash=False)
            lead = pad
    else:
        for item in value:
            _yaml_block(lines, f"{lead}- ", item, indent + 2, after_dash=True)
            lead = pad


def _yaml_scalar(value: Any, indent: int) -> str:
    match value:
        case str():
            if "\n" in value.strip("\n") and not _NOT_LITERAL.search(_checked(value)):
                body = value.rstrip("\n")
                ending = "-" if body == value else "" if value == f"{body}\n" else "+"
                pad = " " * max(indent, 2)
                inside = "\n".join(pad + line if line else "" for line in body.split("\n"))
                return f"|{ending}\n{inside}" + "\n" * max(0, len(value) - len(body) - 1)
            return _yaml_text(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            raise TypeError(f"no YAML for {type(value).__name__}")


@lru_cache(maxsize=65536)
def _yaml_text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    quoted = json.dumps(_checked(text), ensure_ascii=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _escaped(text: str, *, specials: str, short: str) -> str:
    parts = []
    for letter in _checked(text):
        code = ord(letter)
        if letter in specials or letter in '\\"':
            parts.append(f"\\{letter}")
        elif letter == "\n":
            parts.append("\\n")
        elif code > 0xFFFF:
            parts.append(f"\\{short[1]}{code:08x}")
        elif code < 32 or code > 126:
            parts.append(f"\\{short[0]}{code:04x}")
        else:
            parts.append(letter)
    return "".join(parts)


def _checked(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"a text with NUL cannot be written: {text!r}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"not Unicode text: {text!r}") from error
    return text
