"""YAML files as nodes that know their place, and the faults found in them.

Every scalar stays the text that was written. What YAML can do beyond plain data (anchors, aliases, merge keys, tags,
several documents) is refused, and so is what would hurt: a file above 1 MiB, or nesting deeper than 1,000. What a
file means is left to the readers in `definitions`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lode.errors import DefinitionError, Fault, Place

_Parser: Any
try:
    from yaml._yaml import CParser as _Parser  # libyaml: ten times as fast as the pure Python one
except ImportError:  # pragma: no cover - PyYAML's wheels have it
    from yaml import BaseLoader as _Parser

__all__ = [
    "Document",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "closest",
    "compose",
    "kind",
    "meant",
    "misread",
]

LIMIT_BYTES = 1 << 20
LIMIT_DEPTH = 1000  # libyaml's composer recurses on the C stack

_SURROGATE = re.compile(r"\\[uU](?:0000)?[dD][89a-fA-F][0-9a-fA-F]{2}")

_HINTS = (
    ("cannot start any token", "indent with spaces, not tabs; quote a text that begins with @, ` or %"),
    ("scanning a tag", "quote a text that begins with !; inside [...] a comma ends the item"),
    ("block scalar", 'quote a text that begins with > or |: ">=2.4"'),
    ("mapping values are not allowed", "quote a text that contains ': ', and look at the indentation"),
    ("expected <block end>", "lines of one list or mapping begin in the same column"),
    (
        "did not find expected key",
        "lines of one list or mapping begin in the same column; quote texts with quotes in them",
    ),
    ("expected ',' or", "close the bracket, and quote texts that contain brackets, commas or ': '"),
)


class Document:
    """One composed file: its root node, and the faults found in it so far."""

    __slots__ = ("faults", "file", "root", "tables")

    def __init__(self, file: str, root: Node) -> None:
        """Make the document of `file`, the name used in messages."""
        self.file = file
        self.root = root
        self.faults: list[Fault] = []
        self.tables: list[Any] = []  # noted by the readers, for what must hold across a whole file

    def place(self, node: Node, offset: int | None = None) -> Place:
        """Return where `node` begins, or where the character `offset` of its text is, when that is on its line."""
        mark = node.start_mark
        column = mark.column + 1 if offset is None else mark.column + 1 + _shift(node, offset)
        return Place(file=self.file, line=mark.line + 1, column=column)

    def fault(self, node: Node, message: str, *, hint: str | None = None, offset: int | None = None) -> None:
        """Note a fault at `node`, or at the character `offset` of its text."""
        self.faults.append(Fault(message=message, place=self.place(node, offset), hint=hint))

    def finish(self) -> None:
        """Raise a DefinitionError of all faults in the file's order, if there are any."""
        self.tables.clear()  # they refer to this document: without the circle, it goes at once
        if self.faults:
            raise DefinitionError.of(sorted(self.faults, key=lambda fault: fault.place or Place(file=self.file)))


def compose(content: bytes, file: str) -> Document:
    """Return the one document in `content`; DefinitionError when it is not plain, single, bounded UTF-8 YAML."""
    text = _decode(content, file)
    if _may_refer(text):
        _refuse_references(text, file)
    composer = _Composer if _may_be_deep(text) else _ShallowComposer
    try:
        root: Node | None = composer(text).get_single_node()
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from None
    except (_TooDeepError, RecursionError):
        message = f"lists and mappings are nested deeper than {LIMIT_DEPTH:,}"
        raise DefinitionError(message, place=Place(file=file)) from None
    if root is None:
        raise DefinitionError("the file is empty", place=Place(file=file))
    return Document(file, root)


def kind(node: Node) -> str:
    """Return what `node` is, for messages: "a list", "a mapping", "nothing" or "a text"."""
    if type(node) is SequenceNode:
        return "a list"
    if type(node) is MappingNode:
        return "a mapping"
    return "a text" if node.value or getattr(node, "style", None) else "nothing"


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the word of `known` that is closest to `word`, None when none is near."""
    import difflib  # for messages only

    close = difflib.get_close_matches(word[:100], sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def meant(word: str, known: Iterable[str]) -> str | None:
    """Return the hint "did you mean 'x'?" for the word of `known` that is closest to `word`, None when none is near."""
    close = closest(word, known)
    return f"did you mean {close!r}?" if close else None


def misread(text: str) -> str | None:
    """Return what other YAML tools take the unquoted `text` for ("the number 2026.1"), None when for a text.

    The rules are those of YAML 1.1 (yaml.org/type) as PyYAML has them, and the numbers of YAML 1.2's core schema.
    """
    if text[:1] not in _NUMERIC:
        return _WORDS.get(text)
    if text[0] != "." and _DATE.match(text):
        return "a date"
    return _number(text) if _NUMBER_1_1.match(text) or _NUMBER_1_2.fullmatch(text) else None


class _TooDeepError(Exception):
    """Nesting passed the limit."""


class _Composer(_Parser):  # type: ignore[misc]
    """Composes nodes without resolving tags, and counts the depth."""

    depth = 0

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        self.depth += 1
        if self.depth > LIMIT_DEPTH:
            raise _TooDeepError

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""


class _ShallowComposer(_Parser):  # type: ignore[misc]
    """Composes nodes without resolving tags. The hooks are C functions that do nothing: they are called per node."""

    descend_resolver = staticmethod(operator.is_)
    ascend_resolver = staticmethod(bool)
    resolve = staticmethod(slice)


def _may_be_deep(text: str) -> bool:
    """Return False when `text` cannot nest deeper than the limit: each list or mapping needs one of these signs."""
    return sum(map(text.count, "[{:-?")) > LIMIT_DEPTH


def _may_refer(text: str) -> bool:
    """Return False when `text` has no anchor, alias or tag. Some shell texts look like one: the events can tell."""
    for sign in "&*!":
        at = text.find(sign)
        while at >= 0:
            after = text[at + 1 : at + 2]
            if (at == 0 or text[at - 1] in " \t\r\n[{,:") and (
                after.isalnum() or after in "_-" if sign != "!" else not after.isspace()
            ):
                return True
            at = text.find(sign, at + 1)
    return False


def _decode(content: bytes, file: str) -> str:
    if len(content) > LIMIT_BYTES:
        raise DefinitionError("the file is larger than 1 MiB", place=Place(file=file))
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        place = Place(file=file, line=line, column=column)
        hint = "save the file in the encoding UTF-8"
        raise DefinitionError(f"byte {content[error.start]:#04x} is not UTF-8", place=place, hint=hint) from None
    if not hasattr(_Parser, "raw_parse") and (match := _SURROGATE.search(text)):
        raise DefinitionError(f"{match.group()} is half a character", place=Place(file=file))
    return text


def _refuse_references(text: str, file: str) -> None:
    faults = []
    try:
        loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        for event in yaml.parse(text, Loader=loader):
            if (found := _reference(event)) is not None:
                message, hint = found
                mark: Any = event.start_mark
                place = Place(file=file, line=mark.line + 1, column=mark.column + 1)
                faults.append(Fault(message=message, place=place, hint=hint))
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from None
    if faults:
        raise DefinitionError.of(faults)


def _reference(event: Any) -> tuple[str, str] | None:
    if isinstance(event, yaml.AliasEvent):
        return f"the alias *{event.anchor} is refused", "write the value out; quote a text that begins with *"
    if getattr(event, "anchor", None) is not None:
        return f"the anchor &{event.anchor} is refused", "write the value out; quote a text that begins with &"
    if getattr(event, "tag", None) is not None:
        return f"the tag {event.tag} is refused", "leave the tag out; quote a text that begins with !"
    return None


def _syntax_error(error: yaml.YAMLError, file: str) -> DefinitionError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read")
    if getattr(error, "context", None) == "expected a single document in the stream":
        return DefinitionError("the file holds more than one document", place=place, hint="leave only one; no '---'")
    context = getattr(error, "context", None)
    message = f"not YAML: {context}, {problem}" if context else f"not YAML: {problem}"
    hint = next((hint for part, hint in _HINTS if part in message), None)
    return DefinitionError(message, place=place, hint=hint)


def _shift(node: Node, offset: int) -> int:
    if type(node) is not ScalarNode or node.start_mark.line != node.end_mark.line:
        return 0
    return offset if not node.style else offset + 1


def _number(text: str) -> str:
    try:
        value = yaml.safe_load(text) if len(text) <= 40 else None
        if isinstance(value, str):  # a number for YAML 1.2 only
            value = int(text, 0) if text[:2] in ("0x", "0o") else float(text)
    except ValueError:  # 0x, sexagesimal overflow and the like
        value = None
    return "a number" if value is None else f"the number {value}"


_NUMERIC = frozenset("+-.0123456789")  # what a number or a date begins with
_RULES = {tag.rpartition(":")[2]: rule for tag, rule in yaml.SafeLoader.yaml_implicit_resolvers["0"]}
_DATE = _RULES["timestamp"]
_NUMBER_1_1 = re.compile(f"(?x:{_RULES['int'].pattern})|(?x:{_RULES['float'].pattern})")
_NUMBER_1_2 = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS = {
    spelled: meaning
    for words, meaning in (
        ("yes no on off true false", "true or false"),
        ("null", "nothing"),
    )
    for word in words.split()
    for spelled in (word, word.capitalize(), word.upper())
} | {"": "nothing", "~": "nothing", "<<": "a merge key", "=": "a default key"}
