"""The expressions of GitHub's workflows, as far as ours use them.

After https://docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions: `&&` and `||` give one
of their sides, texts are compared without regard to case, and a name that there is not is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<sign>&&|\|\||==|!=|[!(),])|'(?P<text>(?:[^']|'')*)'|(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*))"
)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(?:success|failure|always|cancelled)\s*\(")

Functions = Mapping[str, Callable[..., Any]]


class _Reader:
    """Reads one expression, by recursive descent."""

    def __init__(self, text: str, contexts: Mapping[str, Any], functions: Functions) -> None:
        self.contexts, self.functions = contexts, functions
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            assert match is not None, f"not an expression: {text!r}"
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self.tokens.append(("end", ""))

    def takes(self, *signs: str) -> str:
        kind, text = self.tokens[0]
        if kind == "sign" and text in signs:
            del self.tokens[0]
            return text
        return ""

    def either(self) -> Any:
        value = self.both()
        while self.takes("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.equal()
        while self.takes("&&"):
            other = self.equal()
            value = value and other
        return value

    def equal(self) -> Any:
        value = self.single()
        while sign := self.takes("==", "!="):
            value = (_loose(value) == _loose(self.single())) == (sign == "==")
        return value

    def single(self) -> Any:
        if self.takes("!"):
            return not self.single()
        if self.takes("("):
            value = self.either()
            assert self.takes(")")
            return value
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return text.replace("''", "'")
        assert kind == "name", f"unexpected {text!r}"
        if self.takes("("):
            given = []
            while not self.takes(")"):
                given.append(self.either())
                self.takes(",")
            return self.functions[text](*given)
        return {"true": True, "false": False, "null": None}.get(text, self.named(text))

    def named(self, text: str) -> Any:
        value: Any = self.contexts
        for part in text.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def _loose(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def value_of(text: str, contexts: Mapping[str, Any], functions: Functions) -> Any:
    """Return the value of the expression `text`, which stands without `${{` and `}}`."""
    reader = _Reader(text, contexts, {"fromJSON": json.loads, **functions})
    value = reader.either()
    assert reader.tokens == [("end", "")], f"{text!r} goes on after its end"
    return value


def said(value: Any, contexts: Mapping[str, Any]) -> Any:
    """Return a value of a workflow with the expressions in all its texts replaced; one that is a whole text stays."""
    if isinstance(value, Mapping):
        return {key: said(one, contexts) for key, one in value.items()}
    if isinstance(value, list):
        return [said(one, contexts) for one in value]
    if not isinstance(value, str):
        return value
    whole = _EXPRESSION.fullmatch(value.strip())
    if whole and "${{" not in whole[1]:
        return value_of(whole[1], contexts, {})
    return _EXPRESSION.sub(lambda match: as_text(value_of(match[1], contexts, {})), value)


def as_text(value: Any) -> str:
    """Return a value as GitHub writes it into a text."""
    return {True: "true", False: "false", None: ""}.get(value, str(value)) if not isinstance(value, str) else value


def holds(condition: Any, contexts: Mapping[str, Any], functions: Functions) -> bool:
    """Return whether an `if:` holds; without a function that asks for the status, all before must have succeeded."""
    text = as_text(condition) if condition is not None else "success()"
    whole = _EXPRESSION.fullmatch(text.strip())
    text = whole[1] if whole else text
    if not _STATUS.search(text):
        text = f"success() && ({text})"
    return bool(value_of(text, contexts, functions))
