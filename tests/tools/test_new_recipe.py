"""A first draft says what the archive says, pins it, and is a recipe without faults."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tools.archives import METADATA, sdist, tarball, wheel
from tests.tools.scripts import TOOLS, script

from lode.definitions import read_recipe

SHA256 = "a" * 64


def drafted(tmp_path: Path, **changes: str) -> str:
    new_recipe = script("new_recipe")
    path = sdist(tmp_path, extra=changes)
    return str(
        new_recipe.text(script("drafts").from_sdist(path, {"pypi": "wave-form==1.2.0", "sha256": SHA256, "size": 9}))
    )


def test_draft_of_an_sdist_says_what_its_metadata_says(tmp_path: Path) -> None:
    assert (
        drafted(tmp_path)
        == f"""\
name: wave-form
summary: Reads waveforms
homepage: https://example.org/waveform
license: BSD-3-Clause
tags: [python]
versions:
  - version: "1.2.0"
    source:
      - pypi: wave-form==1.2.0
        sha256: {SHA256}
        size: 9
dependencies:
  build: [cython >=3.0, setuptools >=77]
  run: ['numpy >=1.25,<3', python >=3.10]
build:
  system: python
tests:
  - {{name: import, python: import waveform}}
"""
    )


def test_compiled_sources_ask_for_a_compiler_and_link_python(tmp_path: Path) -> None:
    text = drafted(tmp_path, **{"src/waveform/read.cpp": "", "tests/check.c": ""})
    assert "  build: [cxx, cython >=3.0, setuptools >=77]\n  link: [python >=3.10]\n" in text


def test_draft_is_a_recipe_without_faults(tmp_path: Path) -> None:
    recipe = read_recipe.read(drafted(tmp_path).encode(), file="recipe.yaml", name="wave-form")
    assert [str(one.requirement) for one in recipe.dependencies] == [
        "cython >=3.0", "numpy >=1.25,<3", "python >=3.10", "setuptools >=77",
    ]  # fmt: skip


def test_back_end_that_builds_itself_needs_then_what_it_needs_later(tmp_path: Path) -> None:
    own = '[build-system]\nrequires = []\nbuild-backend = "waveform"\nbackend-path = ["src"]\n'
    assert "  build: ['numpy >=1.25,<3']\n" in drafted(tmp_path, **{"pyproject.toml": own})


@pytest.mark.parametrize(
    ("line", "licence"),
    [
        ("License: MIT", "MIT"),
        ("License: see the file\nClassifier: License :: OSI Approved :: BSD License", "BSD-3-Clause"),
        ("License: whatever we like", "LicenseRef-Unknown"),
    ],
)
def test_licence_is_found_in_older_metadata_or_said_to_be_unknown(tmp_path: Path, line: str, licence: str) -> None:
    path = sdist(tmp_path, metadata=METADATA.replace("License-Expression: BSD-3-Clause", line))
    assert script("drafts").from_sdist(path, {}).license == licence


def test_draft_of_a_wheel_is_marked_as_prebuilt(tmp_path: Path) -> None:
    path = wheel(tmp_path, "cp313-cp313-manylinux_2_28_x86_64")
    draft = script("drafts").from_wheel(path, {"pypi": "a==1", "sha256": SHA256, "unpack": False}, "cp313")
    assert (draft.system, draft.tags) == ("wheel", ("python", "prebuilt"))
    assert draft.run == ("numpy >=1.25,<3", "python ==3.13.*")


def test_requirements_of_an_older_sdist_are_found_beside_its_metadata(tmp_path: Path) -> None:
    metadata = "".join(line for line in METADATA.splitlines(keepends=True) if not line.startswith("Requires-Dist"))
    egg = "numpy<3\n\n[:python_version < '3.8']\nzipp\n\n[:sys_platform == 'linux']\npyudev>=1\n\n[test]\npytest\n"
    extra = {"src/wave_form.egg-info/requires.txt": egg}
    draft = script("drafts").from_sdist(sdist(tmp_path, metadata=metadata, extra=extra), {})
    assert draft.run == ("numpy <3", "pyudev >=1", "python >=3.10")


def test_draft_of_a_wheel_for_any_python_takes_what_upstream_takes(tmp_path: Path) -> None:
    path = wheel(tmp_path, "py3-none-manylinux_2_17_x86_64")
    draft = script("drafts").from_wheel(path, {"pypi": "a==1", "sha256": SHA256, "unpack": False}, "py3")
    assert draft.run == ("numpy >=1.25,<3", "python >=3.10")


def test_wheel_for_any_python_is_none_for_one_of_them() -> None:
    assert script("drafts").fits("a-1-py3-none-manylinux_2_17_x86_64.whl", "py3")
    assert not script("drafts").fits("a-1-cp313-cp313-manylinux_2_28_x86_64.whl", "py3")


def test_version_is_asked_for_without_the_v_that_upstream_writes(tmp_path: Path) -> None:
    path = sdist(tmp_path, metadata=METADATA.replace("numpy<3,>=1.25", "numpy==v1.25"))
    assert script("drafts").from_sdist(path, {}).run == ("numpy ==1.25", "python >=3.10")


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp311-abi3-manylinux2014_x86_64", True),
        ("py3-none-any", True),
        ("cp314-cp314-manylinux_2_28_x86_64", False),
        ("cp314-abi3-manylinux_2_28_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp313-cp313-musllinux_1_2_x86_64", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        ("cp313-cp313-win_amd64", False),
    ],
)
def test_only_wheels_of_the_targets_fit(tag: str, fits: bool) -> None:
    assert script("drafts").fits(f"a-1-{tag}.whl", "cp313") is fits


@pytest.mark.parametrize(
    ("file", "system", "tools"),
    [
        ("CMakeLists.txt", "cmake", ("cmake >=3.16", "make")),
        ("configure", "autotools", ("make",)),
        ("meson.build", "meson", ("meson", "ninja")),
    ],
)
def test_build_system_of_an_archive_is_told_by_its_top_folder(
    tmp_path: Path, file: str, system: str, tools: tuple[str, ...]
) -> None:
    path = tarball(tmp_path / "zap-1.tar.gz", "zap-1", {file: "", "sub/pyproject.toml": "", "Makefile": ""})
    draft = script("drafts").from_archive(path, name="zap", version="1", url="https://example.org/z", license="MIT")
    assert (draft.system, draft.tools) == (system, tools)
    assert draft.source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert draft.source["size"] == path.stat().st_size


FACTS = {
    "name": "cry", "version": "1.7", "summary": "Cosmic rays", "homepage": "https://example.org", "system": "make",
    "license": "BSD-3-Clause", "source": {"url": "https://example.org/cry.tar.gz", "sha256": SHA256},
}  # fmt: skip


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = script("new_recipe").main(words)
    said = capsys.readouterr()
    return status, said.err or said.out


def test_facts_become_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    status, said = run(["--collection", str(tmp_path), "facts", str(tmp_path / "facts.json")], capsys)
    folder = tmp_path / "recipes" / "cry"
    assert (status, said) == (
        0,
        f"wrote {folder}/recipe.yaml; read it, give it a test that proves something, then: lode check {folder}\n",
    )
    assert read_recipe.read((folder / "recipe.yaml").read_bytes(), file="r").license == "BSD-3-Clause"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": {"url": "https://example.org/cry.tar.gz"}},
         "new_recipe: cry: a source without a sha256 or a commit is no pin\n  hint: look it up upstream\n"),
        ({"sumary": "x"},
         "new_recipe: unknown keys: sumary\n  hint: known are: args, cite, homepage, imports, languages, license, "
         "link, name, named, run, source, summary, system, tags, tools, upstream, version\n"),
        ({"name": "Cry!"}, "new_recipe: 'Cry!' is no package name\n  hint: lower-case letters, digits and dashes\n"),
    ],
)  # fmt: skip
def test_facts_that_pin_nothing_or_say_nonsense_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], message: str
) -> None:
    (tmp_path / "facts.json").write_text(json.dumps({**FACTS, **change}))
    assert run(["--collection", str(tmp_path), "facts", str(tmp_path / "facts.json")], capsys) == (1, message)
    assert not (tmp_path / "recipes").exists()


def test_recipe_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    file = tmp_path / "recipes" / "cry" / "recipe.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert run(["--collection", str(tmp_path), "facts", str(tmp_path / "facts.json")], capsys) == (
        1,
        f"new_recipe: {file} is there already\n  hint: tools/bump_recipe.py adds a version\n",
    )
    assert file.read_text() == "mine"


def test_broken_archive_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zap.tar.gz"
    path.write_bytes(sdist(tmp_path).read_bytes()[:100])
    words = ["tarball", str(path), "--name", "zap", "--version", "1", "--url", "https://example.org/zap.tar.gz"]
    status, said = run(["--collection", str(tmp_path), *words], capsys)
    assert status == 1
    assert said.startswith("new_recipe: zap.tar.gz cannot be read: ")


@pytest.mark.integration
def test_newest_release_of_an_index_is_drafted_with_its_hash(tmp_path: Path) -> None:
    index = tmp_path / "index" / "wave-form"
    index.mkdir(parents=True)
    rows = []
    for version in ("1.9.0", "1.10.0", "2.0.0rc1"):
        path = sdist(index, version)
        rows.append(f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>')
    (index / "index.html").write_text("".join(rows))
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": (tmp_path / "index").as_uri()}
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    done = subprocess.run(
        [sys.executable, str(TOOLS / "new_recipe.py"), "--collection", str(tmp_path), "pypi", "Wave.Form"],
        env={**clean, **settings}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    recipe = read_recipe.read((tmp_path / "recipes" / "wave-form" / "recipe.yaml").read_bytes(), file="r")
    assert [str(one.version) for one in recipe.versions] == ["1.10.0"]
    assert (
        recipe.versions[0].sources[0].sha256
        == hashlib.sha256((index / "wave_form-1.10.0.tar.gz").read_bytes()).hexdigest()
    )
    named = json.loads((tmp_path / "recipes" / "wave-form" / "upstream.json").read_text())
    assert named == {"versions": {"1.10.0": {"build": ["cython", "setuptools"], "run": ["numpy"]}}}
