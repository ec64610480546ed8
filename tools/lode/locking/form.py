"""The forms of values in a lock file: how each is written as JSON and read back, refusing all that is not exactly so.

Forms are explicit: a field added to a dataclass appears in the file only when its record here says so. Decoding is on
the path of almost every command, so that forms are closures and a path is put together only for a fault.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lode.digest import Digest

Step = str | int  # a key of an object or an index of an array


class Misfit(Exception):  # caught by the lock file's reader, which knows the file
    """Something in a document does not have the form it must have."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Make a misfit at the root; the forms around it add the steps that lead there."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.steps: list[Step] = []

    @property
    def path(self) -> str:
        """Return where it is, `nodes[3].sources[0].sha256`; empty at the root."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(self.steps))
        return text.removeprefix(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a value is written and read."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]  # raises Misfit


def _plain(kind: type, name: str) -> Form:
    def decode(value: Any) -> Any:
        if type(value) is not kind:
            raise Misfit(f"must be {name}, not {_spell(value)}")
        return value

    return Form(encode=lambda value: value, decode=decode)


TEXT = _plain(str, "text")
NUMBER = _plain(int, "a whole number")
SWITCH = _plain(bool, "true or false")


def converted(convert: Callable[[str], Any], name: str) -> Form:
    """Return the form of a text that `convert` turns into a value (ValueError when it cannot)."""

    def decode(value: Any) -> Any:
        if type(value) is not str:
            raise Misfit(f"must be {name}, not {_spell(value)}")
        try:
            return convert(value)
        except ValueError as error:
            raise Misfit(f"must be {name}, not {_spell(value)}") from error

    return Form(encode=str, decode=decode)


DIGEST = converted(Digest, "a sha256 in hexadecimal")


def choice(values: type[StrEnum]) -> Form:
    """Return the form of a member of `values`, written as its value."""
    return converted(values, "one of " + ", ".join(values))


def optional(form: Form) -> Form:
    """Return the form of a value of `form`, or null."""
    inner_encode, inner_decode = form.encode, form.decode
    return Form(
        encode=lambda value: None if value is None else inner_encode(value),
        decode=lambda value: None if value is None else inner_decode(value),
    )


def array(form: Form) -> Form:
    """Return the form of a tuple whose items have `form`."""
    inner_encode, inner_decode = form.encode, form.decode

    def decode(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Misfit(f"must be a list, not {_spell(value)}")
        items: list[Any] = []
        try:
            for item in value:
                items.append(inner_decode(item))
        except Misfit as misfit:
            misfit.steps.append(len(items))
            raise
        return tuple(items)

    return Form(encode=lambda value: [inner_encode(item) for item in value], decode=decode)


def pairs(form: Form) -> Form:
    """Return the form of a tuple of (text, value) pairs whose order counts, written as two-item lists."""
    inner_encode, inner_decode = form.encode, form.decode

    def decode_pair(value: Any) -> tuple[str, Any]:
        if type(value) is not list or len(value) != 2 or type(value[0]) is not str:
            raise Misfit(f"must be a list of a name and a value, not {_spell(value)}")
        return value[0], inner_decode(value[1])

    return array(Form(encode=lambda pair: [pair[0], inner_encode(pair[1])], decode=decode_pair))


def mapping(form: Form) -> Form:
    """Return the form of a mapping from text to values of `form`."""
    inner_encode, inner_decode = form.encode, form.decode

    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Misfit(f"must be an object, not {_spell(value)}")
        result = {}
        for key, item in value.items():
            try:
                result[key] = inner_decode(item)
            except Misfit as misfit:
                misfit.steps.append(key)
                raise
        return result

    return Form(encode=lambda value: {key: inner_encode(value[key]) for key in value}, decode=decode)


def record(cls: type, /, *, spare: str = "", **fields: Form) -> Form:
    """Return the form of a `cls`: an object with exactly the keys of `fields`.

    `spare` is the one text field that is written only when it is not empty, as most values have none.
    """
    encoders = [(name, form.encode) for name, form in fields.items()]
    decoders = [(name, form.decode) for name, form in fields.items()]
    expected = frozenset(fields)

    def encode(value: Any) -> dict[str, Any]:
        document = {name: inner(getattr(value, name)) for name, inner in encoders}
        if spare and not document[spare]:
            del document[spare]
        return document

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit(f"must be an object, not {_spell(value)}")
        if spare and spare not in value:
            value = {**value, spare: ""}
        if value.keys() != expected:
            _refuse_keys(value, expected)
        name = ""
        result = {}
        try:
            for name, inner in decoders:
                result[name] = inner(value[name])
        except Misfit as misfit:
            misfit.steps.append(name)
            raise
        return cls(**result)

    return Form(encode=encode, decode=decode)


def _refuse_keys(value: Mapping[str, Any], expected: frozenset[str]) -> None:
    unknown = sorted(value.keys() - expected)
    missing = sorted(expected - value.keys())
    name = (unknown or missing)[0]
    misfit = Misfit("is not a field of this lock format" if unknown else "is missing")
    if unknown:
        near = difflib.get_close_matches(name, missing or sorted(expected), n=1)
        misfit.hint = f"did you mean {near[0]!r}?" if near else None
    misfit.steps.append(name)
    raise misfit


def _spell(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            text = repr(value)
            return text if len(text) <= 60 else f"{text[:57]}…"
