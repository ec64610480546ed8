"""`lode test` on a small prefix, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.integration.building import WAVE, WAVE_C, Collection, collection
from tests.testing.factory import TARGET, lock, locked_test, node, whole

from lode import inventory
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.locking.graph import Lock

__all__ = ["collection"]

pytestmark = pytest.mark.integration

REFERENCE = json.dumps({"light": {"value": 5.2, "unit": "keV", "source": "paper", "tolerance": 0.1}})
FILES = {"answer": {"references/n.json": REFERENCE}, ".stack": {"chain.sh": "greet\n"}}


def mini() -> Lock:
    light = 'echo \'{"light": 5.3}\' > "$LODE_NUMBERS"'
    numbers = {"references/n.json": REFERENCE}
    answer = [
        locked_test("greets", run="greet"),
        locked_test("yields", run=light, numbers="references/n.json", files=numbers),
    ]
    fails = [locked_test("fails", run="echo some words; exit 3")]
    chain = locked_test("chain", run="sh chain.sh", files={"chain.sh": "greet\n"})
    return whole(
        lock(node("answer", tests=answer), node("broken", tests=fails), groups={"good": ("answer",)}, tests=[chain])
    )


@pytest.fixture
def prefix(own_home: Path) -> Path:
    """Return the prefix of `mini` in the user's folder for releases."""
    root = own_home / "lode/releases/mini/2026.11" / TARGET / "prefix"
    (root / "bin").mkdir(parents=True)
    (root / "bin/greet").write_text("#!/bin/sh\necho hello\n")
    (root / "bin/greet").chmod(0o755)
    final = mini().final_path(TARGET)
    (root / "setup.sh").write_text(f'PATH="{final}/bin:$PATH"\n')
    for package, files in FILES.items():
        for name, content in files.items():
            path = root / prefixes.TESTS / package / name
            path.parent.mkdir(parents=True)
            path.write_text(content)
    (root / prefixes.LOCK).write_bytes(lockfile.dump(mini()))
    (root / prefixes.RECORD).write_bytes(prefixes.record(mini(), TARGET, None, final, ()))
    inventory.write(inventory.scan(root), own_home / "inventory")
    shutil.move(own_home / "inventory", root / prefixes.INVENTORY)
    return root


def lode(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lode", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ, check=False)


def plain(text: str) -> list[str]:
    """Return the lines without durations."""
    return [
        " ".join(word for word in line.split() if not word.replace(".", "").isdigit()) for line in text.splitlines()
    ]


def test_failure_is_told_with_its_output_and_status_8(prefix: Path) -> None:
    done = lode("test", "mini", "-q")
    assert done.returncode == 8
    lines = plain(done.stdout)
    assert lines[:4] == [
        "✓ answer: greets ms", "✓ answer: yields ms", "✗ broken: fails ms ended with status", "✓ stack: chain ms"
    ]  # fmt: skip
    assert lines[4:] == [
        "", "output of broken: fails", "some words", "", "mini@2026.11 on debian12-x86_64: passed, failed in s"
    ]  # fmt: skip
    assert done.stderr == ("broken: fails: ended with status 3\n  hint: lode test mini --package broken -v\n")


def test_group_and_packages_narrow_the_tests(prefix: Path) -> None:
    assert lode("test", "mini", "-q", "--group", "good").returncode == 0
    listed = lode("test", prefix, "--list", "--package", "stack", "--package", "broken")
    assert (listed.stdout, listed.returncode) == ("broken: fails  run\nstack: chain   run\n2 tests\n", 0)


def test_reports_are_written(prefix: Path, tmp_path: Path) -> None:
    done = lode("test", "mini", "--json", "--junit", tmp_path / "t.xml", "--html", tmp_path / "t.html")
    assert done.returncode == 8
    document = json.loads(done.stdout)
    assert [result["outcome"] for result in document["results"]] == ["passed", "passed", "failed", "passed"]
    assert document["results"][1]["numbers"][0]["value"] == 5.3
    assert ET.parse(tmp_path / "t.xml").getroot().get("failures") == "1"
    assert "some words" in (tmp_path / "t.html").read_text()


def test_copy_of_a_prefix_needs_nothing_else(prefix: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(prefix, tmp_path / "copy")
    shutil.rmtree(prefix)
    assert lode("test", copy, "-q", "--verify", "--group", "good").returncode == 0


def test_edited_tree_is_refused_when_verified(prefix: Path) -> None:
    (prefix / "bin/greet").write_text("#!/bin/sh\necho HELLO\n")
    (prefix / "bin/extra").write_text("")
    assert lode("test", "mini", "-q", "--group", "good").returncode == 0
    done = lode("test", "mini", "-q", "--group", "good", "--verify")
    assert done.returncode == 9
    assert done.stderr == (
        f"{prefix}: the tree is not as listed: added    bin/extra\n"
        f"{prefix}: the tree is not as listed: changed  bin/greet (content)\n"
        "2 entries differ from .lode/inventory.jsonl\n"
        "  hint: copy or install the prefix again; what was added by hand belongs elsewhere\n"
    )


def test_references_are_proposed_elsewhere_and_never_put_in_place(prefix: Path, tmp_path: Path) -> None:
    before = (prefix / ".lode/tests/answer/references/n.json").read_text()
    done = lode("test", "mini", "-q", "--group", "good", "--update-references", tmp_path / "new")
    assert done.stderr == f"1 reference files for review lie in {tmp_path / 'new'}\n"
    assert json.loads((tmp_path / "new/answer/references/n.json").read_text()) == {
        "light": {"value": 5.3, "unit": "keV", "source": "paper", "tolerance": 0.1}
    }
    assert (prefix / ".lode/tests/answer/references/n.json").read_text() == before


def test_unknown_subject_is_a_usage_error(own_home: Path) -> None:
    done = lode("test", "nothing")
    assert (done.returncode, done.stderr) == (
        2, "nothing has no prefix on this machine\n  hint: `lode release nothing` makes it\n"
    )  # fmt: skip


def test_report_that_cannot_be_written_says_so(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = lode("test", "mini", "-q", "--group", "good", "--html", tmp_path / "file/t.html")
    assert done.returncode == 10
    assert done.stderr.startswith(f"{tmp_path}/file/t.html cannot be written: ")


def test_stack_that_was_built_is_installed_and_tested(collection: Collection) -> None:
    collection.recipe("wave", WAVE, files={"wave.c": WAVE_C})
    recipe = collection.root / "recipes" / "wave" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + 'tests:\n  - {name: there, run: "test -e $PREFIX/lib/libwave.so"}\n')
    collection.lock("wave")
    before = collection.lode("test", "tiny", "-q")
    assert (before.returncode, before.stderr.splitlines()[0]) == (2, "tiny has no prefix on this machine")
    collection.build()
    done = collection.lode("test", "tiny", "-q")
    assert (done.returncode, plain(done.stdout)[0]) == (0, "✓ wave: there ms"), done.stderr
    (record,) = (collection.home / "releases").glob(f"tiny/1/*/prefix/{prefixes.RECORD}")
    laid = record.stat().st_ino
    collection.recipe("wave", WAVE + "\n:\n", files={"wave.c": WAVE_C})
    collection.lock("wave")  # not built: what there is is tested
    assert collection.lode("test", "tiny", "-q").returncode == 0
    assert record.stat().st_ino == laid
    collection.build()
    collection.lode("test", "tiny", "-q")
    assert record.stat().st_ino != laid
