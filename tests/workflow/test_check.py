"""Checking reads no more than it must and leaves nothing behind."""

from __future__ import annotations

import datetime
import gc
from pathlib import Path

import pytest
from tests.definitions.writing import named

from lode.definitions import folders
from lode.definitions.catalogue import Catalogue
from lode.workflow.check import check


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folders, "shipped", lambda: None)
    (tmp_path / "collection.yaml").write_text('name: own\nversion: "1"\n')
    for number in range(3):
        folder = tmp_path / "recipes" / f"p{number}"
        folder.mkdir(parents=True)
        needs = f"dependencies: {{link: [p{(number + 1) % 3}]}}"
        (folder / "recipe.yaml").write_bytes(named(f"p{number}", needs, "tests: [{name: a, run: b}]"))
    return tmp_path


def test_one_recipe_is_checked_with_the_circle_it_is_in(root: Path) -> None:
    report = check(Catalogue.open([], here=root), root / "recipes" / "p1")
    assert [str(fault) for fault in report.faults] == [
        "recipes/p1/recipe.yaml:11:23: dependencies form a circle: p1 > p2 > p0 > p1\n"
        "  hint: remove one of these, or put it under a condition"
    ]


def test_faults_of_what_a_recipe_needs_are_left_to_its_own_check(root: Path) -> None:
    (root / "recipes" / "p2" / "recipe.yaml").write_text("[")
    assert check(Catalogue.open([], here=root), root / "recipes" / "p1").faults == ()
    assert check(Catalogue.open([], here=root)).errors == 1


def test_overlay_may_need_what_only_the_collection_behind_it_has(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    front = tmp_path_factory.mktemp("front")
    (front / "collection.yaml").write_text('name: front\nversion: "1"\n')
    (front / "recipes" / "own").mkdir(parents=True)
    own = named("own", "dependencies: {link: [p1]}", "tests: [{name: a, run: b}]")
    (front / "recipes" / "own" / "recipe.yaml").write_bytes(own)
    report = check(Catalogue.open([front, root], here=front))
    assert (report.recipes, report.faults) == (1, ())


def test_collector_of_circles_is_on_again_afterwards(root: Path) -> None:
    check(Catalogue.open([], here=root))
    assert gc.isenabled()


def test_trust_policy_of_a_collection_is_checked(tmp_path: Path) -> None:
    (tmp_path / "collection.yaml").write_text('name: dmx\nversion: "1"\nsummary: x\n')
    (tmp_path / "trust.yaml").write_text("name: dmx\nexpires: 2026-12-01\nrules: [{sign: [lock], keys: [none]}]\n")
    catalogue = Catalogue.open([tmp_path], here=tmp_path)
    report = check(catalogue, tmp_path, today=datetime.date(2026, 11, 25))
    assert report.policies == 1
    assert [str(fault) for fault in report.faults] == [
        "trust.yaml:3:31: keys: there is no key called 'none'\n  hint: add it to keys",
    ]
    (tmp_path / "trust.yaml").write_text("name: dmx\nexpires: 2026-12-01\n")
    (warning,) = check(catalogue, tmp_path / "trust.yaml", today=datetime.date(2026, 11, 25)).faults
    assert (warning.warning, warning.message) == (True, "the trust policy dmx expires in 6 days, on 2026-12-01")
    assert check(catalogue, tmp_path).faults == ()


def test_repositories_are_checked_with_the_collection(root: Path) -> None:
    folder = root / "cvmfs" / "repositories"
    folder.mkdir(parents=True)
    (folder / "dance.example.org.yaml").write_text("name: dance.example.org\nttl_s: 1\n")
    (folder / "other.example.org.yml").write_text("name: other.example.org\n")
    report = check(Catalogue.open([], here=root))
    assert report.repositories == 2
    assert [str(fault) for fault in report.faults if "cvmfs" in str(fault)] == [
        "cvmfs/repositories/dance.example.org.yaml:2:8: ttl_s: 1 is not between 60 and 86400",
        "cvmfs/repositories/other.example.org.yml: Lode reads files named .yaml only\n  hint: rename it",
    ]
    (folder / "other.example.org.yml").unlink()
    alone = check(Catalogue.open([], here=root), folder / "dance.example.org.yaml")
    assert (alone.recipes, alone.repositories, alone.errors) == (0, 1, 1)
