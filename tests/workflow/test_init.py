"""What `lode init` writes, and what it refuses to overwrite."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest
import yaml

from lode.definitions.catalogue import Catalogue
from lode.definitions.target import Base, Compiler, Target
from lode.errors import UsageError
from lode.workflow import init

ROOT = Path(__file__).resolve().parents[2]
TARGET = Target(
    name="debian12-x86_64",
    os="debian",
    os_version="12",
    arch="x86_64",
    base=Base(suite="bookworm"),
    compiler=Compiler(name="gcc", version="12.2.0"),
    glibc="2.36",
    libstdcxx="3.4.30",
)


def test_experiment_is_whole_in_under_100_lines() -> None:
    files = init.experiment("dmx", release="2026.11", date="2026-11-22", target=TARGET).files
    assert sorted(map(str, files)) == [
        ".github/workflows/lode.yml",
        "README.md",
        "collection.yaml",
        "recipes/dmx-pulses/recipe.yaml",
        "recipes/dmx-pulses/src/CMakeLists.txt",
        "recipes/dmx-pulses/src/pulses.cpp",
        "stacks/dmx/2026.11/stack.yaml",
        "trust.yaml",
    ]
    assert sum(content.count(b"\n") for content in files.values()) < 100
    assert all(content.endswith(b"\n") and b"\n\n\n" not in content for content in files.values())


def test_definitions_of_an_experiment_are_valid(tmp_path: Path) -> None:
    init.create(init.experiment("dmx", release="2026.11", date="2026-11-22", target=TARGET), tmp_path)
    catalogue = Catalogue.open([], here=tmp_path)
    stack = catalogue.stack("dmx")
    assert (stack.name, stack.release, stack.date, stack.targets) == (
        "dmx", "2026.11", "2026-11-22", ("debian12-x86_64",),
    )  # fmt: skip
    assert [requirement.package for requirement in stack.requirements] == ["dmx-pulses", "nest"]
    recipe = catalogue.recipe("dmx-pulses")
    assert catalogue.recipe_file("dmx-pulses", recipe.versions[0].sources[0].origins[0].location).is_dir()
    asked = [r.package for r in stack.requirements] + [d.requirement.package for d in recipe.dependencies]
    external = {external.package for external in catalogue.target("debian12-x86_64").externals}
    assert [name for name in asked if name not in external and catalogue.find_recipe(name) is None] == []


def test_pipeline_calls_the_shared_one_at_a_commit_with_all_that_it_requires() -> None:
    lode = ("mine/lode", "ab" * 20)
    files = init.experiment("dmx", release="2026.11", date="2026-11-22", target=TARGET, lode=lode).files
    job = yaml.safe_load(files[PurePosixPath(".github/workflows/lode.yml")])["jobs"]["stack"]
    assert job["uses"] == f"mine/lode/.github/workflows/experiment.yml@{'ab' * 20}"
    assert job["with"] == {
        "lode-repository": "mine/lode",
        "lode-ref": "ab" * 20,
        "stack": "dmx",
        "targets": '["debian12-x86_64"]',
    }
    shared = yaml.safe_load((ROOT / ".github" / "workflows" / "experiment.yml").read_text())
    inputs = shared[True]["workflow_call"]["inputs"]  # YAML 1.1 reads `on` so
    assert {name for name, said in inputs.items() if said.get("required")} <= set(job["with"]) <= set(inputs)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/mine/lode.git", "mine/lode"),
        ("git@github.com:mine/lode", "mine/lode"),
        ("https://forge.example.org/mine/lode.git", None),
        ("https://github.com.example.org/mine/lode.git", None),
    ],
)
def test_a_checkout_from_github_knows_its_repository_and_commit(tmp_path: Path, remote: str, name: str | None) -> None:
    assert init.published(tmp_path) is None
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for words in (
        ["init", "-q"],
        [*settings, "commit", "-q", "--allow-empty", "-m", "x"],
        ["remote", "add", "origin", remote],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    head = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert init.published(tmp_path) == (None if name is None else (name, head.stdout.strip()))


@pytest.mark.parametrize("name", ["DMX", "dm x", "", "1dm", "dm/x", "..", "dm\n"])
def test_name_that_cannot_be_a_stacks_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        init.experiment(name, release="2026.11", date="2026-11-22", target=TARGET)
    assert str(caught.value) == (
        f"an experiment cannot be called {name!r} here\n"
        "  hint: lower-case letters, digits and dashes, beginning with a letter: --experiment dance"
    )


def test_nothing_is_overwritten_and_nothing_written_when_a_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "collection.yaml").symlink_to("nowhere")
    files = init.experiment("dmx", release="2026.11", date="2026-11-22", target=TARGET)
    with pytest.raises(UsageError) as caught:
        init.create(files, tmp_path)
    assert [fault.message for fault in caught.value.faults] == [
        f"{tmp_path}/README.md is already there",
        f"{tmp_path}/collection.yaml is already there",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "collection.yaml"]
    assert (tmp_path / "README.md").read_text() == "mine"
