"""Quoting: what the languages themselves read is the text that was given."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lode.definitions import variables
from lode.rendering import quoting, steps

HOSTILE = [
    '', ' ', 'a b', "'", '"', '\\', '\\\\', '\\"', '\'"', '\'\'""', '$PREFIX', '${x}', '$(touch x)', '`id`', 'a;b',
    'a\nb', '\n', '\n\na', 'a\n', '#', '# x', 'a # b', '[exit]', '{', '}', '}{', ']]', ']=]', '[[', '[==[x]==]',
    '@x@', '@', '%s', '{{ x }}', '{% x %}', 'a\\', 'a\\\n', '\t', '\x1b[2J', '\x7f', 'é', '日本', '🦀', 'no', 'null',
    '~', '1e3', '0x10', '2026-11-22', '- a', 'a: b', ': ', '&a', '*a', '!x', '|', '>', '%', '=', 'on', '\u2028',
    '\x85', '\ufeff', '--', '-n', '#{x}', 'eof\nEOF', "'''", '"""', 'a"""b', '(display 1)', '; comment', '#|',
    '|#', 'set(X 1)', '\\;', ';', '$ENV{HOME}', '$<1:x>',
]  # fmt: skip
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60)
ATOMS = texts | st.booleans() | st.none() | st.integers()


@pytest.mark.parametrize("text", HOSTILE)
def test_python_reads_back_hostile_texts(text: str) -> None:
    assert ast.literal_eval(quoting.python(text)) == text
    assert "\n" not in quoting.python(text)


@given(st.recursive(ATOMS, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(texts, inner)))
def test_python_reads_back_any_value(value: object) -> None:
    literal = quoting.python(value)
    assert ast.literal_eval(literal) == value
    assert literal.isascii()
    assert "\n" not in literal


@given(st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_yaml_reads_back_any_value(value: object) -> None:
    assert yaml.safe_load(quoting.yaml_document(value)) == value


@pytest.mark.parametrize("text", HOSTILE)
def test_yaml_reads_back_hostile_texts(text: str) -> None:
    assert yaml.safe_load(quoting.yaml_document({text: [text, {"x": text}]})) == {text: [text, {"x": text}]}


def test_yaml_is_written_as_people_write_it() -> None:
    value = {"spack": {"specs": ["a@=1", {"b": [1, None, True], "c": {}}, [["x"], []]], "run": "a\n  b\n", "v": "1.2"}}
    assert quoting.yaml_document(value) == (
        "spack:\n  specs:\n  - a@=1\n  - b:\n    - 1\n    - null\n    - true\n    c: {}\n"
        '  - - - x\n    - []\n  run: |\n    a\n      b\n  v: "1.2"\n'
    )


@given(texts.map(lambda text: text + "\n\n"), texts)
def test_yaml_keeps_line_ends_of_long_texts(one: str, two: str) -> None:
    value = {"a": [f"{two}\n{one}", {"b": f"{one}\n{two}"}], "c": f"{two}\n{two}", "d": 1}
    assert yaml.safe_load(quoting.yaml_document(value)) == value


@pytest.mark.parametrize("value", [1.5, {1: "x"}, {"x": b"y"}, object()])
def test_yaml_of_anything_else_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        quoting.yaml_document(value)


@pytest.mark.parametrize("mark", ["#", "--", ";;", "//"])
@given(text=texts)
def test_comment_has_only_lines_with_its_mark(mark: str, text: str) -> None:
    lines = quoting.comment(text, mark).split("\n")
    assert lines.pop() == ""
    assert all(line.startswith(mark) and not line.endswith("\\") for line in lines)
    assert quoting.comment(text, mark).splitlines() == lines


def test_comment_shows_what_cannot_be_seen() -> None:
    assert quoting.comment("a\x1b[2J\rb\u2028c\\\nd", "#") == "# a\\x1b[2J\\x0db\\u2028c\n# d\n"


@pytest.mark.parametrize("quote", [quoting.python, quoting.shell, quoting.tcl, quoting.scheme, quoting.cmake,
                                   quoting.lua, quoting.comment, quoting.yaml_document])  # fmt: skip
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_file_can_hold_is_refused(quote, text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError):
        quote(text)


def test_plain_texts_stay_plain() -> None:
    assert quoting.shell("-DX=ON") == "-DX=ON"
    assert quoting.cmake("libzmq") == "libzmq"
    assert quoting.python("it's") == '"it\'s"'
    assert quoting.python(["a", ("b",), {"c": True}]) == '["a", ("b",), {"c": True}]'
    assert quoting.scheme('a "b"') == '"a \\"b\\""'
    assert quoting.tcl("$x [y]") == '"\\$x \\[y\\]"'


def test_cmake_refuses_carriage_returns() -> None:
    with pytest.raises(ValueError, match="carriage return"):
        quoting.cmake("a\rb")


# --- the interpreters themselves ---


def run(program: list[str], script: bytes, path: Path) -> bytes:
    path.write_bytes(script)
    done = subprocess.run([*program, str(path)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(program: str) -> str:
    from shutil import which

    return which(program) or pytest.skip(f"{program} is not here")


few = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_shell_reads_back_any_texts(tmp_path: Path, given: list[str]) -> None:
    words = [*HOSTILE, *given]
    script = "".join(f"printf '%s\\0' {quoting.shell(word)}\n" for word in words)
    assert run([found("sh")], script.encode(), tmp_path / "x.sh").decode().split("\0")[:-1] == words


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_shell_replaces_the_variables_of_recipes_and_nothing_else(tmp_path: Path, given: list[str]) -> None:
    named = ["$PREFIX/x", "${CFLAGS} -g0", "$PREFIXES", "\\$PREFIX", "a;$(touch x)$JOBS"]
    words = [word for word in (*HOSTILE, *named, *given) if "PATH" not in word and "BUILD_PREFIX" not in word]
    values = {name: f"<{name} '\" $x `id`>" for name in variables.VARIABLES if name != "PATH"}
    script = "".join(f"{name}={quoting.shell(value)}\n" for name, value in values.items())
    script += "".join(f"printf '%s\\0' {steps.word(word)}\n" for word in words)
    pattern = variables.pattern(values)
    expected = [pattern.sub(lambda match: values[match[1] or match[2]], word) for word in words]
    said = run([found("sh")], script.encode(), tmp_path / "x.sh").decode().split("\0")[:-1]
    assert said == expected


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_tcl_reads_back_any_texts(tmp_path: Path, given: list[str]) -> None:
    words = [word for word in (*HOSTILE, *given) if all(ord(letter) < 0x10000 for letter in word)]  # Tcl 8 has no more
    script = "fconfigure stdout -encoding utf-8 -translation lf\n"
    script += "".join(f"puts -nonewline {quoting.tcl(word)}; puts -nonewline \\x00\n" for word in words)
    assert run([found("tclsh")], script.encode(), tmp_path / "x.tcl").decode().split("\0")[:-1] == words


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_cmake_reads_back_any_texts(tmp_path: Path, given: list[str]) -> None:
    words = [word for word in (*HOSTILE, *given) if "\r" not in word and "\ufeff" not in word[:1]]
    out = tmp_path / "out"
    script = f'file(WRITE {out} "")\n'
    # the hex of the text: what is written is not changed on its way
    script += "".join(
        f'set(x {quoting.cmake(word)})\nstring(HEX "${{x}}" y)\nfile(APPEND {out} "${{y}}\\n")\n' for word in words
    )
    run([found("cmake"), "-P"], script.encode(), tmp_path / "x.cmake")
    assert [bytes.fromhex(line).decode() for line in out.read_text().split("\n")[:-1]] == words


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_scheme_reads_back_any_texts(tmp_path: Path, given: list[str]) -> None:
    words = [*HOSTILE, *given]
    script = '(set-port-encoding! (current-output-port) "UTF-8")\n'
    script += "".join(f"(display {quoting.scheme(word)})(display (integer->char 0))\n" for word in words)
    program = [found("guile"), "--no-auto-compile", "-s"]
    assert run(program, script.encode(), tmp_path / "x.scm").decode().split("\0")[:-1] == words


@pytest.mark.integration
@few
@given(st.lists(texts, max_size=30))
def test_lua_reads_back_any_texts(tmp_path: Path, given: list[str]) -> None:
    words = [*HOSTILE, *given]
    script = "".join(f"io.write({quoting.lua(word)}, '\\0')\n" for word in words)
    program = next((name for name in ("lua", "lua5.3", "lua5.4") if __import__("shutil").which(name)), "lua")
    assert run([found(program)], script.encode(), tmp_path / "x.lua").decode().split("\0")[:-1] == words
