"""YAML files become nodes with places, or one error that says what is wrong and where; never a traceback."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lode import yamldoc
from lode.errors import DefinitionError
from lode.yamldoc import ScalarNode, compose, kind, meant, misread


def fault(content: bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        compose(content, "recipe.yaml")
    return str(caught.value)


def value(text: str) -> ScalarNode:
    node = compose(text.encode(), "recipe.yaml").root.value[0][1]
    assert isinstance(node, ScalarNode)
    return node


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "recipe.yaml: the file is empty"),
        (b"# only a comment\n", "recipe.yaml: the file is empty"),
        (b"a: " + b"x" * (1 << 20), "recipe.yaml: the file is larger than 1 MiB"),
        (
            b"a: 1\n---\nb: 2\n",
            "recipe.yaml:2:1: the file holds more than one document\n  hint: leave only one; no '---'",
        ),
        (
            b"name: \xff\n",
            "recipe.yaml:1:7: byte 0xff is not UTF-8\n  hint: save the file in the encoding UTF-8",
        ),
        (
            b"a: &x 1\nb: *x\n",
            "recipe.yaml:1:4: the anchor &x is refused\n  hint: write the value out; quote a text that begins with &\n"
            "recipe.yaml:2:4: the alias *x is refused\n  hint: write the value out; quote a text that begins with *",
        ),
        (
            b"a: !!python/object:os.system x\n",
            "recipe.yaml:1:4: the tag tag:yaml.org,2002:python/object:os.system is refused\n"
            "  hint: leave the tag out; quote a text that begins with !",
        ),
        (
            b"requirements: [geant4 >=11,!=11.2]\n",
            "recipe.yaml:1:34: not YAML: while scanning a tag, did not find expected whitespace or line break\n"
            "  hint: quote a text that begins with !; inside [...] a comma ends the item",
        ),
        (
            b"a:\n\tb: 1\n",
            "recipe.yaml:2:1: not YAML: while scanning for the next token, found character that cannot start any token"
            "\n  hint: indent with spaces, not tabs; quote a text that begins with @, ` or %",
        ),
        (
            b"when: >=2.4\n",
            "recipe.yaml:1:8: not YAML: while scanning a block scalar, did not find expected comment or line break\n"
            '  hint: quote a text that begins with > or |: ">=2.4"',
        ),
        (
            b"summary: a: b\n",
            "recipe.yaml:1:11: not YAML: mapping values are not allowed in this context\n"
            "  hint: quote a text that contains ': ', and look at the indentation",
        ),
        (b"a: \x00\n", "recipe.yaml: not YAML: control characters are not allowed"),
        (b"[" * 2000, "recipe.yaml: lists and mappings are nested deeper than 1,000"),
        (b"- " * 2000 + b"a", "recipe.yaml: lists and mappings are nested deeper than 1,000"),
        (b"{a: " * 100_000, "recipe.yaml: lists and mappings are nested deeper than 1,000"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_place(content: bytes, message: str) -> None:
    assert fault(content) == message


def test_bomb_of_aliases_is_refused_before_it_is_composed() -> None:
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [b"a%d: &a%d [" % (n, n) + b", ".join([b"*a%d" % (n - 1)] * 10) + b"]" for n in range(1, 10)]
    hint = "  hint: write the value out; quote a text that begins with"
    told = []
    for n in range(10):
        told.append(f"recipe.yaml:{n + 1}:5: the anchor &a{n} is refused\n{hint} &")
        for column in range(10, 60, 5) if n else ():
            told.append(f"recipe.yaml:{n + 1}:{column}: the alias *a{n - 1} is refused\n{hint} *")
    assert fault(b"\n".join(lines)) == "\n".join(told)


def test_shell_words_are_no_anchors_aliases_or_tags() -> None:
    text = "run: test -e a && ls *.so & if ! true; then [ a != b ]; fi; echo 2>&1 &a\n"
    assert value(text).value == text.removeprefix("run: ").rstrip()


def test_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert compose(b"\xef\xbb\xbfname: x\n", "f").root.value[0][0].value == "name"


def test_scalars_stay_the_text_that_was_written() -> None:
    document = compose(b"[2026.10, 0x10, yes, 2026-11-01, ~, 1e3]", "f")
    assert [node.value for node in document.root.value] == ["2026.10", "0x10", "yes", "2026-11-01", "~", "1e3"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("when: +gdml os=mars", "f:1:13"),
        ("when: '+gdml os=mars'", "f:1:14"),
        ('when: "+gdml os=mars"', "f:1:14"),
        ("when: |\n  +gdml os=mars\n", "f:1:7"),
        ("when: +gdml\n  os=mars\n", "f:1:7"),
    ],
)
def test_place_of_a_character_is_its_column_when_it_is_on_the_line(text: str, place: str) -> None:
    document = compose(text.encode(), "f")
    assert str(document.place(document.root.value[0][1], 6)) == place


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2026.10", "the number 2026.1"),
        ("17", "the number 17"),
        ("-1", "the number -1"),
        ("1_000", "the number 1000"),
        ("0x1F", "the number 31"),
        ("0o17", "the number 15"),
        ("1e3", "the number 1000.0"),
        (".5", "the number 0.5"),
        (".inf", "the number inf"),
        ("12:30", "the number 750"),
        ("1" * 50, "a number"),
        ("2026-11-01", "a date"),
        ("2026-13-99", "a date"),
        ("yes", "true or false"),
        ("Off", "true or false"),
        ("TRUE", "true or false"),
        ("null", "nothing"),
        ("~", "nothing"),
        ("", "nothing"),
        ("<<", "a merge key"),
        ("1.3.1", None),
        ("v4r2", None),
        ("2024-11-c", None),
        ("1.1.1w", None),
        ("6.32.04-1", None),
        ("+gdml", None),
        ("~qt", None),
        ("-DX=1", None),
        ("...", None),
        ("y", None),
        ("none", None),
    ],
)
def test_misread_says_what_other_tools_take_an_unquoted_text_for(text: str, meaning: str | None) -> None:
    assert misread(text) == meaning


@given(st.text(alphabet="0123456789.+-_eExXoOabfn:TZ~yestrulo ", max_size=12))
def test_whatever_yaml_does_not_take_for_a_text_is_misread(text: str) -> None:
    try:
        loaded = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    node = compose(text.encode(), "f").root if text.strip() else None
    if isinstance(node, ScalarNode) and not isinstance(loaded, str):
        assert misread(node.value) is not None


def test_kinds_of_nodes_are_named_for_messages() -> None:
    document = compose(b"[[], {}, a, '', ]", "f")
    assert [kind(node) for node in document.root.value] == ["a list", "a mapping", "a text", "a text"]
    assert kind(value("a:\n")) == "nothing"


def test_meant_names_the_nearest_word_only_when_one_is_near() -> None:
    assert meant("sumary", ["summary", "name"]) == "did you mean 'summary'?"
    assert meant("zzz", ["summary", "name"]) is None


def test_faults_are_told_in_the_order_of_the_file() -> None:
    document = compose(b"a: 1\nb: 2\n", "f")
    for index in (1, 0):
        document.fault(document.root.value[index][1], f"wrong {index}")
    with pytest.raises(DefinitionError) as caught:
        document.finish()
    assert [fault.message for fault in caught.value.faults] == ["wrong 0", "wrong 1"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_a_definition_error(content: bytes) -> None:
    with contextlib.suppress(DefinitionError):
        compose(content, "f")


@given(st.text(alphabet="ab:-[]{},&*!|>'\"\n #%@?~.0", max_size=80))
def test_any_yaml_like_text_is_a_document_or_a_definition_error(text: str) -> None:
    with contextlib.suppress(DefinitionError):
        compose(text.encode(), "f")


@given(st.text(alphabet="ab:-[]{},&*!.'\"\n #", max_size=60))
def test_no_anchor_alias_or_tag_gets_through(text: str) -> None:
    try:
        compose(text.encode(), "f")
    except DefinitionError:
        return
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        assert not isinstance(event, yaml.AliasEvent)
        assert getattr(event, "anchor", None) is None
        assert getattr(event, "tag", None) in (None, "!")


class TestWithoutLibyaml:
    """PyYAML without libyaml serves too."""

    @pytest.fixture(autouse=True)
    def pure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Composer(yaml.BaseLoader):
            depth = 0
            descend_resolver = yamldoc._Composer.descend_resolver
            ascend_resolver = yamldoc._Composer.ascend_resolver
            resolve = yamldoc._Composer.resolve

        monkeypatch.setattr(yamldoc, "_Parser", yaml.BaseLoader)
        monkeypatch.setattr(yamldoc, "_Composer", Composer)
        monkeypatch.setattr(yamldoc, "_ShallowComposer", Composer)

    def test_places_are_the_same(self) -> None:
        document = compose(b"a: 1\nb: '+x y'\n", "f")
        assert str(document.place(document.root.value[1][1], 3)) == "f:2:8"

    def test_deep_nesting_is_refused(self) -> None:
        assert fault(b"[" * 2000) == "recipe.yaml: lists and mappings are nested deeper than 1,000"

    def test_half_a_character_is_refused(self) -> None:
        assert fault(b'a: "\\ud800"\n') == "recipe.yaml: \\ud800 is half a character"
