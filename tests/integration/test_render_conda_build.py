"""conda-build itself checks every rendered recipe, and builds a small chain of them with the compiler of the OS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.chain import SAYS, chain
from tests.locking.world import target
from tests.rendering.shipped import references, shipped

from lode import tree
from lode.definitions.target import Compiler
from lode.rendering import agreement
from lode.rendering.conda import words
from lode.rendering.conda_build import render

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def conda_build() -> Path:
    """Return conda-build, which is in no package registry that has programs of Python or Debian."""
    named = os.environ.get("LODE_TEST_CONDA_BUILD")
    found = named or shutil.which("conda-build")
    if not found:
        pytest.skip("there is no conda-build on PATH, and LODE_TEST_CONDA_BUILD does not name one")
    return Path(found)


def run(program: Path, *words: str | Path, home: Path, mirror: Path) -> subprocess.CompletedProcess[str]:
    """Run conda-build, which is given no address but local ones, with everything that it writes below `home`."""
    (home / "condarc").write_text("solver: rattler\nchannels: []\n")
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": str(home),
        "CONDARC": str(home / "condarc"),
        "CONDA_PKGS_DIRS": str(home / "packages"),
        "CONDA_OVERRIDE_CUDA": "",
        "LODE_MIRROR": mirror.as_uri(),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        [program, *words], env=environment, cwd=home, capture_output=True, text=True, timeout=540, check=False
    )


READ = """
import json, sys
from conda_build.api import render

def main():
    variants, *folders = sys.argv[1:]
    for folder in folders:
        ((made, _, _),) = render(folder, variant_config_files=[variants], finalize=False, bypass_env_check=True)
        sources = made.get_section("source")
        print("READ", json.dumps({
            "name": made.name(), "version": made.get_value("extra/lode")["version"], "string": made.build_id(),
            "sums": sorted(one["sha256"] for one in sources if "url" in one),
            "summary": made.get_value("about/summary"),
            "needs": sorted({pin.split()[0] for kind in ("build", "host", "run")
                             for pin in made.get_value(f"requirements/{kind}") if len(pin.split()) == 3}),
        }))

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("reference", references())
def test_conda_build_reads_every_shipped_recipe_as_it_was_meant(
    reference: str, conda_build: Path, tmp_path: Path
) -> None:
    lock, recipes, file = shipped(reference)
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path / "out")
    (tmp_path / "read.py").write_text(READ)
    for name in [one.definition.name for one in lock.targets]:
        folders = sorted((tmp_path / "out" / name / "recipes").iterdir())
        variants = tmp_path / "out" / name / "offline/conda_build_config.yaml"
        python = conda_build.resolve().parent / "python"
        done = run(python, tmp_path / "read.py", variants, *folders, home=tmp_path, mirror=tmp_path)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        read = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("READ ")]
        whole = agreement.of_lock(lock, targets=(name,))
        nodes = {node.package: node for node in lock.nodes if name in node.targets}
        assert [one["name"] for one in read] == sorted(nodes)
        for one in read:
            node = nodes[one["name"]]
            assert one["version"] == node.version
            assert one["string"] == words.string(node, name)
            assert one["sums"] == sorted(source.sha256 for source in node.sources if name in source.targets)
            assert one["summary"] == " ".join(node.summary.split())
        assert {(one["name"], other) for one in read for other in one["needs"]} == {
            (need.package, need.needs) for need in whole.needs
        }


def test_conda_build_builds_a_chain_from_a_mirror(conda_build: Path, tmp_path: Path) -> None:
    if not all(map(shutil.which, ("gcc", "cmake", "make", "patch"))):
        pytest.skip("a compiler, cmake, make and patch are needed")
    version = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    here = replace(target(), compiler=Compiler(name="gcc", version=version, languages=("c",)))
    world, lock, file = chain(tmp_path / "mirror", on=here)
    tree.write(render(lock, recipes=world.recipes, file=file).tree, tmp_path / "out")
    root = tmp_path / "out/debian12-x86_64"
    channel = tmp_path / "channel"
    asked = ["--override-channels", "-c", channel.as_uri(), "--no-test", "--output-folder", channel,
             "--croot", tmp_path / "work"]  # fmt: skip
    variants = root / "offline/conda_build_config.yaml"
    stubs = sorted((root / "toolchain").iterdir())
    recipes = [tmp_path / "out" / line for line in (root / "order.txt").read_text().splitlines()]
    for asking in ([*stubs, *asked], *([recipe, "-m", variants, *asked] for recipe in recipes)):
        built = run(conda_build, *asking, home=tmp_path, mirror=tmp_path / "mirror")
        assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-3000:]
    (package,) = (channel / "linux-64").glob("app-1.0-r*.conda")
    work = tmp_path / "unpacked"
    subprocess.run([conda_build.parent / "cph", "extract", package, "--dest", work], check=True, capture_output=True)
    ran = subprocess.run([work / "bin/app"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{SAYS}\n"
