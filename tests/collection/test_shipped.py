"""What must hold for every recipe, target and stack that Lode ships."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Kind, Recipe, System
from lode.locking.graph import Lock, closure
from lode.workflow import check
from lode.workflow import lock as locks

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.open([ROOT], here=ROOT)
RECIPES = CATALOGUE.recipe_names()
STACKS = ["@".join(key) for key in CATALOGUE.stacks()]
SEARCHED = {".yaml", ".sh", ".c", ".cpp", ".hpp", ".py", ".patch", ".json", ".lock"}
# Switches that keep the host's libraries out where a build would take them when it finds them.
GUARDED = {
    "expat": ["-DEXPAT_WITH_LIBBSD=OFF"],
    "hdf5": ["-DHDF5_ENABLE_SZIP_SUPPORT=OFF", "-DHDF5_ENABLE_PARALLEL=OFF"],
    "hepmc3": ["-DHEPMC3_ENABLE_ROOTIO=OFF", "-DHEPMC3_ENABLE_PYTHON=OFF", "-DHEPMC3_ENABLE_PROTOBUFIO=OFF"],
    "libzmq": ["-DWITH_LIBSODIUM=OFF", "-DWITH_LIBBSD=OFF", "-DWITH_NORM=OFF"],
    "numpy": ["-Csetup-args=-Dblas=none", "-Csetup-args=-Dlapack=none"],
    "python": ["py_cv_module__ssl=n/a", "py_cv_module__sqlite3=n/a", "py_cv_module__tkinter=n/a"],
    "zstd": ["-DZSTD_ZLIB_SUPPORT=OFF", "-DZSTD_LZMA_SUPPORT=OFF", "-DZSTD_LZ4_SUPPORT=OFF"],
}


def recipe(name: str) -> Recipe:
    return CATALOGUE.recipe(name)


def lock(stack: str) -> Lock:
    return locks.locked(CATALOGUE, stack)


def test_the_collection_has_no_faults() -> None:
    report = check.check(CATALOGUE)
    assert [str(fault) for fault in report.faults if not fault.warning] == []
    assert (report.recipes, report.stacks) == (len(RECIPES), len(STACKS))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_proves_that_it_works(name: str) -> None:
    assert recipe(name).tests or recipe(name).build.system is System.BUNDLE


@pytest.mark.parametrize("stack", ["dance-core@2026.11", "dance-mini@2026.11", "dance-xenon@2026.11"])
def test_what_is_built_here_can_be_had_from_pypi_or_debian(stack: str) -> None:
    for node in lock(stack).nodes:
        for source in node.sources:
            assert {"pypi", "debian"} & {origin.scheme for origin in source.origins}, node.package
            assert source.size, node.package


@pytest.mark.parametrize("name", RECIPES)
def test_a_patch_says_where_upstream_it_belongs(name: str) -> None:
    assert all(patch.upstream for version in recipe(name).versions for patch in version.patches)


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_the_hosts_libraries_are_switched_off(name: str) -> None:
    words = {word for argument in recipe(name).build.args for word in argument.words}
    assert [switch for switch in GUARDED[name] if switch not in words] == []


def test_files_name_no_folder_of_a_machine() -> None:
    folders = [ROOT / name for name in ("recipes", "stacks", "containers/targets")]
    found = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in SEARCHED
        and re.search(r"(?<![\w$}])/(?:home|root|work|tmp)/", path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_lock_is_current(stack: str) -> None:
    made = locks.relock(CATALOGUE, stack)
    assert made.previous is not None, f"{stack} has no lock"
    assert made.lock.nodes == made.previous.nodes
    assert made.lock.targets == made.previous.targets
    assert made.lock.tests == made.previous.tests
    assert made.previous.collections == tuple((one.name, one.version) for one in CATALOGUE.collections)


def test_the_mini_stack_is_all_compiled_here() -> None:
    mini = lock("dance-mini@2026.11")
    assert [node.package for node in mini.nodes if node.prebuilt or node.provider != "lode"] == []
    assert 15 <= len(mini.nodes) <= 30


def test_the_mini_stacks_sides_stay_apart() -> None:
    mini = lock("dance-mini@2026.11")
    needed = (Kind.LINK, Kind.RUN)
    sides = {
        group: {node.package for node in closure(mini, packages, "debian12-x86_64", needed)}
        for group, packages in mini.groups.items()
    }
    assert sides == {
        "analysis": {
            *("bzip2", "expat", "gcem", "h5py", "hdf5", "libffi", "nest", "nestpy", "numpy", "python", "xz", "zlib"),
        },
        "daq": {"cppzmq", "hdf5", "libzmq", "zlib", "zstd"},
        "simulation": {"gcem", "hepmc3", "mcpl", "nest", "zlib"},
    }


@pytest.mark.parametrize("name", [name for name in RECIPES if any(test.numbers for test in recipe(name).tests)])
def test_each_reference_number_says_where_it_is_from(name: str) -> None:
    for test in recipe(name).tests:
        if test.numbers:
            numbers = json.loads(CATALOGUE.recipe_file(name, test.numbers).read_text(encoding="utf-8"))
            assert all(number["source"] for number in numbers.values()), test.name
