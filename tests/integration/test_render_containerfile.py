"""Docker builds the rendered context of a small chain from its files alone, without a network, and its image runs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.chain import SAYS, UNIT, chain
from tests.integration.engines import Engine
from tests.integration.host_image import import_host
from tests.locking.world import target

from lode import tree
from lode.definitions.target import Compiler
from lode.rendering.containerfile import base, render

pytestmark = pytest.mark.integration

TOOLS = ["gcc", "make", "cmake", "patch", "libc6-dev", "tar", "gzip"]
SYSTEM = ["bash", "coreutils", "dash", "dpkg", "findutils", "grep", "sed"]


def test_docker_builds_a_chain_and_refuses_other_bytes(engine: Engine, tmp_path: Path) -> None:
    if not all(map(shutil.which, ("gcc", "cmake", "make", "patch", "dpkg-query"))):
        pytest.skip("a compiler, cmake, make and patch of Debian are needed")
    version = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    compiler = Compiler(name="gcc", version=version, languages=("c",))
    here = replace(target(), compiler=compiler, system_packages=tuple(sorted(TOOLS)), runtime_packages=("libc6",))
    world, lock, file = chain(tmp_path / "mirror", on=here)
    tree.write(render(lock, recipes=world.recipes, file=file).tree, tmp_path / "out")
    context = tmp_path / "out/debian12-x86_64"
    shutil.copytree(tmp_path / "mirror", context / "sources", dirs_exist_ok=True)
    building = ["build", "--network", "none", "-f", str(context / "Containerfile"), "-t", "lode-test", str(context)]
    import_host(engine, base(here), [*TOOLS, *SYSTEM])
    built = engine.docker(*building, check=False)
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-2000:]
    ran = engine.docker(
        "run", "--rm", "--network", "none", "lode-test", "sh", "-c",
        'app && echo "$DEEP_UNIT" && ls "$LODE_PREFIX" /lode', check=False,
    )  # fmt: skip
    assert ran.stdout == f"{SAYS}\n{UNIT}\n{lock.final_path('debian12-x86_64')}:\nbin\ninclude\n", ran.stderr
    assert "/lode" in ran.stderr  # nothing of the builder is in the image that users run

    deep = lock.node("deep").sources[0].sha256
    stored = f"_source-cache/archive/{deep[:2]}/{deep}.tar.gz"
    (context / "sources" / stored).write_bytes(b"other")
    refused = engine.docker(*building, check=False)
    assert refused.returncode != 0
    assert f"error: deep: there is no source with the sha256 {deep}: sources/{stored} has other bytes;" in (
        refused.stdout + refused.stderr
    )
