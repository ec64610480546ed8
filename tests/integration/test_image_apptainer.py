"""Images in a real Apptainer: as SIF file, from a registry, and as an unpacked root file system."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.integration.apptainer import apptainer
from tests.integration.engines import LocalRegistry
from tests.integration.test_image import FINAL, base, lode, prefix, push, stack
from tests.testing.factory import TARGET

from lode import inventory
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix

__all__ = ["apptainer", "base", "prefix", "stack"]
pytestmark = pytest.mark.integration

# No home folder and no privileges, as a careful site runs images; devpts is what a container may not mount.
PLAIN = ("--no-home", "--no-mount", "hostfs,bind-paths,devpts", "--no-privs")


def execute(apptainer: Path, image: Path, *command: str) -> str:
    """Return what a command in the image prints; the test fails with Apptainer's words when it does not run."""
    done = run(apptainer, "exec", *PLAIN, image, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(apptainer: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [apptainer / "apptainer", *map(str, words)], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def sif(prefix: Prefix, base: Path, apptainer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sif")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{apptainer}{os.pathsep}{os.environ['PATH']}")
        lode("image", str(prefix.root), "-o", str(folder / "layout"), "--base", str(base), "--sif")
    return folder / f"mini-2026.11-{TARGET}.sif"


def test_sif_runs_the_stack(sif: Path, apptainer: Path) -> None:
    assert execute(apptainer, sif, "nest") == f"{FINAL}/share/nest {os.getuid()} 1 2 3\n"


def test_sif_says_what_stack_it_is(sif: Path, apptainer: Path, prefix: Prefix) -> None:
    labels = run(apptainer, "inspect", "--labels", sif).stdout
    assert f"lode.inventory: sha256:{prefix.inventory}" in labels.splitlines()


def test_tree_in_the_sif_is_the_one_that_the_inventory_lists(
    sif: Path, apptainer: Path, prefix: Prefix, tmp_path: Path
) -> None:
    copy = ["/bin/busybox", "cp", "-a", FINAL, "/mnt/tree"]
    done = run(apptainer, "exec", *PLAIN, "--bind", f"{tmp_path}:/mnt", sif, *copy)
    assert done.returncode == 0, done.stderr
    found = inventory.scan(tmp_path / "tree", exclude=[prefixes.INVENTORY])
    assert list(inventory.compare(inventory.read(prefix.root / prefixes.INVENTORY), found)) == []


def test_image_of_a_registry_runs_the_stack(
    prefix: Prefix, base: Path, registry: LocalRegistry, apptainer: Path, tmp_path: Path
) -> None:
    name = push(prefix, base, registry, "apptainer/mini", tmp_path / "layout")
    done = run(apptainer, "pull", "--no-https", tmp_path / "pulled.sif", f"docker://{name}")
    assert done.returncode == 0, done.stderr
    assert execute(apptainer, tmp_path / "pulled.sif", "nest") == f"{FINAL}/share/nest {os.getuid()} 1 2 3\n"


def test_unpacked_root_file_system_runs_the_stack(prefix: Prefix, base: Path, apptainer: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    lode("image", str(prefix.root), "-o", str(tmp_path / "layout"), "--base", str(base), "--rootfs", str(root))
    said = execute(apptainer, root, "/bin/sh", "-c", f". {FINAL}/setup.sh && nest")
    assert said == f"{FINAL}/share/nest {os.getuid()} 1 2 3\n"
