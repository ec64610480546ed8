"""EasyBuild itself reads the rendered easyconfigs, resolves what they need, and builds a small chain of them."""

from __future__ import annotations

import bz2
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.chain import chain
from tests.rendering.shipped import catalogue, references, shipped

from lode import tree
from lode.errors import SourceError
from lode.rendering import agreement
from lode.rendering.easybuild import render
from lode.rendering.easybuild.words import NAMES, suffix
from lode.rendering.names import here
from lode.sourcing.access import Access
from lode.sourcing.fetch import fetch
from lode.sourcing.mirror import Mirror

pytestmark = pytest.mark.integration

LMOD = Path("/usr/share/lmod/lmod/libexec/lmod")
READ = """
import json, sys
from easybuild.framework.easyconfig.parser import EasyConfigParser
from easybuild.tools.options import set_up_configuration
set_up_configuration(args=["--allow-use-as-root-and-accept-consequences"], silent=True)
print(json.dumps([EasyConfigParser(path).get_config_dict() for path in sys.argv[1:]]))
"""


@pytest.fixture(scope="session")
def easybuild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of a virtual environment that has EasyBuild."""
    if not LMOD.is_file():
        pytest.skip("there is no Lmod: install the Debian package lmod")
    ready = os.environ.get("LODE_TEST_EASYBUILD")
    if ready:
        return Path(ready) / "bin"
    folder = tmp_path_factory.mktemp("easybuild")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    installed = subprocess.run(
        [folder / "bin/pip", "install", "-q", "easybuild>=5,<6"], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        pytest.skip(f"EasyBuild cannot be installed: {installed.stderr.strip().splitlines()[-1]}")
    return folder / "bin"


def eb(programs: Path, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of EasyBuild's with everything it writes below `home`."""
    environment = {
        "PATH": f"{programs}:{LMOD.parent}:/usr/bin:/bin:/usr/sbin",
        "HOME": str(home),
        "LMOD_CMD": str(LMOD),
        "EASYBUILD_MODULES_TOOL": "Lmod",
        "EASYBUILD_PREFIX": str(home),
        "EB_PYTHON": str(programs / "python"),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        [str(programs / words[0]), *words[1:]],
        env=environment, cwd=home, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("reference", references())
def test_easybuild_reads_what_the_lock_says_and_resolves_it(reference: str, easybuild: Path, tmp_path: Path) -> None:
    lock, recipes, file = shipped(reference)
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path / "out")
    for name in [one.definition.name for one in lock.targets]:
        folder = tmp_path / "out" / name
        paths = sorted(map(str, folder.rglob("*.eb")))
        read = eb(easybuild, "python", "-c", READ, *paths, home=tmp_path)
        assert read.returncode == 0, read.stderr
        whole = agreement.of_lock(lock, targets=(name,))
        items, needs = set(), set()
        for said in json.loads(read.stdout.splitlines()[-1]):
            package = here(said["name"], NAMES)
            sums, count = said.get("checksums", []), len(said.get("sources", []))
            items.add((package, said["version"], tuple(sorted(sums[:count])), tuple(sums[count:])))
            needed = [*said.get("dependencies", []), *said.get("builddependencies", [])]
            needs |= {(package, here(other, NAMES)) for other, _, _ in needed}
        assert items == {(one.package, one.version, one.sources, one.patches) for one in whole.items}
        assert needs == {(one.package, one.needs) for one in whole.needs}
        planned = eb(
            easybuild, "eb", "--allow-use-as-root-and-accept-consequences", "--ignore-osdeps", "--dry-run",
            f"--robot={folder}", "--terse", *paths, home=tmp_path,
        )  # fmt: skip
        assert planned.returncode == 0, planned.stdout + planned.stderr


def test_easybuild_builds_two_nodes_from_a_mirror(easybuild: Path, tmp_path: Path) -> None:
    if not all(map(shutil.which, ("gcc", "cmake", "make", "patch"))):
        pytest.skip("a compiler, cmake, make and patch are needed")
    world, lock, file = chain(tmp_path / "mirror")
    tree.write(render(lock, recipes=world.recipes, file=file).tree, tmp_path / "out")
    built = eb(
        easybuild, "eb", "--allow-use-as-root-and-accept-consequences", f"--robot={tmp_path}/out/debian12-x86_64",
        f"--sourcepath={tmp_path}/mirror", f"app-1.0{suffix(lock)}.eb", home=tmp_path,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-2000:]
    assert (tmp_path / f"software/app/1.0{suffix(lock)}/bin/app").is_file()


def test_easybuild_builds_two_packages_of_dance_mini(easybuild: Path, tmp_path: Path) -> None:
    lock, recipes, file = shipped("dance-mini@2026.11")
    target = lock.target("debian12-x86_64").definition
    version = subprocess.run([target.compiler.c, "-dumpfullversion"], capture_output=True, text=True, check=False)
    if version.stdout.strip() != target.compiler.version:
        pytest.skip(f"the compiler of this host is not that of {target.name}")
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path / "out")
    mirror, access = Mirror(tmp_path / "mirror"), Access(archive="")
    try:
        fetch(lock, mirror, targets=[target.name], packages=["zlib", "bzip2"], access=access,
              recipe_file=catalogue().recipe_file)  # fmt: skip
    except SourceError as error:
        pytest.skip(f"the sources are not reachable from here: {error}")
    names = [f"{name}-{lock.node(name).version}{suffix(lock)}" for name in ("zlib", "bzip2")]
    built = eb(
        easybuild, "eb", "--allow-use-as-root-and-accept-consequences", f"--robot={tmp_path}/out/{target.name}",
        f"--sourcepath={mirror.root}", *(f"{name}.eb" for name in names), home=tmp_path,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-2000:]
    assert (tmp_path / f"software/zlib/{names[0].removeprefix('zlib-')}/lib/libz.so.1").exists()
    bzip2 = tmp_path / f"software/bzip2/{names[1].removeprefix('bzip2-')}/bin/bzip2"
    packed = subprocess.run([bzip2, "-c"], input=b"dance", capture_output=True, check=True).stdout
    assert bz2.decompress(packed) == b"dance"
