"""JSON Schemas (draft 2020-12) of the definition files, made of the same forms that the readers use.

For editors, which check and complete while a file is written, and for other tools. What a schema cannot say (names
that must agree, options that must exist) is left to the readers.
"""

from __future__ import annotations

from typing import Any

from lode.definitions.read_repository import REPOSITORY
from lode.definitions.recipe_forms import RECIPE
from lode.definitions.shape import (
    AnyOf,
    Choice,
    Date,
    Decimals,
    Flag,
    Form,
    Integer,
    Key,
    ListOf,
    MapOf,
    Setting,
    Shape,
    TableOf,
    Text,
)
from lode.definitions.stack_forms import COLLECTION, STACK, TARGET
from lode.definitions.trust_forms import TRUST

FILES = {
    "recipe": RECIPE,
    "stack": STACK,
    "target": TARGET,
    "collection": COLLECTION,
    "trust": TRUST,
    "repository": REPOSITORY,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind of file: `recipe`, `stack`, `target`, `collection`, `trust`, `repository`."""
    return {name: schema(form) for name, form in FILES.items()}


def schema(form: Form) -> dict[str, Any]:
    """Return the schema of a file with the keys of `form`; the forms inside it are its definitions, by title."""
    definitions: dict[str, Any] = {}
    own = _form(form, definitions)
    document = {"$schema": DIALECT, "$id": f"urn:lode:{form.title}:1", "title": f"Lode {form.title}", **own}
    if definitions:
        document["$defs"] = dict(sorted(definitions.items()))
    return document


def _form(form: Form, definitions: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "object",
        "properties": {name: _key(key, definitions) for name, key in form.keys.items()},
        "additionalProperties": False,
    }
    if form.required:
        document["required"] = list(form.required)
    if form.exactly_one:
        document["oneOf"] = [{"required": [name]} for name in form.exactly_one]
    return document


def _key(key: Key, definitions: dict[str, Any]) -> dict[str, Any]:
    document = {"description": key.summary, **_shape(key.shape, definitions)}
    if key.default not in (None, ()):
        document["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
    return document


def _shape(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case Text():
            return _text(shape)
        case Choice():
            return {"enum": [str(value) for value in shape.values]}
        case Flag():
            return {"type": "boolean"}
        case Setting():
            return {"type": ["boolean", "string"]}
        case Integer():
            return {"type": "integer", "minimum": shape.minimum, "maximum": shape.maximum}
        case Decimals():
            return {
                "anyOf": [
                    {"type": "number", "minimum": 0},
                    {"type": "string", "pattern": "^[0-9.]+([eE][-+]?[0-9]+)?$"},
                ]
            }
        case Date():
            return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case ListOf():
            return _list(shape, definitions)
        case TableOf():
            return _reference(shape.form, definitions)
        case MapOf():
            return {
                "type": "object",
                "propertyNames": _text(shape.key),
                "additionalProperties": _shape(shape.value, definitions),
            }
        case AnyOf():
            return {"anyOf": [_shape(shape.scalar, definitions), _shape(shape.table, definitions)]}
    raise TypeError(f"no schema for {shape!r}")


def _text(shape: Text) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "string"}
    if shape.pattern is not None:
        document["pattern"] = f"^(?:{shape.pattern.pattern})$"
    elif not shape.empty:
        document["minLength"] = 1
    return document


def _list(shape: ListOf, definitions: dict[str, Any]) -> dict[str, Any]:
    item = _shape(shape.item, definitions)
    document: dict[str, Any] = {"type": "array", "items": item}
    if shape.minimum:
        document["minItems"] = shape.minimum
    if shape.distinct:
        document["uniqueItems"] = True
    return {"anyOf": [item, document]} if shape.single else document


def _reference(form: Form, definitions: dict[str, Any]) -> dict[str, Any]:
    if form.title not in definitions:
        definitions[form.title] = {}  # its place, should it refer to itself
        definitions[form.title] = _form(form, definitions)
    return {"$ref": f"#/$defs/{form.title}"}
