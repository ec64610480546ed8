"""The shapes of what a definition file holds: what reads a node, checks it, and describes it to others.

A form is a table of keys, each with a shape. The readers get checked values from it and the JSON Schemas are made of
it, so that what is accepted and what is documented cannot drift apart.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lode.definitions.table import Table, refuse, shown
from lode.yamldoc import Document, MappingNode, Node, ScalarNode, SequenceNode, closest, kind, meant, misread


class Shape(Protocol):
    """What a node must look like. `read` notes faults in the document and then returns a stand-in of the same type."""

    def read(self, document: Document, node: Node, label: str) -> Any:
        """Return the value of `node`; `label` is the key that messages name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text. Unquoted, it must be one for every YAML tool: `2026.10` is a number for most."""

    what: str = "a text"
    pattern: re.Pattern[str] | None = None  # the whole text matches
    hint: str | None = None
    lines: bool = False  # may have several lines
    empty: bool = False  # may be ""

    def read(self, document: Document, node: Node, label: str) -> str:
        """Return the text, "" when it is not acceptable."""
        if type(node) is not ScalarNode:
            refuse(document, node, label, self.what, self.hint)
            return ""
        text: str = node.value
        if not node.style and (other := misread(text)) is not None:
            if not text:
                refuse(document, node, label, self.what, self.hint)
            else:
                message = f"{label}: {text} is not quoted: other YAML tools read it as {other}"
                document.fault(node, message, hint=f'write "{text}"')
            return ""
        if (self.pattern is not None and not self.pattern.fullmatch(text)) or (not text and not self.empty):
            document.fault(node, f"{label}: {shown(text)} is not {self.what}", hint=self.hint)
            return ""
        if "\n" in text and not self.lines:
            text = text.rstrip("\n")
            if "\n" in text:
                document.fault(node, f"{label}: must be one line")
                return ""
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    def read(self, document: Document, node: Node, label: str) -> str:
        """Return the word, the first one when it is none of them."""
        if type(node) is ScalarNode and node.value in self.values:
            return str(node.value)
        if type(node) is ScalarNode and node.value:
            hint = meant(node.value, self.values) or f"one of: {', '.join(self.values)}"
            document.fault(node, f"{label}: {shown(node.value)} is not known", hint=hint)
        else:
            refuse(document, node, label, f"one of {', '.join(self.values)}")
        return self.values[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """`true` or `false`, unquoted."""

    def read(self, document: Document, node: Node, label: str) -> bool:
        """Return the flag, False when it is neither."""
        if type(node) is ScalarNode and not node.style and node.value in ("true", "false"):
            return bool(node.value == "true")
        refuse(document, node, label, "true or false")
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An option's value: `true` or `false` unquoted, or else a text."""

    def read(self, document: Document, node: Node, label: str) -> str:
        """Return the value's text, "" when it is not acceptable."""
        if type(node) is ScalarNode and not node.style and node.value in ("true", "false"):
            return str(node.value)
        return _WORD.read(document, node, label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A whole number in decimal digits."""

    minimum: int = 0
    maximum: int = (1 << 53) - 1  # what every JSON reader keeps exactly

    def read(self, document: Document, node: Node, label: str) -> int:
        """Return the number, the smallest one when it is none or outside the limits."""
        if type(node) is ScalarNode and not node.style and re.fullmatch(r"0|-?[1-9][0-9]{0,15}", node.value):
            number = int(node.value)
            if self.minimum <= number <= self.maximum:
                return number
            document.fault(node, f"{label}: {number} is not between {self.minimum} and {self.maximum}")
        else:
            refuse(document, node, label, "a whole number")
        return self.minimum


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimals:
    """A number of zero or more, kept as it was written; quoted or not."""

    def read(self, document: Document, node: Node, label: str) -> str:
        """Return the number's text, "0" when it is none."""
        if type(node) is ScalarNode and re.fullmatch(r"[0-9.]{1,40}(?:[eE][-+]?[0-9]{1,3})?", node.value):
            with contextlib.suppress(ValueError):
                float(node.value)
                return str(node.value)
        refuse(document, node, label, "a number of zero or more")
        return "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """A day as `2026-11-30`, quoted or not."""

    def read(self, document: Document, node: Node, label: str) -> str:
        """Return the day's text, "1970-01-01" when it is none."""
        if type(node) is ScalarNode and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", node.value):
            try:
                datetime.date.fromisoformat(node.value)
            except ValueError:
                document.fault(node, f"{label}: {node.value} is not a day of the calendar")
            else:
                return str(node.value)
        else:
            refuse(document, node, label, "a date such as 2026-11-30")
        return "1970-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape
    minimum: int = 0
    distinct: bool = False  # no text twice
    single: bool = False  # one value may stand without brackets

    def read(self, document: Document, node: Node, label: str) -> tuple[Any, ...]:
        """Return the values in order, () when it is no list."""
        if type(node) is not SequenceNode:
            if self.single and type(node) is ScalarNode:
                return (self.item.read(document, node, label),)
            hint = "write [] for an empty list" if kind(node) == "nothing" else "write [a, b] or one '- item' a line"
            refuse(document, node, label, "a list", hint)
            return ()
        values = tuple([self.item.read(document, item, label) for item in node.value])
        if len(values) < self.minimum:
            needed = f"needs {self.minimum} items or more, has {len(values)}" if values else "is empty"
            document.fault(node, f"{label}: the list {needed}")
        if self.distinct and len(set(values)) < len(values):
            for index, value in enumerate(values):
                if value and value in values[:index]:
                    document.fault(node.value[index], f"{label}: {shown(value)} is listed twice")
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOf:
    """A mapping with the keys of a form."""

    form: Form

    def read(self, document: Document, node: Node, label: str) -> Table:
        """Return the table, one of stand-ins when it is no mapping."""
        return read_table(document, node, self.form, label)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """A mapping whose keys are free names of one kind."""

    key: Text
    value: Shape

    def read(self, document: Document, node: Node, label: str) -> tuple[tuple[Node, str, Any], ...]:
        """Return key nodes, keys and values in the file's order, () when it is no mapping."""
        if type(node) is not MappingNode:
            refuse(document, node, label, "a mapping")
            return ()
        entries: dict[str, tuple[Node, str, Any]] = {}
        for key_node, value_node in node.value:
            key = self.key.read(document, key_node, label)
            value = self.value.read(document, value_node, key or label)
            if key in entries:
                _refuse_twice(document, key_node, key, entries[key][0])
            elif key:
                entries[key] = (key_node, key, value)
        return tuple(entries.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """A table, or else a value of the other shape."""

    scalar: Shape
    table: TableOf

    def read(self, document: Document, node: Node, label: str) -> Any:
        """Return the value of whichever shape the node is written in."""
        shape: Shape = self.table if type(node) is MappingNode else self.scalar
        return shape.read(document, node, label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a form: its shape, what it means, whether it must be there, and its value when it is not."""

    shape: Shape
    summary: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The keys of a mapping. `exactly_one` names keys of which one must be given, and one only."""

    title: str
    keys: Mapping[str, Key]
    exactly_one: tuple[str, ...] = ()
    required: tuple[str, ...] = field(init=False, default=())
    defaults: Mapping[str, Any] = field(init=False, default_factory=dict)
    readers: Mapping[str, Callable[[Document, Node, str], Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Note what every reading asks for."""
        object.__setattr__(self, "required", tuple(name for name, key in self.keys.items() if key.required))
        object.__setattr__(self, "defaults", {name: key.default for name, key in self.keys.items()})
        object.__setattr__(self, "readers", {name: key.shape.read for name, key in self.keys.items()})


def read_table(document: Document, node: Node, form: Form, label: str) -> Table:
    """Return the table that `node` spells by `form`; unknown, doubled and missing keys are noted as faults."""
    table = Table(document, node, form)
    document.tables.append(table)
    if type(node) is not MappingNode:
        refuse(document, node, label, f"a mapping ({', '.join(form.keys)})")
        return table
    nodes, values, readers = table.nodes, table.values, form.readers
    guessed: list[str] = []
    for key_node, value_node in node.value:
        key = key_node.value if type(key_node) is ScalarNode else ""
        reader = readers.get(key)
        if reader is None:
            guessed += _refuse_key(document, key_node, form)
        elif key in nodes:
            first = next(one for one, _ in node.value if one.value == key)
            _refuse_twice(document, key_node, key, first)
        else:
            nodes[key] = value_node
            values[key] = reader(document, value_node, key)
    for key in form.required:
        if key not in nodes and key not in guessed:
            hint = f"{key}: {form.keys[key].summary}"
            document.fault(node, f"{form.title}: the key {key!r} is missing", hint=hint)
    if form.exactly_one:
        _require_one(document, table, guessed)
    return table


_WORD = Text(what="true, false or a value")


def _refuse_key(document: Document, key_node: Node, form: Form) -> list[str]:
    """Note the fault of a key that the form does not have; return the key that was probably meant."""
    if type(key_node) is not ScalarNode:
        document.fault(key_node, f"{form.title}: a key is a word, found {kind(key_node)}")
    elif key_node.value == "<<":
        document.fault(key_node, f"{form.title}: the merge key << is refused", hint="write the keys out")
    else:
        close = closest(key_node.value, form.keys)
        hint = f"did you mean {close!r}?" if close else f"the keys are: {', '.join(form.keys)}"
        document.fault(key_node, f"{form.title}: unknown key {shown(key_node.value)}", hint=hint)
        return [close] if close else []
    return []


def _refuse_twice(document: Document, key_node: Node, key: str, first: Node) -> None:
    line = first.start_mark.line + 1
    document.fault(key_node, f"the key {key!r} is given twice", hint=f"the first one is in line {line}")


def _require_one(document: Document, table: Table, guessed: Sequence[str]) -> None:
    given = [key for key in table.form.exactly_one if key in table.nodes]
    if len(given) != 1 and not any(key in table.form.exactly_one for key in guessed):
        choice = ", ".join(table.form.exactly_one)
        found = f"has {' and '.join(given)}" if given else "has none"
        document.fault(table.node, f"{table.form.title}: exactly one of {choice} is needed, this one {found}")
