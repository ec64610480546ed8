"""Any text as one word, string or comment of another language, so that nothing in it is ever code there.

Each function is total on the texts that its language can hold; a NUL, which files of programs cannot hold, is refused
everywhere with ValueError, and so is a text that is no Unicode (a lone surrogate). What is returned is one line unless
the function says otherwise.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml
from yaml.resolver import Resolver

_SAFE_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_SCHEME = re.compile(r"[^ !#-\[\]-~]")  # what is not printable ASCII, and what means something in a string
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}
_LINE_ENDS = {0x85: "\\x85", 0x2028: "\\u2028", 0x2029: "\\u2029"}  # lines for some readers: str.splitlines, YAML 1.1

# Texts that YAML reads as themselves without quotes, but for the words that mean a boolean or nothing.
_PLAIN = re.compile(r"[A-Za-z_/$](?:[A-Za-z0-9_./@=+,%$~^()-]|:(?=[A-Za-z0-9_/]))*(?: [A-Za-z0-9_./@=+,%$~^()-]+)*")
_YAML_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
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


@lru_cache(maxsize=65536)
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
    return f'"{_SCHEME.sub(_in_scheme, _checked(text))}"'


def _in_scheme(match: re.Match[str]) -> str:
    letter = match[0]
    code = ord(letter)
    if letter in '\\"':
        return f"\\{letter}"
    if letter == "\n":
        return "\\n"
    if code < 32 or code == 127:
        return f"\\x{code:02x}"
    return f"\\U{code:06x}" if code > 0xFFFF else f"\\u{code:04x}"


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
    in double quotes. TypeError for anything else.
    """
    text: str = yaml.dump(value, Dumper=_Yaml, sort_keys=False, allow_unicode=True, width=1 << 30)
    return text


_MAP, _LIST, _TEXT = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:str"


class _Yaml(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # the same, and faster in C
    """Writes the values that `yaml_document` takes, each the way it says; a value that is there twice, twice."""

    def represent_data(self, data: Any) -> yaml.Node:
        """Return the node of a value."""
        match data:
            case str():
                return yaml.ScalarNode(_TEXT, str(data), style=_style(data))
            case dict():
                pairs = [(self._key(key), self.represent_data(item)) for key, item in data.items()]
                return yaml.MappingNode(_MAP, pairs, flow_style=False)
            case list() | tuple():
                return yaml.SequenceNode(_LIST, [self.represent_data(item) for item in data], flow_style=False)
            case None | bool() | int():
                node: yaml.Node = super().represent_data(data)
                return node
            case _:
                raise TypeError(f"no YAML for {type(data).__name__}")

    def _key(self, key: Any) -> yaml.Node:
        if not isinstance(key, str):
            raise TypeError(f"a key is text, not {key!r}")
        return self.represent_data(key)

    def descend_resolver(self, *_: Any) -> None:
        """Leave tags by path alone: there are none."""

    def ascend_resolver(self) -> None:
        """Leave tags by path alone: there are none."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return the tag that a reader gives a node without one; `implicit`: in plain style, in quotes."""
        if kind is not yaml.ScalarNode:
            return _MAP if kind is yaml.MappingNode else _LIST
        return _plain_tag(value) if implicit[0] else _TEXT


@lru_cache(maxsize=65536)
def _plain_tag(text: str) -> str:
    """Return the tag that YAML gives a plain text."""
    tag: str = Resolver().resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


@lru_cache(maxsize=65536)
def _style(text: str) -> str | None:
    """Return how YAML writes a text: plain, a literal block, or double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return None
    if "\n" in _checked(text).strip("\n") and not _NOT_LITERAL.search(text):
        return "|"
    return '"'


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
