"""A mapping read by its form: checked values by key, and where they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lode.errors import Place
from lode.yamldoc import Document, Node, kind

if TYPE_CHECKING:
    from lode.definitions.shape import Form

Value = TypeVar("Value")


class Table:
    """A mapping read by its form: checked values by key, and where they are written."""

    __slots__ = ("document", "form", "node", "nodes", "values")

    def __init__(self, document: Document, node: Node, form: Form) -> None:
        """Make an empty table, whose every value is the default."""
        self.document = document
        self.node = node
        self.form = form
        self.values: dict[str, Any] = dict(form.defaults)
        self.nodes: dict[str, Node] = {}

    def __contains__(self, key: str) -> bool:
        """Return whether `key` is written."""
        return key in self.nodes

    def place(self, key: str | None = None) -> Place:
        """Return where the value of `key`, or else the table, begins."""
        return self.document.place(self.nodes.get(key, self.node) if key else self.node)

    def fault(self, key: str | None, message: str, *, hint: str | None = None, offset: int | None = None) -> None:
        """Note a fault at the value of `key`, or at the table when that is None or not written."""
        node = self.nodes.get(key, self.node) if key else self.node
        self.document.fault(node, message, hint=hint, offset=offset)

    def get(self, key: str) -> Any:
        """Return the value of `key` or its default; KeyError when the form has no such key."""
        return self.values[key]

    def text(self, key: str) -> str:
        """Return the text of `key`, its default, or "" when there is none."""
        return self.values[key] or ""

    def optional(self, key: str) -> str | None:
        """Return the text of `key`, or None when it is not written."""
        return self.values[key] or None

    def flag(self, key: str) -> bool:
        """Return the flag of `key` or its default."""
        return bool(self.get(key))

    def integer(self, key: str) -> int | None:
        """Return the number of `key` or its default."""
        number: int | None = self.get(key)
        return number

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts listed under `key` in the file's order."""
        return self.values[key] or ()

    def table(self, key: str) -> Table:
        """Return the table of `key`, an empty one when it is not written."""
        value = self.get(key)
        if value is None:
            shape = self.form.keys[key].shape
            value = Table(self.document, self.node, shape.form)  # type: ignore[attr-defined]
        table: Table = value
        return table

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the tables listed under `key`."""
        return self.values[key] or ()

    def items(self, key: str) -> tuple[tuple[Node, Any], ...]:
        """Return the nodes and values listed under `key`: texts, or tables where the shape admits both."""
        values = self.get(key)
        return tuple(zip(self.nodes[key].value, values, strict=True)) if values else ()

    def named(self, key: str) -> tuple[tuple[Node, str, Any], ...]:
        """Return key nodes, keys and values of the mapping under `key`, sorted by key."""
        return tuple(sorted(self.values[key] or (), key=lambda entry: entry[1]))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return keys and texts of the mapping under `key`, sorted by key."""
        return tuple(sorted((name, value) for _, name, value in self.values[key] or ()))

    def parse(self, key: str, parser: Callable[[str], Value], fallback: Value) -> Value:
        """Return what `parser` makes of the text of `key`, `fallback` when it is not written or a fault was noted."""
        if key not in self.nodes or not (text := self.text(key)):
            return fallback
        return parse(self.document, self.nodes[key], key, text, parser, fallback)


def parse(
    document: Document, node: Node, label: str, text: str, parser: Callable[[str], Value], fallback: Value
) -> Value:
    """Return what `parser` makes of `text`; its ValueError becomes a fault.

    The error may carry `offset`, the faulty character of the text, and `hint`.
    """
    try:
        return parser(text)
    except ValueError as error:
        hint, offset = getattr(error, "hint", None), getattr(error, "offset", 0)
        document.fault(node, f"{label}: {error}", hint=hint, offset=offset)
        return fallback


def shown(text: str) -> str:
    """Return `text` as messages show it: quoted, control characters escaped, cut at 60 characters."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def refuse(document: Document, node: Node, label: str, wanted: str, hint: str | None = None) -> None:
    """Note that something else than `wanted` was found at `node`."""
    found = kind(node)
    if found == "a text":
        found = shown(node.value)
    document.fault(node, f"{label}: expected {wanted}, found {found}", hint=hint)
