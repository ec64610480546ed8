"""`lode render` as it is called, on a collection on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lode.cli import main
from lode.workflow.render import RECORD

TARGETS = Path(__file__).parents[2] / "containers" / "targets"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
APP = Path("out/repository/spack_repo/lode/experiment/packages/app/package.py")
RENDER = ["render", "daq", "--to", "spack", "-o", "out"]


def recipe(root: Path, name: str, version: str, link: str = "") -> None:
    folder = root / "recipes" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(
        f"name: {name}\nsummary: A package for tests\nhomepage: https://example.org\nlicense: MIT\nversions:\n"
        f'  - version: "{version}"\n'
        f'    source: [{{url: "https://example.org/{name}-{version}.tar.gz", sha256: {SHA256}}}]\n'
        f"dependencies:\n  link: [{link}]\nbuild: {{system: cmake}}\n"
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the folder of a collection with a locked stack on two targets, which is the current one."""
    folder = tmp_path / "experiment"
    (folder / "containers" / "targets").mkdir(parents=True)
    for name in ("debian12-x86_64", "debian13-x86_64"):
        shutil.copy(TARGETS / f"{name}.yaml", folder / "containers" / "targets")
    (folder / "collection.yaml").write_text('name: experiment\nversion: "1"\n')
    recipe(folder, "app", "1.2", link="lib")
    recipe(folder, "lib", "2.0")
    stack = folder / "stacks" / "daq" / "1"
    stack.mkdir(parents=True)
    (stack / "stack.yaml").write_text(
        'name: daq\nrelease: "1"\ndate: 2026-11-01\nsummary: A stack for tests\n'
        "targets: [debian12-x86_64, debian13-x86_64]\nrequirements: [app]\n"
    )
    monkeypatch.chdir(folder)
    assert main.run(["lock", "daq"]) == 0
    capsys.readouterr()
    return folder


def test_files_record_and_what_is_lost_are_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(RENDER) == 0
    assert capsys.readouterr().out == (
        "out: daq@1 for spack (debian12-x86_64, debian13-x86_64), 23 files\n"
        "said less exactly than in the lock:\n"
        "  the stack pins no commit of Spack itself: any Spack from 1.0 on will do\n"
        "  the stack pins no commit of Spack's packages: compiler wrappers are taken as they come\n"
    )
    record = json.loads((root / "out" / RECORD).read_text())
    assert record["targets"] == ["debian12-x86_64", "debian13-x86_64"]
    assert str(APP.relative_to("out")) in record["files"]
    assert len(record["weakenings"]) == 2
    assert main.run([*RENDER, "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lock"] == record["lock"]


def test_one_target_alone_takes_the_others_away(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(RENDER) == 0
    assert main.run([*RENDER, "--target", "debian13-x86_64"]) == 0
    assert "22 files, 1 old ones removed" in capsys.readouterr().out
    assert not (root / "out/debian12-x86_64/spack.yaml").exists()
    assert main.run([*RENDER, "--target", "debian13-x86_64", "--check"]) == 0
    assert main.run([*RENDER, "--target", "el9"]) == 2
    assert "daq@1 has no target 'el9'\n  hint: it has: debian12-x86_64, debian13" in capsys.readouterr().err


def test_check_names_what_disagrees_and_the_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(RENDER) == 0
    text = APP.read_text()
    APP.write_text(text.replace(SHA256, "0" * 64).replace('"lib"', '"libx"'))
    capsys.readouterr()
    assert main.run([*RENDER, "--check"]) == 9
    faults = capsys.readouterr().err
    for target in ("debian12-x86_64", "debian13-x86_64"):
        assert f"app on {target} has the sources 000000000000, the lock says e3b0c44298fc\n" in faults
        assert f"app on {target} does not need lib, the lock says it does\n" in faults
    assert f"{APP}: the file is not as the lock renders to\n  hint: `lode render daq --to spack -o out`" in faults
    APP.unlink()
    assert main.run([*RENDER, "--check"]) == 9
    assert f"{APP}: the file is missing" in capsys.readouterr().err
    assert main.run(["render", "daq", "--to", "spack", "-o", "nowhere", "--check"]) == 10


def test_files_that_were_edited_or_are_not_ours_stay(root: Path) -> None:
    assert main.run(RENDER) == 0
    note = root / "out/README"
    note.write_text("ours\n")
    edited = root / "out/debian12-x86_64/spack.yaml"
    edited.write_text(edited.read_text() + "# a note\n")
    assert main.run([*RENDER, "--target", "debian13-x86_64"]) == 0
    assert note.read_text() == "ours\n"
    assert edited.read_text().endswith("# a note\n")


def test_a_recipe_that_changed_since_the_lock_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe(root, "lib", "2.0", link="")
    path = root / "recipes/lib/recipe.yaml"
    path.write_text(path.read_text().replace("system: cmake", "system: autotools"))
    assert main.run(RENDER) == 5
    assert capsys.readouterr().err == (
        "recipes/lib/recipe.yaml:1:1: the recipe of lib says other things of version 2.0 than when the lock was made\n"
        "  hint: `lode lock daq@1` brings the lock up to date\n"
    )
    recipe(root, "lib", "3.0")
    assert main.run(RENDER) == 5
    assert "the recipe of lib no longer has version 2.0, which the lock has" in capsys.readouterr().err


def test_a_folder_of_another_renderer_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "out").mkdir()
    (root / "out" / RECORD).write_text(json.dumps({"renderer": "conda", "files": {}}))
    assert main.run(RENDER) == 2
    assert capsys.readouterr().err == (
        "out holds a rendering for conda\n  hint: give each renderer a folder of its own\n"
    )
