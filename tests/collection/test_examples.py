"""The examples of an experiment's own collection are short, without faults, and can be locked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.rendering.shipped import pretended

from lode.definitions.catalogue import Catalogue
from lode.workflow import check
from lode.workflow import lock as locks

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
OWN = {"cryogenic": ("cryo@2026.11", "cryo-trigger"), "liquid-xenon": ("lxe@2026.11", "lxe-pulses")}


def test_every_example_is_tried() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(OWN)


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_example_takes_less_than_a_hundred_lines(name: str) -> None:
    files = [path for path in (EXAMPLES / name).rglob("*") if path.is_file() and path.name != "lode.lock"]
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < 100


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_example_is_sound_and_can_be_locked(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    catalogue = Catalogue.open([folder, ROOT], here=tmp_path)
    assert [str(fault) for fault in check.check(catalogue, folder).faults] == []
    reference, own = OWN[name]
    made = locks.relock(catalogue, reference, commits=pretended).lock
    assert own in {node.package for node in made.nodes}
    assert all(node.hashes for node in made.nodes)
