"""Physics numbers: reading what a test wrote and the committed references, and comparing the two.

A reference file is a JSON object, name to `{"value", "unit", "source"}` with optional `"tolerance"` (relative, in
place of the test's own) and `"absolute"` (a difference that is always allowed, for references at or near zero).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lode.errors import DefinitionError, Fault, Place
from lode.testing.results import Number

_REQUIRED = ("value", "unit", "source")
_OPTIONAL = ("tolerance", "absolute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One committed number; `tolerance` None means the test's own."""

    value: float
    unit: str
    source: str
    tolerance: float | None = None
    absolute: float = 0.0


class NumbersError(ValueError):
    """What a test wrote is not one JSON object of numbers; the text says why."""


def read_references(content: bytes, file: str) -> dict[str, Reference]:
    """Return the references in `content` by name; DefinitionError with every fault of the file if it has any."""
    try:
        document = _object(content)
    except NumbersError as error:
        raise DefinitionError(f"the reference file {error}", place=Place(file=file), hint=_HINT) from error
    faults = [
        Fault(message=f"the reference '{name}' {reason}", place=Place(file=file), hint=_HINT)
        for name, entry in document.items()
        for reason in _faults(entry)
    ]
    if faults:
        raise DefinitionError.of(faults)
    return {
        name: Reference(
            value=float(entry["value"]),
            unit=entry["unit"],
            source=entry["source"],
            tolerance=None if "tolerance" not in entry else float(entry["tolerance"]),
            absolute=float(entry.get("absolute", 0.0)),
        )
        for name, entry in document.items()
    }


def write_references(numbers: tuple[Number, ...], default_tolerance: float) -> bytes:
    """Return a reference file that the numbers just written would meet, for review; those without a value are left out.

    Units, sources and tolerances are kept; a number without a reference gets empty ones, to be filled in by a person.
    """
    document: dict[str, dict[str, Any]] = {}
    for number in numbers:
        if number.value is None or not math.isfinite(number.value):
            continue
        entry: dict[str, Any] = {"value": number.value, "unit": number.unit, "source": number.source}
        if number.reference is not None and number.tolerance != default_tolerance:
            entry["tolerance"] = number.tolerance
        if number.absolute:
            entry["absolute"] = number.absolute
        document[number.name] = entry
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_numbers(content: bytes) -> dict[str, float]:
    """Return the numbers that a test wrote, by name; NumbersError unless it is one JSON object of numbers.

    NaN and the infinities are let through: `compare` refuses each with its name.
    """
    document = _object(content)
    for name, value in document.items():
        if not _is_number(value):
            raise NumbersError(f"has {json.dumps(value)[:40]} under '{name}', not a number")
    return {name: _float(value) for name, value in document.items()}


def compare(written: Mapping[str, float], references: Mapping[str, Reference], tolerance: float) -> tuple[Number, ...]:
    """Return every number that was written or expected, sorted by name, each with what is wrong with it.

    A number agrees if it differs from its reference by at most tolerance times the reference, or by at most the
    reference's `absolute`.
    """
    return tuple(
        _compare(name, written.get(name), references.get(name), tolerance) for name in sorted({*written, *references})
    )


def _compare(name: str, value: float | None, reference: Reference | None, tolerance: float) -> Number:
    if reference is None:
        return Number(
            name=name, value=value, reference=None, unit="", source="", tolerance=tolerance, absolute=0.0,
            message=f"{name} is {value:.9g}, but the reference file does not have it",
        )  # fmt: skip
    applied = tolerance if reference.tolerance is None else reference.tolerance
    return Number(
        name=name,
        value=value,
        reference=reference.value,
        unit=reference.unit,
        source=reference.source,
        tolerance=applied,
        absolute=reference.absolute,
        message=_difference(name, value, reference, applied),
    )


def _difference(name: str, value: float | None, reference: Reference, tolerance: float) -> str:
    unit = f" {reference.unit}" if reference.unit else ""
    expected = f"the reference is {reference.value:.9g}{unit}"
    if value is None:
        return f"{name} was not written; {expected}"
    if not math.isfinite(value):
        return f"{name} is {value}, not a finite number; {expected}"
    difference = abs(value - reference.value)
    if difference <= max(tolerance * abs(reference.value), reference.absolute):
        return ""
    relative = f"{difference / abs(reference.value):.3g} relative" if reference.value else f"{difference:.3g} absolute"
    allowed = f"{tolerance:.3g} relative" + (f" or {reference.absolute:.3g} absolute" if reference.absolute else "")
    return f"{name} is {value:.9g}{unit}, {expected}: they differ by {relative}, {allowed} is allowed"


_HINT = 'each entry is {"value": 1.23, "unit": "…", "source": "…"} with optional "tolerance" and "absolute"'


def _faults(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return ["is not an object"]
    missing = [f"lacks '{key}'" for key in _REQUIRED if key not in entry]
    unknown = [f"has the unknown key '{key}'" for key in entry if key not in (*_REQUIRED, *_OPTIONAL)]
    checks: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
        ("value", lambda value: _is_number(value) and math.isfinite(_float(value)), "a finite number"),
        ("tolerance", lambda value: _is_number(value) and 0 <= _float(value) < math.inf, "a number of at least 0"),
        ("absolute", lambda value: _is_number(value) and 0 <= _float(value) < math.inf, "a number of at least 0"),
        ("unit", lambda value: isinstance(value, str), "a text"),
        ("source", lambda value: isinstance(value, str), "a text"),
    )
    wrong = [
        f"has a '{key}' that is not {what}" for key, holds, what in checks if key in entry and not holds(entry[key])
    ]
    return missing + unknown + wrong


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content, object_pairs_hook=_unique)
    except NumbersError:
        raise
    except (ValueError, RecursionError) as error:
        raise NumbersError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise NumbersError("is not a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            raise NumbersError(f"has '{name}' twice")
        document[name] = value
    return document


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
