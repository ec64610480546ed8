"""What Spack chose is held against the lock: every version, variant and edge that differs is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.locking.world import World, target

from lode.building import spack_lock
from lode.definitions.recipe import Upstream
from lode.digest import of_bytes
from lode.errors import BuildError
from lode.locking.graph import Lock, LockedPatch
from lode.rendering.spack.words import Words

T = "debian12-x86_64"


def world() -> World:
    made = World(target(externals="make=4.3"))
    made.add("zlib", "1.2.13 1.3.1", options=["shared=true"])
    made.add("nest", "2.4", languages="cxx", options=["gdml=true", "std=17:17,20", "target=false"], needs=["zlib"],
             build=["make"])  # fmt: skip
    made.add("bzip2", "1.0.8")
    made.recipes["bzip2"] = replace(made.recipes["bzip2"], upstream=Upstream(spack="bzip2 +shared flags=a,b"))
    made.add("app", "1.0", needs=["nest", "bzip2"])
    return made


def spec(name: str, version: str, *needs: str, **more: Any) -> dict[str, Any]:
    """Return a concrete spec as Spack writes it; `needs` are names, whose hashes are the names in capitals."""
    arch = {"platform": "linux", "platform_os": "debian12", "target": {"name": "x86_64_v2", "vendor": "generic"}}
    document = {
        "name": name, "version": version, "arch": arch, "namespace": "lode.lode", "parameters": {},
        "dependencies": [
            {"name": one, "hash": one.upper(), "parameters": {"deptypes": ["build", "link"], "virtuals": []}}
            for one in needs
        ],
    }  # fmt: skip
    return document | more


def chosen() -> dict[str, dict[str, Any]]:
    """Return what Spack writes when it chose what the lock says."""
    specs = [
        spec("app", "1.0", "nest", "bzip2", "compiler-wrapper"),
        spec("nest", "2.4", "zlib", "gmake", "compiler-wrapper", "gcc",
             parameters={"gdml": True, "std": "17", "option-target": False, "build_type": "Release", "cflags": []}),
        spec("zlib", "1.3.1", parameters={"shared": True}),
        spec("bzip2", "1.0.8", "diffutils", namespace="builtin", parameters={"shared": True, "flags": ["b", "a"]}),
        spec("diffutils", "3.10", namespace="builtin"),
        spec("compiler-wrapper", "1.1.0", namespace="builtin"),
        spec("gmake", "4.3", external={"path": "/usr"}),
        spec("gcc", "12.2.0", external={"path": "/usr"}),
    ]  # fmt: skip
    return {one["name"].upper(): one for one in specs}


def found(tmp_path: Path, change: Callable[[dict[str, dict[str, Any]]], object]) -> tuple[str, ...]:
    """Return the differences that are found when Spack's choice is changed."""
    made = world()
    lock: Lock = made.lock(made.stack("app", upstream=("bzip2",)))
    specs = chosen()
    change(specs)
    file = tmp_path / "spack.lock"
    file.write_text(json.dumps({"_meta": {"lockfile-version": 6}, "concrete_specs": specs}))
    words = Words(lock=lock, recipes=made.recipes, namespace="lode.lode")
    return spack_lock.differences(lock, T, spack_lock.read(file), words)


def test_a_choice_as_the_lock_has_it_differs_in_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, lambda specs: None) == ()


@pytest.mark.parametrize(("name", "key", "value", "message"), [
    ("ZLIB", "version", "1.2.13", "zlib: Spack chose version 1.2.13, the lock has 1.3.1"),
    ("ZLIB", "namespace", "builtin", "zlib: Spack took it from builtin, not from lode.lode"),
    ("ZLIB", "external", {"path": "/usr"}, "zlib: Spack took the one that this machine has"),
    ("ZLIB", "parameters", {"shared": False}, "zlib: Spack chose shared=false, the lock has shared=true"),
    ("ZLIB", "parameters", {}, "zlib: Spack chose shared=(none), the lock has shared=true"),
    ("ZLIB", "parameters", {"shared": True, "patches": ["0" * 64]},
     "zlib: Spack applies other patches than the lock has"),
    ("ZLIB", "arch", {"platform_os": "debian12", "target": "x86_64_v4"},
     "zlib: Spack chose it for debian12 x86_64_v4, the target is debian12 x86_64_v2"),
    ("BZIP2", "parameters", {"shared": True, "flags": ["a"]},
     "bzip2: Spack chose flags=a, the lock has flags=a,b"),
    ("BZIP2", "namespace", "lode.lode", "bzip2: Spack took it from lode.lode, not from builtin"),
    ("GMAKE", "version", "4.4", "gmake: Spack chose version 4.4, debian12-x86_64 brings 4.3"),
    ("GCC", "version", "13.1", "gcc: Spack chose version 13.1, debian12-x86_64 brings 12.2.0"),
])  # fmt: skip
def test_what_spack_chose_otherwise_is_named(tmp_path: Path, name: str, key: str, value: Any, message: str) -> None:
    assert found(tmp_path, lambda specs: specs[name].update({key: value})) == (message,)


def test_each_variant_of_another_value_is_named(tmp_path: Path) -> None:
    other = {"gdml": True, "std": "20", "option-target": True}
    assert found(tmp_path, lambda specs: specs["NEST"].update(parameters=other)) == (
        "nest: Spack chose option-target=true, the lock has option-target=false",
        "nest: Spack chose std=20, the lock has std=17",
    )


def test_patches_are_those_for_the_target() -> None:
    made = world()
    lock = made.lock(made.stack("app", upstream=("bzip2",)))
    patch = LockedPatch(file="a.patch", sha256=of_bytes(b"a"), strip=1, reason="x", upstream=None, until=None,
                        targets=(T,))  # fmt: skip
    elsewhere = replace(patch, sha256=of_bytes(b"b"), targets=("debian13-x86_64",))
    nodes = tuple(replace(one, patches=(patch, elsewhere)) if one.package == "zlib" else one for one in lock.nodes)
    specs = chosen()
    specs["ZLIB"]["parameters"]["patches"] = [of_bytes(b"a")]
    words = Words(lock=lock, recipes=made.recipes, namespace="lode.lode")
    read = {key: spack_lock.parsed(key, one) for key, one in specs.items()}
    assert spack_lock.differences(replace(lock, nodes=nodes), T, read, words) == ()


def test_edges_that_are_left_out_or_added_are_named(tmp_path: Path) -> None:
    def change(specs: dict[str, dict[str, Any]]) -> None:
        specs["NEST"]["dependencies"].pop(0)
        specs["APP"] = spec("app", "1.0", "nest", "bzip2", "zlib")

    assert found(tmp_path, change) == ("app: Spack added that it needs zlib", "nest: Spack left out that it needs zlib")


def test_an_edge_for_tests_alone_is_none(tmp_path: Path) -> None:
    def change(specs: dict[str, dict[str, Any]]) -> None:
        edge = {"name": "zlib", "hash": "ZLIB", "parameters": {"deptypes": ["test"], "virtuals": []}}
        specs["APP"]["dependencies"].append(edge)

    assert found(tmp_path, change) == ()


def test_packages_that_are_missing_double_or_new_are_named(tmp_path: Path) -> None:
    def change(specs: dict[str, dict[str, Any]]) -> None:
        specs["ZLIB2"] = spec("zlib", "1.2.13", parameters={"shared": True})
        specs["OPENSSL"] = spec("openssl", "3.6.0", namespace="builtin")
        del specs["APP"]

    assert found(tmp_path, change) == (
        "app: Spack left it out",
        "openssl 3.6.0: Spack added it, the lock does not have it",
        "zlib: Spack chose version 1.2.13, the lock has 1.3.1",
        "zlib: Spack has it 2 times (1.2.13, 1.3.1)",
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"concrete_specs": {"a": {"name": "x"}}}'])
def test_a_file_that_is_no_spack_lock_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "spack.lock"
    file.write_text(text)
    with pytest.raises(BuildError, match=r"spack\.lock is not a spack\.lock that can be read"):
        spack_lock.read(file)
