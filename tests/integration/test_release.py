"""`lode release` of a small experiment, as its developer runs it: real compiler, real builder, real prefix."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lode.building.seal import best
from lode.workflow import host

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(host.this_os()[:2] != ("debian", "12"), reason="the stack is for Debian 12"),
]

RECIPE = """\
name: {name}
summary: A counter of pulses
homepage: https://counter.example.org
license: BSD-3-Clause
versions:
  - version: "1.0"
    source: [{{path: src}}]
dependencies:
  build: [c]
  link: [{link}]
build:
  system: script
  script: |
    mkdir -p "$PREFIX/bin" "$PREFIX/share/{name}"
    {pause}
    $CC $CFLAGS -o "$PREFIX/bin/{name}" main.c $LDFLAGS
    echo "$PREFIX" > "$PREFIX/share/{name}/where"
tests:
  - name: counts
    run: test "$({name} 4)" = 7
  - name: knows-its-place
    run: test "$(cat "$PREFIX/share/{name}/where")" = "$PREFIX"
"""
MAIN = """\
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) { printf("%d", atoi(words[1]) + 3); return count != 2; }
"""
STACK = """\
name: tiny
release: "1"
date: 2026-11-01
summary: Two programs
targets: [debian12-x86_64]
requirements: [counter, scaler]
publish: {cvmfs: tiny.example.org}
tests:
  - {name: chain, run: 'test "$(counter 4)" = "$(scaler 4)"'}
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Return a collection with a stack of two small C programs."""
    folder = tmp_path / "experiment"
    for name, link in (("counter", ""), ("scaler", "counter")):
        source = folder / "recipes" / name / "src"
        source.mkdir(parents=True)
        (source / "main.c").write_text(MAIN)
        (source.parent / "recipe.yaml").write_text(RECIPE.format(name=name, link=link, pause=":"))
    (folder / "stacks/tiny/1").mkdir(parents=True)
    (folder / "stacks/tiny/1/stack.yaml").write_text(STACK)
    (folder / "collection.yaml").write_text('name: tiny\nversion: "1"\nsummary: For a test\n')
    run(folder, "lock", "tiny")
    return folder


def run(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Return what the command printed, in `folder`; the test fails unless it exits with `status`."""
    command = [sys.executable, "-m", "lode", *arguments]
    environ = {**os.environ, "LODE_KEY_PASSWORD": ""}
    completed = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert completed.returncode == status, f"{arguments}: {completed.returncode}\n{completed.stdout}{completed.stderr}"
    return completed


def released(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what `lode release tiny --json` says; images would need a runtime, which takes a minute to make."""
    words = ["release", "tiny", "--json", "--without", "images", *arguments]
    document: dict[str, Any] = json.loads(run(folder, *words).stdout)
    return document


def test_release_builds_tests_and_reports(experiment: Path) -> None:
    made = released(experiment)
    folder = Path(made["folder"])
    (target,) = made["targets"]
    assert (target["nodes"], target["built"]) == (2, 2)
    assert target["tests"] == {"passed": 5, "failed": 0, "skipped": 0}
    assert target["final_path"] == "/cvmfs/tiny.example.org/tiny/1/debian12-x86_64"
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        "CITATION.cff",
        "LICENCES.txt",
        "debian12-x86_64",
        "delivery.json",
        "index.json",
        "index.json.dsse",
        "index.json.sigstore.json",
        "lode.lock",
        "lode.lock.dsse",
        "lode.lock.sigstore.json",
        "references.bib",
        "report.html",
    ]
    assert "scaler" in (folder / "report.html").read_text()
    index = json.loads((folder / "index.json").read_text())
    assert index["lock"] == made["lock"]
    said = run(experiment, "shell", "tiny", "--", "sh", "-c", 'counter 4; printf " %s" "$LODE_PREFIX"')
    assert said.stdout == "7 /cvmfs/tiny.example.org/tiny/1/debian12-x86_64"


def test_second_release_does_nothing_again(experiment: Path) -> None:
    first = released(experiment)
    second = released(experiment)
    (before,), (after,) = first["targets"], second["targets"]
    assert (after["built"], after["tested"]) == (0, False)
    assert after["inventory"] == before["inventory"]
    assert released(experiment, "--test-again")["targets"][0]["tested"] is True


def test_a_release_is_in_the_repository_and_signed_and_stays_so(experiment: Path) -> None:
    first, second = released(experiment), released(experiment)
    assert first["cvmfs"]["name"] == "tiny.example.org"
    assert (first["cvmfs"]["revision"], first["cvmfs"]["new"]) == (2, True)
    assert second["cvmfs"] == {**first["cvmfs"], "new": False}
    (key,) = {key for one in first["signed"]["signatures"] for key in one["keys"]}
    assert [one["kind"] for one in first["signed"]["signatures"]] == ["lock", "prefix", "release"]
    assert second["signed"] == first["signed"]
    assert key in run(experiment, "keys", "show").stdout
    said = run(experiment, "verify", "release", "tiny", "--key", _public(experiment, key)).stdout
    assert said.startswith("verified: ")
    page = (Path(first["folder"]) / "report.html").read_text()
    assert first["cvmfs"]["root"] in page


def test_repository_that_a_release_made_is_kept_by_the_commands_of_cvmfs(experiment: Path) -> None:
    released(experiment)
    for words in (["check"], ["tag"], ["gc"], ["resign"], ["client-config", "-o", "site", "--server", "http://s1"]):
        run(experiment, "cvmfs", words[0], "tiny.example.org", *words[1:])
    assert (experiment / "site/config.d/tiny.example.org.conf").is_file()
    said = run(experiment, "cvmfs", "check", "other.example.org", status=3).stderr
    assert said.startswith("there is no repository called 'other.example.org'\n")


def _public(experiment: Path, key: str) -> str:
    """Return the file of the user's public key."""
    (found,) = json.loads(run(experiment, "keys", "show", "--json").stdout)["keys"]
    assert found["fingerprint"] == key
    return str(found["public_file"])


def test_parts_that_are_not_wanted_or_cannot_be_are_left_out_with_the_reason(experiment: Path) -> None:
    made = released(experiment, "--without", "cvmfs", "--without", "signatures")
    assert (made["cvmfs"], made["signed"], made["images"], made["left"]) == (None, None, None, {})
    words = ["release", "tiny", "--without", "images", "--without", "cvmfs"]
    said = run(experiment, *words, "--key", "nobody", status=2).stderr
    assert said.splitlines()[-2].startswith("there is no signing key in ")
    run(experiment, "keys", "init", "one")
    run(experiment, "keys", "init", "two")
    made = json.loads(run(experiment, *words, "--json").stdout)
    assert made["signed"] is None
    assert made["left"] == {"signatures": "there are several signing keys"}


def test_two_clean_releases_in_different_folders_are_one_tree(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(experiment)
    copy = tmp_path / "a much longer name of another folder" / "experiment"
    shutil.copytree(experiment, copy)
    monkeypatch.setenv("LODE_HOME", str(tmp_path / "another home"))
    second = released(copy, "-j", "1")
    assert second["targets"][0]["built"] == 2
    assert second["targets"][0]["inventory"] == first["targets"][0]["inventory"]
    assert second["lock"] == first["lock"]


def test_failing_test_ends_the_release_with_its_page(experiment: Path) -> None:
    stack = experiment / "stacks/tiny/1/stack.yaml"
    stack.write_text(STACK.replace("scaler 4", "scaler 5"))
    run(experiment, "lock", "tiny")
    said = run(experiment, "release", "tiny", "--without", "images", status=8).stderr
    assert "1 test failed on debian12-x86_64" in said
    assert "tests.html" in said
    stack.write_text(STACK)
    run(experiment, "lock", "tiny")
    assert released(experiment)["targets"][0]["tests"]["passed"] == 5


def test_changed_recipe_asks_for_a_new_lock(experiment: Path) -> None:
    recipe = experiment / "recipes/counter/recipe.yaml"
    recipe.write_text(recipe.read_text().replace("$CFLAGS", "$CFLAGS -DMORE"))
    said = run(experiment, "release", "tiny", status=5).stderr
    assert said == (
        "stacks/tiny/1/lode.lock: the lock is not what the definitions say today\n"
        "  hint: `lode lock tiny`, read what changes, and commit it\n"
    )


def test_faults_of_definitions_come_before_anything_is_built(experiment: Path) -> None:
    stack = experiment / "stacks/tiny/1/stack.yaml"
    stack.write_text(STACK.replace("summary:", "sumary:"))
    said = run(experiment, "release", "tiny", status=3).stderr
    assert said == "stacks/tiny/1/stack.yaml:4:1: stack: unknown key 'sumary'\n  hint: did you mean 'summary'?\n"


def test_killed_release_goes_on_where_it_was(experiment: Path, own_home: Path) -> None:
    recipe = experiment / "recipes/scaler/recipe.yaml"
    recipe.write_text(RECIPE.format(name="scaler", link="counter", pause="sleep 60"))
    run(experiment, "lock", "tiny")
    command = [sys.executable, "-m", "lode", "release", "tiny"]
    process = subprocess.Popen(
        command, cwd=experiment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    work = own_home / "lode" / "cache" / "work"
    while not any("scaler" in path.parent.name for path in work.glob("*/log")):  # it lingers; counter is in the cache
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    recipe.write_text(RECIPE.format(name="scaler", link="counter", pause=":"))
    run(experiment, "lock", "tiny")
    target = released(experiment)["targets"][0]
    assert (target["nodes"], target["built"]) == (2, 1)  # the first was in the cache
    assert target["tests"]["failed"] == 0


def test_release_into_a_folder_that_cannot_be_written_says_so(experiment: Path) -> None:
    place = experiment / "taken" / "releases"
    place.parent.write_text("a file")
    said = run(experiment, "release", "tiny", "-o", str(place), status=10).stderr
    assert said.endswith(
        f"\nnothing can be written to {place}: Not a directory\n  hint: name another folder with --output\n"
    )


def test_seal_of_this_machine_is_in_the_report(experiment: Path) -> None:
    made = released(experiment)
    build = json.loads((Path(made["folder"]) / "debian12-x86_64" / "build.json").read_text())
    assert best().kind in json.dumps(build)
