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
    (tmp_path / "collection.yaml").write_text('name: waves\nversion: "1"\n')
    return file


def indexed(tmp_path: Path, *versions: str) -> Path:
    """Return an index, as pip takes it, with an sdist of Wave_Form at each of `versions`."""
    folder = tmp_path / "index" / "wave-form"
    folder.mkdir(parents=True)
    links = []
    for version in versions:
        path = sdist(folder, version)
        links.append(f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>')
    (folder / "index.html").write_text("\n".join(links))
    return folder.parent


def from_index(tmp_path: Path, index: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Return what the script, run as by a person whose pip knows only `index`, says."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, str(TOOLS / "bump_recipe.py"), "--collection", str(tmp_path), "wave-form", *words],
        env={**clean, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.as_uri()},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def run(tmp_path: Path, *words: str) -> int:
    return int(script("bump_recipe").main(["--collection", str(tmp_path), *words]))


def test_new_version_comes_first_and_every_other_line_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = collection(tmp_path)
    archive = sdist(tmp_path, "1.10.0")
    given = ["--archive", str(archive), "--url", "https://example.org/w.tar.gz"]
    assert run(tmp_path, "wave-form", "1.10.0", *given) == 0
    assert capsys.readouterr().out == "wave-form has 1.10.0 now; build it, then: lode lock STACK --update wave-form\n"
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
        (["wave-form", "1.1", "--previous"], "bump_recipe: --previous is a version by itself\n"),
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


@pytest.mark.parametrize(("tag", "python"), [("cp313-cp313", "cp313"), ("py3-none", "py3")])
def test_wheel_is_followed_by_a_wheel_of_the_same_python(tag: str, python: str) -> None:
    text = RECIPE.replace("wave_form-1.2.0.tar.gz", f"wave_form-1.2.0-{tag}-manylinux_2_28_x86_64.whl")
    recipe = read_recipe.read(text.encode(), file="r")
    assert script("bump_recipe").project(recipe) == ("wave-form", python)


def test_older_version_goes_where_its_number_says(tmp_path: Path) -> None:
    text = RECIPE.replace("  # why", '  - {version: "2.0", source: [{path: a}]}\n  # why')
    for version, order in (("1.10.0", ["2.0", "1.10.0", "1.2.0"]), ("1.1", ["2.0", "1.2.0", "1.1"])):
        bumped = script("bump_recipe").bumped(text, version, {"url": "https://example.org/w", "sha256": SHA256})
        assert [str(one.version) for one in read_recipe.read(bumped.encode(), file="r").versions] == order
        assert '# why the older one is kept\n  - version: "1.2.0"' in bumped


@pytest.mark.integration
def test_newest_release_is_added_with_what_upstream_names(tmp_path: Path) -> None:
    file = collection(tmp_path)
    done = from_index(tmp_path, indexed(tmp_path, "1.10.0"))
    assert done.returncode == 0, done.stderr
    newest = read_recipe.read(file.read_bytes(), file="r").versions[0]
    digest = hashlib.sha256((tmp_path / "index/wave-form/wave_form-1.10.0.tar.gz").read_bytes()).hexdigest()
    assert (str(newest.version), newest.sources[0].sha256) == ("1.10.0", digest)
    named = json.loads((file.parent / "upstream.json").read_text())
    assert named == {"versions": {"1.10.0": {"build": ["cython", "setuptools"], "run": ["numpy"]}}}


@pytest.mark.integration
def test_previous_is_the_newest_of_an_earlier_series_with_what_it_asks_for_otherwise(tmp_path: Path) -> None:
    file = collection(tmp_path, f"{RECIPE}dependencies: {{build: [cython >=3, setuptools], run: [python >=3.9]}}\n")
    numbers = tmp_path / "recipes/setuptools/recipe.yaml"
    numbers.parent.mkdir()
    numbers.write_text(RECIPE.replace("wave-form", "setuptools").replace("1.2.0", "68.0"))
    done = from_index(tmp_path, indexed(tmp_path, "1.3.0", "1.2.7", "1.1.0", "1.1.4", "1.0.9"), "--previous")
    assert (done.returncode, done.stdout) == (
        0,
        "wave-form has 1.1.4 now; build it, then: lode lock STACK --update wave-form\n"
        "wave-form 1.1.4: it asks for setuptools >=77, and the recipe takes 68.0 as well\n"
        "wave-form 1.1.4: it asks for numpy >=1.25,<3, and the recipe does not\n",
    ), done.stderr
    assert [str(one.version) for one in read_recipe.read(file.read_bytes(), file="r").versions] == ["1.2.0", "1.1.4"]


@pytest.mark.integration
def test_there_may_be_no_previous_version(tmp_path: Path) -> None:
    collection(tmp_path)
    done = from_index(tmp_path, indexed(tmp_path, "1.2.0", "1.3.0"), "--previous")
    assert (done.returncode, done.stderr) == (1, "bump_recipe: no index has an sdist of wave-form older than 1.2.0\n")
