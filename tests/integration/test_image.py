"""Images of a real prefix on real engines: they activate, run as nobody in particular, and are the same everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.installing.making import artifact, no_files, sound
from tests.integration.engines import Engine, LocalRegistry, program
from tests.testing.factory import TARGET, lock, node

from lode import config, inventory
from lode.building.artifact import Artifact
from lode.building.cache import Cache
from lode.definitions.recipe import Environment, Kind
from lode.installing import prefix as prefixes
from lode.installing.install import install
from lode.installing.prefix import Prefix
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.progress import Silent
from lode.workflow.deliver import release_images
from lode.workflow.image import Images, Making, make_images

pytestmark = pytest.mark.integration

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"
ODD = "share/nest/" + "/".join(["a-folder-with-a-long-name"] * 11) + "/naïve.txt"


@pytest.fixture(scope="module")
def stack() -> Lock:
    return sound(
        lock(
            node("zlib"),
            node("nest", needs={"zlib": [Kind.LINK]}, environment=Environment(set=(("NEST_DATA", "share/nest"),))),
            requirements=["nest >=2"],
            groups={"base": ("zlib",)},
        )
    )


@pytest.fixture(scope="module")
def prefix(stack: Lock, tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    return installed(stack, tmp_path_factory.mktemp("prefix"))


def installed(stack: Lock, folder: Path, *, text: str = "1 2 3\n") -> Prefix:
    return install(stack, TARGET, artifacts(stack, folder, text=text), folder / "laid", file=no_files)


def artifacts(stack: Lock, folder: Path, *, text: str = "1 2 3\n") -> list[Artifact]:
    files = {
        "zlib": {"lib/libz.so.1": b"z" * 100_000, "lib/twin.so": b"z" * 100_000},
        "nest": {
            "bin/nest": b'#!/bin/sh\necho "$NEST_DATA $(id -u) $(cat "$NEST_DATA/data.txt")"\n',
            "share/nest/data.txt": text.encode(),
            ODD: b"found\n",
        },
    }
    return [
        artifact(
            one,
            folder / "artifacts",
            files[one.package],
            programs=["bin/nest"],
            links={"lib/libz.so": "libz.so.1"} if one.package == "zlib" else {},
        )
        for one in stack.nodes
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small root file system: a static busybox and its links."""
    root = tmp_path_factory.mktemp("base")
    for folder in ("bin", "etc", "root"):
        (root / folder).mkdir()
    shutil.copy(program("busybox", "busybox-static"), root / "bin" / "busybox")
    for name in ("sh", "cat", "id", "ls", "env", "touch"):
        (root / "bin" / name).symlink_to("busybox")
    return root


def made(stack: Lock, prefix: Prefix, layout: Path, base: Path | str = "scratch", **changes: object) -> Images:
    return make_images(stack, [prefix], layout, making=Making(base=str(base), **changes), progress=Silent())  # type: ignore[arg-type]


def lode(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "lode", *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def push(prefix: Prefix, base: Path, registry: LocalRegistry, name: str, layout: Path) -> str:
    """Return the name of the image of `prefix` in the registry, pushed there by the command."""
    reference = f"{registry.host}/{name}"
    lode("image", str(prefix.root), "-o", str(layout), "--base", str(base), "--push", f"{reference}:1.0")
    return f"{reference}:1.0"


@pytest.fixture(scope="module")
def pulled(
    prefix: Prefix, base: Path, registry: LocalRegistry, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the name of an image in the Docker daemon, which came there through the registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        name = push(prefix, base, registry, "run/mini", tmp_path_factory.mktemp("images") / "layout")
    engine.docker("pull", name)
    return name


def test_image_activates_the_stack_for_anybody_on_a_read_only_root(pulled: str, engine: Engine) -> None:
    limits = ["--rm", "--network=none", "--read-only"]
    assert engine.docker("run", *limits, pulled, "nest").stdout == f"{FINAL}/share/nest 1000 1 2 3\n"
    assert engine.docker("run", *limits, "--user=4321:99", pulled, "nest").stdout == f"{FINAL}/share/nest 4321 1 2 3\n"
    plain = ["--entrypoint=nest", pulled]  # as `docker exec` and Apptainer start programs: without the entrypoint
    assert engine.docker("run", *limits, *plain).stdout == f"{FINAL}/share/nest 1000 1 2 3\n"


def test_image_in_the_engine_holds_the_tree_that_the_inventory_lists(
    pulled: str, engine: Engine, prefix: Prefix, tmp_path: Path
) -> None:
    container = engine.docker("create", pulled).stdout.strip()
    try:
        engine.docker("cp", f"{container}:{FINAL}", str(tmp_path / "tree"))
    finally:
        engine.docker("rm", container)
    found = inventory.scan(tmp_path / "tree", exclude=[prefixes.INVENTORY])
    assert list(inventory.compare(inventory.read(prefix.root / prefixes.INVENTORY), found)) == []
    assert (tmp_path / "tree" / ODD).read_text() == "found\n"


def test_image_has_the_time_of_the_release_and_its_labels(pulled: str, engine: Engine, prefix: Prefix) -> None:
    said = json.loads(engine.docker("image", "inspect", pulled).stdout)[0]
    assert said["Created"] == "2026-11-01T00:00:00Z"
    assert said["Config"]["User"] == "1000:1000"
    assert said["Config"]["Labels"]["lode.inventory"] == f"sha256:{prefix.inventory}"


def test_two_builds_in_different_folders_give_equal_digests(
    stack: Lock, prefix: Prefix, base: Path, tmp_path: Path
) -> None:
    elsewhere = installed(stack, tmp_path / "far" / "away")
    shutil.copytree(base, tmp_path / "base", symlinks=True)
    one = made(stack, prefix, tmp_path / "one", base, jobs=1)
    other = made(stack, elsewhere, tmp_path / "other", tmp_path / "base", jobs=4)
    assert one.indexes[0].manifest == other.indexes[0].manifest


def test_push_after_a_change_of_one_package_moves_that_package(
    stack: Lock, prefix: Prefix, registry: LocalRegistry, base: Path, tmp_path: Path
) -> None:
    layout, name = tmp_path / "layout", f"{registry.host}/bump/mini"
    arguments = ["-o", str(layout), "--base", str(base), "--push", name, "--json"]
    first = json.loads(lode("image", str(prefix.root), *arguments).stdout)
    changed = installed(stack, tmp_path / "changed", text="4 5 6\n")
    second = json.loads(lode("image", str(changed.root), *arguments).stdout)
    assert first["pushed"]["moved"] == first["pushed"]["blobs"]
    package = sum(path.stat().st_size for path in (changed.root / "share").rglob("*") if path.is_file())
    assert 0 < second["pushed"]["moved_bytes"] <= package + 1_000_000
    assert second["pushed"]["moved"] == 3  # the package, what belongs to none, and the configuration


def test_root_file_system_holds_the_tree(stack: Lock, prefix: Prefix, base: Path, tmp_path: Path) -> None:
    lode(
        "image",
        str(prefix.root),
        "-o",
        str(tmp_path / "layout"),
        "--base",
        str(base),
        "--rootfs",
        str(tmp_path / "root"),
    )
    found = inventory.scan(Path(f"{tmp_path}/root{FINAL}"), exclude=[prefixes.INVENTORY])
    assert list(inventory.compare(inventory.read(prefix.root / prefixes.INVENTORY), found)) == []
    assert (tmp_path / "root" / "tmp").stat().st_mode & 0o7777 == 0o1777
    if os.geteuid() == 0:
        done = subprocess.run(
            ["chroot", str(tmp_path / "root"), "/bin/sh", "-c", f". {FINAL}/setup.sh && nest"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == f"{FINAL}/share/nest 0 1 2 3\n", done.stderr


def test_image_that_was_pulled_is_the_one_that_was_pushed(
    prefix: Prefix, base: Path, registry: LocalRegistry, tmp_path: Path
) -> None:
    name = push(prefix, base, registry, "back/mini", tmp_path / "layout")
    lode("image", "--pull", name, "-o", str(tmp_path / "back"), "--check")
    pushed = json.loads((tmp_path / "layout" / "index.json").read_bytes())
    pulled = json.loads((tmp_path / "back" / "index.json").read_bytes())
    tagged = [one["digest"] for one in pulled["manifests"] if "annotations" in one]
    assert tagged == [
        one["digest"]
        for one in pushed["manifests"]
        if one["annotations"]["org.opencontainers.image.ref.name"] == "2026.11"
    ]


def test_command_for_apptainer_is_told_where_it_is_missing(
    prefix: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = lode("image", str(prefix.root), "-o", str(tmp_path / "layout"), "--base", "scratch", "--sif")
    sif = f"{tmp_path}/mini-2026.11-{TARGET}.sif"
    assert done.stdout.splitlines()[-2:] == [
        "  sif        Apptainer is not on this machine; where it is:",
        f"    apptainer build --force {sif} oci:{tmp_path}/layout/.single/2026.11-{TARGET}",
    ]


def test_prefix_without_a_runtime_of_its_target_is_told_how_to_get_one(prefix: Prefix, tmp_path: Path) -> None:
    done = lode("image", str(prefix.root), "-o", str(tmp_path / "layout"), check=False)
    assert (done.returncode, done.stderr) == (
        10,
        f"there is no runtime of {TARGET} on this machine to put images on\n"
        f"  hint: `lode target build {TARGET}` makes it; or name another with --base\n",
    )


def test_group_of_a_stack_is_installed_from_the_cache_and_has_its_own_image(
    stack: Lock, prefix: Prefix, tmp_path: Path
) -> None:
    home = Path(os.environ["LODE_HOME"])
    place = home / "releases" / "mini" / "2026.11" / TARGET
    made = install(stack, TARGET, artifacts(stack, tmp_path), place / "prefix", file=no_files)
    (place.parent / "lode.lock").write_bytes(lockfile.dump(stack))
    missing = lode("image", "mini", "--base", "scratch", check=False)
    assert (missing.returncode, missing.stderr.splitlines()[-2:]) == (
        7,
        [
            f"zlib 1.0 is not built for {TARGET}",
            f"  hint: lode build mini@2026.11 --target {TARGET}",
        ],
    )
    for one in artifacts(stack, tmp_path):
        Cache(home / "cache").put(one)
    told = json.loads(lode("image", "mini", "--base", "scratch", "--json").stdout)
    assert [one["tag"] for one in told["images"]] == [f"2026.11-{TARGET}", f"2026.11-base-{TARGET}"]
    assert [one["tag"] for one in told["indexes"]] == ["2026.11", "2026.11-base"]
    assert told["images"][0]["inventory"] == made.inventory == prefix.inventory
    assert told["layout"] == str(place.parent / "images")
    only = json.loads(lode("image", str(place.parent), "--group", "base", "--base", "scratch", "--json").stdout)
    assert only["images"] == [{**told["images"][1], "written": 0}]


def test_release_is_published_to_the_registry_that_its_stack_names(
    stack: Lock, base: Path, registry: LocalRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = replace(stack.publish, registry=f"{registry.host}/published/mini")
    lock = sound(replace(stack, publish=named, groups={}))
    folder = tmp_path / "release"
    install(lock, TARGET, artifacts(lock, tmp_path), folder / TARGET / "prefix", file=no_files)
    (folder / "lode.lock").write_bytes(lockfile.dump(lock))
    places = config.places(os.environ)
    wholes = [prefixes.read(folder / TARGET / "prefix")]
    assert release_images(lock, wholes, folder, places=places, jobs=2, progress=Silent()) is None
    told = lode("publish", str(folder), "--to", "registry", "--json", check=False)
    assert (told.returncode, json.loads(told.stdout)["faults"][0]["message"]) == (
        10,
        f"there is no runtime of {TARGET} on this machine to put images on",
    )
    place = Path(os.environ["LODE_HOME"]) / "cache" / "targets" / TARGET / "runtime"
    shutil.copytree(base, place / "rootfs", symlinks=True)
    digest = "0" * 64
    record = {"schema": 1, "asked": digest, "made_of": digest, "inventory": digest, "packages": 1}
    (place / "root.json").write_text(json.dumps(record))
    images = release_images(lock, wholes, folder, places=places, jobs=2, progress=Silent())
    first, second = (json.loads(lode("publish", str(folder), "--to", "registry", "--json").stdout)[0] for _ in "12")
    assert first["pushed"]["names"] == [
        f"{registry.host}/published/mini:2026.11-{TARGET}",
        f"{registry.host}/published/mini:2026.11",
    ]
    assert (first["new"], second["new"], second["pushed"]["moved"]) == (True, False, 0)
    assert first["digest"] == second["digest"] == first["indexes"][0]["digest"]
    assert images is not None
    assert images.indexes[0].manifest.digest == first["digest"].removeprefix("sha256:")
