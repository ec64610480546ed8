from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.building.factory import TARGET, artifact, build, graph, node, source

from lode.building import history
from lode.building.history import History, estimate
from lode.definitions.recipe import System


def test_the_latest_time_counts_and_damage_does_not(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "times.jsonl"
    zlib = graph(node("zlib"))["zlib"]
    past = History(file)
    assert past.times() == {}
    past.add(artifact(zlib, tmp_path, cpu_s=3.0))
    with file.open("a") as lines:
        lines.write('damaged\n["a"]\n["debian12-x86_64","hdf5",')
        lines.write('\n["debian12-x86_64", "root", NaN]\n["debian12-x86_64", "root", -1]\n["t", "root", Infinity]\n')
    past.add(artifact(zlib, tmp_path, cpu_s=4.5))
    assert past.times() == {(TARGET.name, "zlib"): 4.5}


def test_a_long_history_is_made_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_COMPACT_BYTES", 200)
    zlib = graph(node("zlib"))["zlib"]
    past = History(tmp_path / "times.jsonl")
    for turn in range(100):
        past.add(artifact(zlib, tmp_path, cpu_s=float(turn)))
    assert (tmp_path / "times.jsonl").stat().st_size <= 200
    assert past.times() == {(TARGET.name, "zlib"): 99.0}


def test_a_history_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    zlib = graph(node("zlib"))["zlib"]
    History(tmp_path / "file" / "times.jsonl").add(artifact(zlib, tmp_path / "a"))


def test_an_estimate_is_the_recorded_time_else_a_guess_by_size() -> None:
    zlib = node("zlib", sources=(source("zlib.tar.gz", size=2_000_000),))
    assert estimate(zlib, TARGET.name, {(TARGET.name, "zlib"): 7.0}) == 7.0
    assert estimate(zlib, TARGET.name, {("el9", "zlib"): 7.0}) == 40.0
    assert estimate(replace(zlib, build=build(System.WHEEL)), TARGET.name, {}) == 3.0


def test_python_package_with_something_to_compile_is_estimated_by_its_size() -> None:
    numpy = node("numpy", build=build(System.PYTHON), sources=(source("numpy.tar.gz", size=20_000_000),))
    assert estimate(replace(numpy, languages=("c", "cxx")), TARGET.name, {}) == 310.0
    assert estimate(replace(numpy, languages=()), TARGET.name, {}) == 8.0
