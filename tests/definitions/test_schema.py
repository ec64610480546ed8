"""The schemas say what the readers accept."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from tests.definitions import test_read_recipe, test_read_stack, test_read_target
from tests.definitions.writing import recipe, stack, target

from lode import yamldoc
from lode.definitions import read_recipe, read_stack, read_target, recipe_forms, schema, shape, stack_forms
from lode.definitions.catalogue import Catalogue
from lode.errors import DefinitionError
from lode.yamldoc import MappingNode, Node, ScalarNode

ROOT = Path(__file__).parents[2]
SCHEMAS = schema.schemas()
READERS = {"recipe": read_recipe.read, "stack": read_stack.read, "target": read_target.read}
FULL = {
    "recipe": recipe(*test_read_recipe.FULL),
    "stack": stack(*test_read_stack.FULL),
    "target": target(*test_read_target.FULL),
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "tools" / "make_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(node: Node) -> Any:
    """Return `node` as an editor sees it: YAML 1.2's core schema."""
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if not isinstance(node, ScalarNode):
        return [plain(item) for item in node.value]
    if not node.style:
        if node.value in ("true", "false"):
            return node.value == "true"
        if re.fullmatch(r"[-+]?[0-9]+", node.value):
            return int(node.value)
        if re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", node.value):
            return float(node.value) if node.value.count(".") < 2 else node.value
        if node.value in ("", "~", "null"):
            return None
    return node.value


def errors(kind: str, content: bytes) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMAS[kind])
    return [error.message for error in validator.iter_errors(plain(yamldoc.compose(content, "f").root))]


def test_schemas_are_what_the_script_writes(script: ModuleType) -> None:
    for name, text in script.files().items():
        assert (script.FOLDER / name).read_text() == text, f"{name} is out of date: run tools/make_schemas.py"
    assert script.main(["--check"]) == 0


def test_script_tells_and_mends_a_schema_out_of_date(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "FOLDER", tmp_path / "schemas")
    assert script.main(["--check"]) == 1
    assert '+  "title": "Lode recipe",' in capsys.readouterr().out
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("kind", FULL)
def test_file_with_every_key_is_valid_for_reader_and_schema(kind: str) -> None:
    READERS[kind](FULL[kind], file="f")
    assert errors(kind, FULL[kind]) == []


@pytest.mark.parametrize("kind", FULL)
def test_file_with_every_key_uses_every_key_of_every_form(kind: str) -> None:
    used: dict[str, set[str]] = {}

    def walk(node: Any, description: dict[str, Any], title: str) -> None:
        properties = description.get("properties", {})
        used.setdefault(title, set()).update(node)
        for key, value in node.items():
            for inner in _inner(properties.get(key, {}), value):
                walk(*inner)

    def _inner(description: dict[str, Any], value: Any) -> list[tuple[Any, dict[str, Any], str]]:
        if isinstance(value, list):
            items = [description, *description.get("anyOf", [])]
            return [one for item in value for each in items for one in _inner(each.get("items", {}), item)]
        found = []
        for each in (description, *description.get("anyOf", [])):
            if "$ref" in each and isinstance(value, dict):
                title = each["$ref"].rpartition("/")[2]
                found.append((value, SCHEMAS[kind]["$defs"][title], title))
            if "additionalProperties" in each and isinstance(value, dict):
                found += [one for item in value.values() for one in _inner(each["additionalProperties"], item)]
        return found

    walk(plain(yamldoc.compose(FULL[kind], "f").root), SCHEMAS[kind], kind)
    for title, definition in {kind: SCHEMAS[kind], **SCHEMAS[kind]["$defs"]}.items():
        allowed = set(definition["properties"])
        allowed -= {"base": {"suite", "snapshot", "mirror"}, "build": {"script"}, "source": {"url", "debian"}}.get(
            title, set()
        )  # not beside others
        elsewhere = {"stack": {"test"}}  # forms that the recipe has too
        if title in elsewhere.get(kind, set()) or title == "mirror":
            continue
        assert allowed - used.get(title, set()) == set(), f"{title} has keys that no test writes"


def test_forms_have_titles_of_their_own() -> None:
    titles: dict[str, shape.Form] = {}
    for form in (
        value for value in (*vars(recipe_forms).values(), *vars(stack_forms).values()) if isinstance(value, shape.Form)
    ):
        assert titles.setdefault(form.title, form) is form


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("recipe", recipe("sumary: x")),
        ("recipe", recipe("name: NEST")),
        ("recipe", recipe("summary: 2026.10")),
        ("recipe", recipe("build: {system: cmke}")),
        ("recipe", recipe("versions: []")),
        ("recipe", recipe("tests: [{name: a}]")),
        ("recipe", recipe("tests: [{name: a, run: b, python: c}]")),
        ("recipe", recipe("tags: [a, a]")),
        ("stack", stack("release: 2026.10")),
        ("stack", stack("date: soon")),
        ("stack", stack("targets: []")),
        ("target", target("os_version: 12")),
        ("target", target("base: {image: debian}")),
    ],
)
def test_what_the_schema_refuses_the_reader_refuses(kind: str, content: bytes) -> None:
    assert errors(kind, content) != []
    with pytest.raises(DefinitionError):
        READERS[kind](content, file="f")


def test_every_shipped_file_is_valid() -> None:
    catalogue = Catalogue.open([ROOT], here=ROOT)
    files = {
        "recipe": [ROOT / "recipes" / name / "recipe.yaml" for name in catalogue.recipe_names()],
        "stack": [ROOT / "stacks" / name / release / "stack.yaml" for name, release in catalogue.stacks()],
        "target": [ROOT / "containers" / "targets" / f"{name}.yaml" for name in catalogue.target_names()],
        "collection": [ROOT / "collection.yaml"],
    }
    found = {str(path): errors(kind, path.read_bytes()) for kind, paths in files.items() for path in paths}
    assert {path: messages for path, messages in found.items() if messages} == {}


def test_schema_file_is_json_with_the_dialect_that_editors_look_for(script: ModuleType) -> None:
    document = json.loads(script.files()["recipe.json"])
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["properties"]["summary"]["description"] == "what the package is, in one line"
