"""A bump adds one version with its bytes' hash, keeps every other line, and writes nothing that is no recipe."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tools.archives import sdist
from tests.tools.scripts import TOOLS, script

from lode.definitions import read_recipe

SHA256 = "a" * 64
RECIPE = f"""\
name: wave-form
summary: Reads waveforms
homepage: https://example.org/waveform
license: BSD-3-Clause
versions:
  # why the older one is kept
  - version: "1.2.0"  # used by run 7
    source:
      - pypi: wave-form==1.2.0/wave_form-1.2.0.tar.gz
        sha256: {SHA256}
        size: 9
build:
  system: python
tests: [{{name: import, python: import waveform}}]
"""
NEW = """\
  - version: "1.10.0"
    source:
      - url: https://example.org/w.tar.gz
        sha256: {sha256}
        size: {size}
"""


def collection(tmp_path: Path, text: str = RECIPE) -> Path:
    file = tmp_path / "recipes" / "wave-form" / "recipe.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def run(tmp_path: Path, *words: str) -> int:
    return int(script("bump_recipe").main(["--collection", str(tmp_path), *words]))


def test_new_version_comes_first_and_every_other_line_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = collection(tmp_path)
    archive = sdist(tmp_path, "1.10.0")
    given = ["--archive", str(archive), "--url", "https://example.org/w.tar.gz"]
    assert run(tmp_path, "wave-form", "1.10.0", *given) == 0
    assert capsys.readouterr().out == ("wave-form has 1.10.0 now; build it, then: lode lock STACK --update wave-form\n")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    before, rest = RECIPE.split('  - version: "1.2.0"')
    new = NEW.format(sha256=sha256, size=archive.stat().st_size)
    assert file.read_text() == f'{before}{new}  - version: "1.2.0"{rest}'
    assert [str(one.version) for one in read_recipe.read(file.read_bytes(), file="r").versions] == ["1.10.0", "1.2.0"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wave-form", "1.2.0", "--archive", "A", "--url", "https://example.org/w"],
         "bump_recipe: wave-form has the version 1.2.0 already\n"),
        (["wave-form", "--archive", "A", "--url", "https://example.org/w"],
         "bump_recipe: which version is the archive?\n  hint: give it after the recipe's name\n"),
        (["wave-form", "2", "--archive", "A"], "bump_recipe: --archive and --url go together\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_refused_and_the_file_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    file = collection(tmp_path)
    archive = sdist(tmp_path)
    assert run(tmp_path, *(str(archive) if word == "A" else word for word in words)) == 1
    assert capsys.readouterr().err == message
    assert file.read_text() == RECIPE


def test_recipe_without_an_index_needs_its_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collection(tmp_path, RECIPE.replace("pypi: wave-form==1.2.0/", "url: https://example.org/"))
    assert run(tmp_path, "wave-form") == 1
    assert capsys.readouterr().err == (
        "bump_recipe: wave-form is on no Python package index: which version is it to have?\n"
        "  hint: give it after the name; `lode outdated wave-form` says which is the newest\n"
    )


def test_address_without_the_version_leads_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = collection(tmp_path, RECIPE.replace("pypi: wave-form==1.2.0/wave_form-1.2.0", "url: https://example.org/w"))
    before = file.read_text()
    assert run(tmp_path, "wave-form", "1.3.0") == 1
    assert capsys.readouterr().err == (
        "bump_recipe: wave-form has no address with the version 1.2.0 in it\n  hint: give --archive and --url\n"
    )
    assert file.read_text() == before


def test_part_of_another_project_is_no_project() -> None:
    text = RECIPE.replace("pypi: wave-form==1.2.0/", "pypi: sea==3.0/")
    assert script("bump_recipe").project(read_recipe.read(text.encode(), file="r")) is None


def test_wheel_is_followed_by_a_wheel_of_the_same_python() -> None:
    text = RECIPE.replace("wave_form-1.2.0.tar.gz", "wave_form-1.2.0-cp313-cp313-manylinux_2_28_x86_64.whl")
    recipe = read_recipe.read(text.encode(), file="r")
    assert script("bump_recipe").project(recipe) == ("wave-form", "cp313")


@pytest.mark.integration
def test_newest_release_is_added_with_what_upstream_names(tmp_path: Path) -> None:
    file = collection(tmp_path)
    index = tmp_path / "index" / "wave-form"
    index.mkdir(parents=True)
    path = sdist(index, "1.10.0")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (index / "index.html").write_text(f'<a href="{path.name}#sha256={digest}">{path.name}</a>')
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    done = subprocess.run(
        [sys.executable, str(TOOLS / "bump_recipe.py"), "--collection", str(tmp_path), "wave-form"],
        env={**clean, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": (tmp_path / "index").as_uri()},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    newest = read_recipe.read(file.read_bytes(), file="r").versions[0]
    assert (str(newest.version), newest.sources[0].sha256) == ("1.10.0", digest)
    named = json.loads((file.parent / "upstream.json").read_text())
    assert named == {"versions": {"1.10.0": {"build": ["cython", "setuptools"], "run": ["numpy"]}}}
