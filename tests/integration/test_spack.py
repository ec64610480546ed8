"""The Spack builder with a real Spack: SPACK_ROOT names it, LODE_SPACK_PACKAGES its packages; without them, skipped."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from tests.locking.world import World, target
from tests.rendering.shipped import catalogue, references, remaining, shipped

from lode import process
from lode.building import spack_lock
from lode.building.seal import best
from lode.building.spack import Shop, Spack, find
from lode.definitions.recipe import Recipe, System, Test, Upstream
from lode.digest import of_bytes
from lode.errors import BuildError
from lode.locking.graph import Lock
from lode.rendering import File
from lode.rendering.spack import render
from lode.rendering.spack.words import Words
from lode.tree import FileTree

pytestmark = pytest.mark.integration
T = "debian12-x86_64"


@pytest.fixture(scope="module")
def spack() -> Spack:
    for name in ("SPACK_ROOT", "LODE_SPACK_PACKAGES"):
        if not os.environ.get(name):
            pytest.skip(f"{name} names no folder: Spack is not here")
    return find(os.environ, packages=None)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what Spack keeps, shared by the tests: its indices take a while."""
    return tmp_path_factory.mktemp("user")


def shop_of(lock: Lock, files: FileTree, spack: Spack, user: Path, tmp_path: Path, name: str = T) -> Shop:
    (tmp_path / "mirror").mkdir(exist_ok=True)
    shop = Shop(spack=spack, seal=best(), folder=tmp_path / "shop", target=name, final_path=lock.final_path(name),
                namespace="lode.lode", mirror=tmp_path / "mirror", user=user, jobs=2, log=tmp_path / "log",
                on_line=lambda line: None)  # fmt: skip
    shop.lay_out(files)
    return shop


def differences(lock: Lock, recipes: Mapping[str, Recipe], shop: Shop) -> tuple[str, ...]:
    words = Words(lock=lock, recipes=recipes, namespace="lode.lode")
    return spack_lock.differences(lock, shop.target, spack_lock.read(shop.lock_file), words)


def of_world(world: World) -> File:
    return lambda package, path: world.files[package, path]


def outside(shop: Shop, *words: str) -> process.Completed:
    """Return what Spack says when it is run as a user would, with the settings that the builder made."""
    env = {"PATH": os.environ["PATH"], "HOME": str(shop.folder / "home"), "SPACK_PYTHON": str(shop.spack.python),
           "SPACK_USER_CACHE_PATH": str(shop.user), "SPACK_DISABLE_LOCAL_CONFIG": "1", "LODE_MIRROR": "file:///nowhere",
           "SPACK_GNUPGHOME": str(shop.folder / "keys")}  # fmt: skip
    return process.run([str(shop.spack.root / "bin/spack"), *words], env=env, cwd=shop.folder)


def on_each_target() -> list[tuple[str, str]]:
    return [(one, name) for one in references() for name in catalogue().stack(one).targets]


@pytest.mark.parametrize(("reference", "name"), on_each_target())
def test_spack_chooses_what_the_lock_says(spack: Spack, user: Path, tmp_path: Path, reference: str, name: str) -> None:
    lock, recipes, file = shipped(reference)
    shop = shop_of(lock, render(lock, recipes=recipes, file=file).tree, spack, user, tmp_path, name)
    shop.concretize()
    assert differences(lock, recipes, shop) == ()


def test_spack_chooses_what_a_lock_says_of_recipes_that_no_stack_has(spack: Spack, user: Path, tmp_path: Path) -> None:
    for lock, recipes, file in remaining():
        (target,) = lock.targets
        files = render(lock, recipes=recipes, file=file).tree
        (tmp_path / target.definition.name).mkdir()
        shop = shop_of(lock, files, spack, user, tmp_path / target.definition.name, target.definition.name)
        shop.concretize()
        assert differences(lock, recipes, shop) == ()


def test_spack_finds_no_fault_in_any_package(spack: Spack, user: Path, tmp_path: Path) -> None:
    lock, recipes, file = shipped("dance@2026.11")
    shop = shop_of(lock, render(lock, recipes=recipes, file=file).tree, spack, user, tmp_path)
    builtin = spack.packages / "repos/spack_repo/builtin"
    (tmp_path / "own").mkdir()
    (tmp_path / "own/spack.yaml").write_text(f"spack:\n  specs: []\n  repos:\n    'builtin:': {builtin}\n")
    repository = shop.folder / "environment/repository/spack_repo/lode/lode"
    added = outside(shop, "-e", str(tmp_path / "own"), "repo", "add", str(repository))
    assert added.status == 0, added.stderr
    packages = [folder.name.replace("_", "-") for folder in (repository / "packages").iterdir()]
    audited = outside(shop, "-e", str(tmp_path / "own"), "audit", "packages", *sorted(packages))
    assert (audited.status, "issue" in audited.stdout) == (0, False), audited.stdout


def test_a_package_left_to_spack_is_spacks_own_of_that_version_and_variants(
    spack: Spack, user: Path, tmp_path: Path
) -> None:
    world = World(target(externals="make=4.3"))
    world.add("bzip2", "1.0.8")
    world.recipes["bzip2"] = replace(world.recipes["bzip2"], upstream=Upstream(spack="bzip2 +pic ~shared"))
    world.add("app", "1.0", needs=["bzip2"], system=System.SCRIPT)
    lock = world.lock(world.stack("app", upstream=("bzip2",)))
    shop = shop_of(lock, render(lock, recipes=world.recipes, file=of_world(world)).tree, spack, user, tmp_path)
    shop.concretize()
    assert differences(lock, world.recipes, shop) == ()
    (bzip2,) = [one for one in spack_lock.read(shop.lock_file).values() if one.name == "bzip2"]
    assert (bzip2.namespace, bzip2.parameters["pic"], bzip2.parameters["shared"]) == ("builtin", True, False)


def test_what_spack_chooses_otherwise_or_cannot_choose_is_told(spack: Spack, user: Path, tmp_path: Path) -> None:
    world = World()
    world.add("zlib", "1.2.13 1.3.1", system=System.SCRIPT)
    world.add("app", "1.0", needs=["zlib"], system=System.SCRIPT)
    lock = world.lock(world.stack("app"))
    files = dict(render(lock, recipes=world.recipes, file=of_world(world)).tree.files)
    path = PurePosixPath(T, "spack.yaml")
    files[path] = files[path].replace(b"zlib@=1.3.1", b"zlib@=1.2.13")
    shop = shop_of(lock, FileTree(files=files), spack, user, tmp_path)
    shop.concretize()
    assert differences(lock, world.recipes, shop) == ("zlib: Spack chose version 1.2.13, the lock has 1.3.1",)

    files[path] = files[path].replace(b"zlib@=1.2.13", b"zlib@=1.2.13 +fast")
    shop.lay_out(FileTree(files=files))
    with pytest.raises(BuildError, match=r"Spack could not concretize the environment: .*'fast'"):
        shop.concretize()


def test_a_node_is_built_tested_and_pushed_signed_without_a_network(spack: Spack, user: Path, tmp_path: Path) -> None:
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        content = b"#!/bin/sh\necho yield 42\n"
        member = tarfile.TarInfo("hello-1.0/hello")
        member.size, member.mode = len(content), 0o755
        archive.addfile(member, io.BytesIO(content))
    source = gzip.compress(buffer.getvalue(), mtime=0)
    world = World()
    world.add("hello", "1.0", system=System.SCRIPT)
    recipe = world.recipes["hello"]
    first = recipe.versions[0]
    sources = (replace(first.sources[0], sha256=of_bytes(source), size=len(source), subdirectory=""),)
    world.recipes["hello"] = replace(
        recipe,
        versions=(replace(first, sources=sources),),
        build=replace(recipe.build, script='mkdir -p "$PREFIX/bin"\ncp hello "$PREFIX/bin"\n'),
        tests=(Test(name="says", run="$PREFIX/bin/hello | grep -q 'yield 42'"),),
    )
    lock = world.lock(world.stack("hello"))
    shop = shop_of(lock, render(lock, recipes=world.recipes, file=of_world(world)).tree, spack, user, tmp_path)
    sha256 = of_bytes(source)
    place = tmp_path / "mirror/_source-cache/archive" / sha256[:2] / f"{sha256}.tar.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(source)

    shop.concretize()
    (key,) = [one.hash for one in spack_lock.read(shop.lock_file).values() if one.name == "hello"]
    assert shop.sources() == ()
    shop.install([key])
    shop.test([key])
    prefix = shop.prefixes()[key]
    assert (prefix / "bin/hello").read_bytes() == content

    keys = shop.folder / "keys"
    keys.mkdir(mode=0o700)
    made = outside(shop, "-C", str(shop.folder / "settings"), "gpg", "create", "Lode Test", "test@example.org")
    assert made.status == 0, made.stderr
    shop.push([key], tmp_path / "cache", keys, None)
    (manifest,) = (tmp_path / "cache/v3/manifests/spec/hello").iterdir()
    assert manifest.read_bytes().startswith(b"-----BEGIN PGP SIGNED MESSAGE-----")
