"""The conda renderer: what rattler-build reads, what is refused or said to be lost, and that it builds without Lode."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.locking.world import World, target
from tests.rendering.shipped import references, shipped
from tests.rendering.spack.test_spack import sample
from tests.rendering.test_quoting import HOSTILE

from lode import tree
from lode.definitions.recipe import Environment, Patch, System
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.agreement import Unreadable
from lode.rendering.conda import read_back, render, words
from lode.rendering.quoting import yaml_document
from lode.rendering.weakening import Inexpressible

T = "debian12-x86_64"


def rendered(world: World, *requirements: str, **more: Any) -> Rendering:
    """Return the rendering of a stack with these requirements, which agrees with its lock."""
    lock = world.lock(world.stack(*requirements, **more))
    made = made_of(world, lock)
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def made_of(world: World, lock: Lock) -> Rendering:
    return render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])


def recipe(made: Rendering, name: str, of: str = T) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(made.tree.files[PurePosixPath(of, "recipes", name, "recipe.yaml")])
    return document


def test_sample_stack_renders_as_before() -> None:
    for path, content in rendered(sample(), "all-of-it", "nest", release="2026.11").tree.files.items():
        same_as_golden(f"rendering/conda/{path}", content)


@pytest.mark.parametrize("reference", references())
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_rattler_build_reads_every_shipped_recipe_as_it_was_meant(reference: str, mode: str, tmp_path: Path) -> None:
    from rattler_build import Stage0Recipe, VariantConfig

    lock, recipes, file = shipped(reference)
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path)
    for one in lock.targets:
        name = one.definition.name
        variants = VariantConfig.from_file(tmp_path / name / f"{mode}.yaml")
        for node in (node for node in lock.nodes if name in node.targets):
            path = tmp_path / name / "recipes" / node.package / "recipe.yaml"
            (variant,) = Stage0Recipe.from_file(path).render(variants)
            read = variant.recipe.to_dict()
            assert read["package"] == {"name": node.package, "version": words.version(node.version)}
            assert read["build"]["string"] == words.string(node, name)
            assert read["about"]["summary"] == node.summary
            hashes = [source["sha256"] for source in read.get("source", ()) if "url" in source]
            assert hashes == [source.sha256 for source in node.sources if name in source.targets]


def test_texts_that_look_like_templates_are_read_as_they_are(tmp_path: Path) -> None:
    from rattler_build import Stage0Recipe

    hostile = [text for text in (*HOSTILE, "${{ 1 }}", "}}", "{% x", "a ${{ '", "{# x") if text.strip() == text != ""]
    for text in hostile:
        document = {"package": {"name": "a", "version": "1"}, "about": {"summary": words.literal(text)}}
        (tmp_path / "recipe.yaml").write_text(yaml_document(document))
        (variant,) = Stage0Recipe.from_file(tmp_path / "recipe.yaml").render()
        assert variant.recipe.to_dict()["about"]["summary"] == text


@pytest.mark.parametrize(("text", "there"), [
    ("1.3.1", "1.3.1"), ("R-3_06_02", "r_3_06_02"), ("4.3.4~rc1", "4.3.4_rc1"), ("1.0+repack", "1.0+repack"),
    ("1.0+a+b", "1.0+a.b"), ("1..2", "1.2"), ("2.4.5beta.nestpy2.1.3", "2.4.5beta.nestpy2.1.3"),
])  # fmt: skip
def test_versions_fit_the_grammar_of_conda(text: str, there: str) -> None:
    from rattler import Version

    assert words.version(text) == there
    Version(there)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+~:-]{0,12}", fullmatch=True))
def test_any_version_becomes_one_that_conda_reads(text: str) -> None:
    from rattler import Version

    Version(words.version(text))
    assert words.version(words.version(text)) == words.version(text)


@pytest.mark.parametrize(("text", "there"), [
    (">=3.16", ">=3.16"), (">=3.16,<4", ">=3.16,<4"), ("==3.12.*", "3.12.*"), ("!=3.12.*", "!=3.12.*"), ("", ""),
    ("~=1.4.2", "~=1.4.2"), ("==1.4", "==1.4"),
])  # fmt: skip
def test_constraints_are_written_as_conda_reads_them(text: str, there: str) -> None:
    from rattler import MatchSpec

    assert words.constraint(text) == there
    MatchSpec(f"x {there}".strip())


def test_nodes_are_required_by_their_hash_and_tools_by_range() -> None:
    world = World(target(externals="make=4.3 cmake=3.25.1 pkgconf=1.8.1"))
    world.add("zlib", "1.3.1", languages="c")
    world.add("app", "1.0", languages="c cxx", needs=["zlib"], build=["cmake >=3.20", "make", "pkgconf"])
    made = rendered(world, "app")
    zlib = recipe(made, "zlib")["build"]["string"]
    assert recipe(made, "app")["requirements"] == {
        "build": ['${{ compiler("c") }}', '${{ compiler("cxx") }}', '${{ stdlib("c") }}', "cmake >=3.20", "make",
                  "pkg-config"],
        "host": [f"zlib ==1.3.1 {zlib}"],
        "run": [f"zlib ==1.3.1 {zlib}"],
    }  # fmt: skip
    assert [str(one) for one in made.weakenings] == [
        "with conda-forge, any version that the recipes admit will do for cmake, make, pkgconf",
        "with conda-forge, the compiler has the major version of the target's, not its very version",
    ]


def test_what_conda_cannot_say_is_refused() -> None:
    world = World(target("debian12-sparc64"))
    world.add("app", "1.0")
    with pytest.raises(Inexpressible) as refused:
        rendered(world, "app")
    assert str(refused.value) == "conda has no platform for sparc64 (debian12-sparc64)"
    world = World(target(externals="pkgconf=1.8.1"))
    world.add("pkg-config", "1.0")
    with pytest.raises(Inexpressible) as refused:
        rendered(world, "pkg-config")
    assert str(refused.value) == "pkg-config is a package of the stack, and conda's name of pkgconf"


def test_patches_that_changed_since_the_lock_are_refused() -> None:
    world = sample()
    lock = world.lock(world.stack("nest"))
    world.files["nest", "patches/a.patch"] = b"other"
    with pytest.raises(Inexpressible) as refused:
        made_of(world, lock)
    assert str(refused.value) == (
        "nest: the patch patches/a.patch changed since the lock was made\n  hint: `lode lock` renews the lock"
    )


def test_edited_files_are_named_with_their_fault() -> None:
    world = World()
    world.add("zlib", "1.3.1")
    world.add("app", "1.0", needs=["zlib"])
    made = rendered(world, "app")
    path = PurePosixPath(T, "recipes/zlib/recipe.yaml")

    def refused(content: bytes | None) -> str:
        files = {where: what for where, what in made.tree.files.items() if where != path}
        files |= {path: content} if content is not None else {}
        with pytest.raises(Unreadable) as fault:
            read_back(replace(made.tree, files=files))
        return fault.value.faults[0].message

    string = recipe(made, "zlib")["build"]["string"]
    assert refused(None) == f"no recipe makes zlib ==1.3.1 {string}"
    assert refused(b"[").startswith("not YAML: ")
    assert refused(b"- a") == "not a recipe as it is rendered"
    assert refused(b"a: b") == "not a recipe as it is rendered"
    assert refused(made.tree.files[path].replace(b"name: zlib", b"name: zlob")) == "the recipe of zlib makes zlob"
    with pytest.raises(Unreadable, match=r"there is no <target>/recipes/<package>/recipe.yaml"):
        read_back(replace(made.tree, files={}))


def archive(mirror: Path, **files: str) -> str:
    """Put an archive of these files (two underscores for the dot) into the mirror and return its sha256."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        for name, text in files.items():
            info = tarfile.TarInfo(f"top/{name.replace('__', '.')}")
            info.size = len(text)
            made.addfile(info, io.BytesIO(text.encode()))
    sha256 = of_bytes(content.getvalue())
    path = mirror / f"_source-cache/archive/{sha256[:2]}/{sha256}.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())
    return sha256


def two_libraries(mirror: Path) -> World:
    """Return a world of a C library, patched, with activation, and one that is linked to it, with their sources."""
    world = World(target(externals="make=4.3"))
    world.add("low", "1.0", languages="c", build=["make"], system=System.MAKE)
    world.add("high", "2.0", languages="c", needs=["low"], system=System.SCRIPT)
    makefile = (
        "liblow.so: low.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -shared -fPIC -o $@ low.c\n"
        "install: liblow.so\n\tmkdir -p $(PREFIX)/lib $(PREFIX)/include\n\tcp liblow.so $(PREFIX)/lib\n"
        "\tcp low.h $(PREFIX)/include\n"
    )
    script = (
        'mkdir -p "$PREFIX/bin"\n'
        '"$CC" $CFLAGS $CPPFLAGS $LDFLAGS -o "$PREFIX/bin/high" high.c -llow\n'
    )  # fmt: skip
    sources = {
        "low": archive(mirror, Makefile=makefile, low__c="int low(void) { return 0; }\n", low__h="int low(void);\n"),
        "high": archive(
            mirror, high__c='#include <low.h>\n#include <stdio.h>\nint main(void) { printf("%d\\n", low()); }\n'
        ),
    }
    patch = b"--- a/low.c\n+++ b/low.c\n@@ -1 +1 @@\n-int low(void) { return 0; }\n+int low(void) { return 42; }\n"
    world.files["low", "patches/answer.patch"] = patch
    for name, sha256 in sources.items():
        old = world.recipes[name]
        (version,) = old.versions
        (source,) = version.sources
        patches = (Patch(file="patches/answer.patch", reason="x"),) if name == "low" else ()
        build = replace(old.build, script=script) if name == "high" else old.build
        environment = Environment(value=(("LOW_SAYS", "it's $HOME"),)) if name == "low" else Environment()
        version = replace(version, sources=(replace(source, sha256=sha256, size=None),), patches=patches)
        world.recipes[name] = replace(old, versions=(version,), build=build, environment=environment)
    return world


@pytest.mark.integration
def test_readme_builds_two_packages_in_order_without_lode_or_network(tmp_path: Path) -> None:
    done = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=False)
    if done.stdout.strip() != "12.2.0":
        pytest.skip("the compiler of this host is not the target's")
    world = two_libraries(tmp_path / "mirror")
    tree.write(rendered(world, "high").tree, tmp_path / "out")
    readme = (tmp_path / "out/README.md").read_text()
    (line,) = [line for line in readme.splitlines() if line.startswith("$ python") and "--offline" in line]
    command = line.replace("TARGET", T).replace("/path/of/sources", str(tmp_path / "mirror")).split()[2:]
    environment = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"],
                   "RATTLER_CACHE_DIR": str(tmp_path / "cache")}  # fmt: skip
    built = subprocess.run([sys.executable, *command], cwd=tmp_path / "out", env=environment, capture_output=True,
                           text=True, timeout=300, check=False)  # fmt: skip
    assert built.returncode == 0, built.stderr + built.stdout
    *_, low, high, told = built.stdout.splitlines()
    assert (low, high) == ("low 1.0", "high 2.0")
    assert told.startswith(f"{tmp_path / 'out/channel-offline/pixi.lock'}: ")
    packages = sorted(path.name for path in (tmp_path / "out/channel-offline/linux-64").glob("*.conda"))
    assert [name.partition("-r")[0] for name in packages if "-r" in name] == ["high-2.0", "low-1.0"]
    assert installed(tmp_path, packages) == ("42\n", "it's $HOME\n")
    locked = pixi_locked(tmp_path / "out/channel-offline/pixi.lock")
    for name in packages:
        if "-r" in name:
            path = tmp_path / "out/channel-offline/linux-64" / name
            assert locked[name] == (path.as_uri(), of_bytes(path.read_bytes()))
    command += ["--address", "https://channel.example.org/x/"]
    again = subprocess.run([sys.executable, *command], cwd=tmp_path / "out", env=environment, capture_output=True,
                           text=True, timeout=300, check=False)  # fmt: skip
    assert again.returncode == 0, again.stderr + again.stdout
    served = pixi_locked(tmp_path / "out/channel-offline/pixi.lock")
    assert {name: f"https://channel.example.org/x/linux-64/{name}" for name in locked} == {
        name: address for name, (address, _) in served.items()
    }


def pixi_locked(path: Path) -> dict[str, tuple[str, str]]:
    """Return the address and sha256 of each package by its file's name, as rattler reads a lock of pixi's."""
    from rattler import LockFile

    environment = LockFile.from_path(path).default_environment()
    assert environment is not None
    (platform,) = environment.platforms()
    records = environment.conda_repodata_records_for_platform(platform) or []
    return {
        one.file_name: (one.url if "://" in one.url else Path(one.url).as_uri(), (one.sha256 or b"").hex())
        for one in records
    }


def installed(root: Path, packages: list[str]) -> tuple[str, str]:
    """Return what the program says and what activation sets, once the two packages are unpacked into one prefix."""
    from rattler.package_streaming import extract

    prefix = root / "prefix"
    for name in packages:
        if "-r" in name:
            extract(root / "out/channel-offline/linux-64" / name, prefix)
    program = subprocess.run([prefix / "bin/high"], capture_output=True, text=True, check=True)
    shell = f'. "{prefix}/etc/conda/activate.d/low.sh"; echo "$LOW_SAYS"'
    activated = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    return program.stdout, activated.stdout
