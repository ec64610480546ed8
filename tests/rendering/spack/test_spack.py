"""The Spack renderer: what becomes of recipes and locks, and what is refused or said to be lost."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.locking.world import World, target
from tests.rendering.shipped import references, shipped

from lode.definitions.language import condition
from lode.definitions.recipe import Argument, Environment, Origin, Patch, Recipe, Source, System, Test, Upstream
from lode.definitions.version import Version
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement, names
from lode.rendering.agreement import Unreadable
from lode.rendering.spack import read_back, render
from lode.rendering.weakening import Inexpressible, Weakening

PACKAGES = PurePosixPath("repository/spack_repo/lode/lode/packages")
T = "debian12-x86_64"


def rendered(world: World, *requirements: str, **more: Any) -> Rendering:
    """Return the rendering of a stack with these requirements, which agrees with its lock."""
    lock = world.lock(world.stack(*requirements, **more))
    made = made_of(world, lock)
    assert agreement.differences(lock, read_back(made.tree)) == ()
    return made


def made_of(world: World, lock: Lock) -> Rendering:
    return render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])


def package(made: Rendering, name: str) -> str:
    return made.tree.files[PACKAGES / name / "package.py"].decode()


def environment(made: Rendering, name: str = T) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(made.tree.files[PurePosixPath(name, "spack.yaml")])
    return document["spack"]  # type: ignore[no-any-return]


def lost(made: Rendering) -> list[str]:
    return [str(one) for one in made.weakenings if one.package]


def sample() -> World:
    """Return a world in which recipes say all that a package of Spack shows, on two targets."""
    world = World(target(externals="make=4.3 cmake=3.25.1"), target("debian13-x86_64", externals="make=4.4"))
    world.add("zlib", "1.2.13 1.3.1", languages="c", system=System.SCRIPT)
    world.add("cmake", "3.31.0", system=System.AUTOTOOLS)
    world.add("python", "3.11.2 3.13.5", languages="c", needs=["zlib"], build=["make"], system=System.AUTOTOOLS)
    world.add("backend", run=["python"], system=System.PYTHON)
    world.add("module", "2.0", needs=["nest ==2.4.*", "python >=3.11"], build=["backend"], system=System.PYTHON)
    world.add("wheel", run=["python <3.14"], system=System.WHEEL)
    world.add("all-of-it", run=["module", "wheel"], system=System.BUNDLE)
    world.add("nest", "2.3 2.4.1", languages="cxx", options=["gdml=true", "std=17:17,20"], needs=["zlib when +gdml"],
              build=["cmake >=3.20", "make"], args=[Argument(option="gdml", define="NEST_GDML")])  # fmt: skip
    bundle = world.recipes["all-of-it"]
    world.recipes["all-of-it"] = replace(bundle, versions=(replace(bundle.versions[0], sources=()),))
    nest, module, zlib = (world.recipes[name] for name in ("nest", "module", "zlib"))
    patched = replace(nest.versions[0], patches=(Patch(file="patches/a.patch", reason="x"),))
    world.files = {("nest", "patches/a.patch"): b"--- a\n+++ b\n", ("nest", "tests/yields.cpp"): b"int main() {}\n",
                   ("nest", "tests/yields.json"): b"{}\n"}  # fmt: skip
    world.recipes["nest"] = replace(
        nest,
        versions=(patched, *nest.versions[1:]),
        tags=("simulation",),
        environment=Environment(prepend=(("NEST_PATH", "share"),), set=(("NEST", "."),), value=(("NEST_UNIT", "keV"),)),
        tests=(
            Test(name="yields", compile="tests/yields.cpp", libraries=("NESTCore",), flags=("-I$PREFIX/include/NEST",),
                 numbers="tests/yields.json", tolerance="1e-6", timeout_s=60),
            Test(name="runs", run="nest --help\nnest --version\n", when=condition("+gdml")),
        ),
    )  # fmt: skip
    world.recipes["zlib"] = replace(
        zlib, build=replace(zlib.build, script='./configure --prefix="$PREFIX"\nmake install\n', finish="rm -f x")
    )
    world.recipes["module"] = replace(
        module,
        build=replace(module.build, environment=(("NEST_ROOT", "$PREFIX"),), args=(Argument(words=("-Cj=$JOBS",)),)),
        tests=(Test(name="import", python="import module"),),
    )
    return world


def test_sample_stack_renders_as_before() -> None:
    for path, content in rendered(sample(), "all-of-it", "nest", release="2026.11").tree.files.items():
        same_as_golden(f"rendering/spack/{path}", content)


@pytest.mark.parametrize("reference", references())
def test_every_shipped_recipe_is_a_package_of_its_name(reference: str) -> None:
    lock, recipes, file = shipped(reference)
    made = render(lock, recipes=recipes, file=file)
    tools = {tool.package for one in lock.targets for tool in one.definition.externals}
    brought = {"gcc", "glibc", "cmake", "gmake", "meson", "ninja"}
    brought |= {names.elsewhere(tool, names.SPACK) for tool in tools}
    packages = {path.parent.name for path in made.tree.files if path.name == "package.py"}
    assert packages == {names.module_name(name) for name in {*recipes, *brought}}
    for path, content in made.tree.files.items():
        if path.name == "package.py":
            (defined,) = [one for one in ast.parse(content).body if isinstance(one, ast.ClassDef)]
            assert defined.name.lower() == path.parent.name.replace("_", "")


def test_conditions_versions_and_options_become_specs() -> None:
    world = World(target(externals="make=4.3 cmake=3.25.1"), target("debian13-x86_64", externals="make=4.4"))
    world.add("zlib", "1.2.13 1.3.1", languages="c")
    world.add("xerces-c", "3.1 3.2.5 3.3.0")
    world.add("cmake", "3.31.0")
    world.add(
        "sim", "1.0 2.0 2.1", languages="c cxx", options=["gdml=true when >=2", "std=17:17,20", "target=false"],
        needs=["xerces-c >=3.2,<3.3 when +gdml", "zlib", "zlib >=1.3 when os=debian ^xerces-c<3.3 >=2.1"][:2],
        build=["cmake >=3.20", "make"], conflicts=["xerces-c ==3.1: crashes"],
        args=[Argument(option="gdml", define="SIM_GDML", when=condition(">=2")),
              Argument(words=("-DPLACE=$PREFIX/share",), when=condition("os=debian std=17"))],
    )  # fmt: skip
    made = rendered(world, "sim", release="2026.1")
    text = package(made, "sim")
    for line in (
        'variant("gdml", default=True, description="an option", when="@2:")',
        'variant("option-target", default=False, description="an option")',
        'depends_on("xerces-c@3.2", type=("build", "link"), when="+gdml")',
        'depends_on("cmake@3.20:", type="build")',
        'depends_on("gmake", type="build")',
        'conflicts("^xerces-c@=3.1", msg="crashes")',
        'if self.spec.satisfies("@2: +gdml"):',
        '"-DSIM_GDML=ON",',
        'if self.spec.satisfies("@2: ~gdml"):',
        'lode.expand(self, "-DPLACE=$PREFIX/share"),',
    ):
        assert line in text, line
    assert 'self.spec.satisfies("std=17 os=debian12 target=x86_64:") or' in text
    first, second = environment(made), environment(made, "debian13-x86_64")
    assert first["packages"]["sim"]["require"] == [
        "sim@=2.1", "os=debian12", "target=x86_64_v2", "+gdml", "std=17", "~option-target", "build_type=Release",
        "%c,cxx=gcc@12.2.0",
    ]  # fmt: skip
    assert first["packages"]["cmake"] == {
        "externals": [{"spec": "cmake@3.25.1 os=debian12", "prefix": "/usr"}], "buildable": False,
    }  # fmt: skip
    assert second["packages"]["cmake"]["require"][0] == "cmake@=3.31.0"
    assert lost(made) == [
        "sim: the condition std=17 os=debian is decided for the targets of the lock only",
        "sim: the option target is the variant option-target: Spack has one of that name",
    ]


def test_names_that_spack_has_too_live_in_a_namespace_of_their_own() -> None:
    world = World()
    world.add("nest", "2.4")
    world.add("mpi", "1.0")
    world.add("class", "1.0", needs=["nest", "mpi"])
    made = rendered(world, "class", "nest")
    assert environment(made)["specs"] == [
        "lode.lode.class@=1.0 os=debian12 target=x86_64_v2", "lode.lode.nest@=2.4 os=debian12 target=x86_64_v2",
    ]  # fmt: skip
    assert "class Nest(CMakePackage):" in package(made, "nest")
    assert "class LodeMpi(CMakePackage):" in package(made, "lode_mpi")
    assert "class Class(CMakePackage):" in package(made, "_class")
    assert 'depends_on("lode-mpi", type=("build", "link"))' in package(made, "_class")
    assert list(environment(made)["repos"]) == ["lode.lode", "builtin"]


def test_what_the_os_brings_is_a_package_that_needs_nothing() -> None:
    world = World(target(externals="make=4.3 quilt=0.67"))
    world.add("app", "1.0", build=["make", "quilt"])
    made = rendered(world, "app")
    text = package(made, "gmake")
    assert "from spack_repo.builtin.packages.gmake.package import Gmake as Builtin\n" in text
    assert text.endswith('class Gmake(Builtin):\n    """gmake as the OS brings it"""\n\n\nlode.external(Gmake)\n')
    assert package(made, "quilt").endswith(
        'class Quilt(Package):\n    """quilt as the OS brings it"""\n\n    has_code = False\n\n    version("0.67")\n'
    )
    assert environment(made)["concretizer"]["static_analysis"] is True


def test_tools_that_build_systems_ask_for_are_never_built_unless_a_recipe_does() -> None:
    world = World(target(externals="make=4.3"))
    world.add("ninja", "1.12", system=System.SCRIPT)
    world.add("app", "1.0", build=["make", "ninja"])
    made = rendered(world, "app")
    packages = environment(made)["packages"]
    assert packages["cmake"] == {"buildable": False}
    assert packages["gmake"] == {"externals": [{"spec": "gmake@4.3 os=debian12", "prefix": "/usr"}], "buildable": False}
    assert packages["ninja"]["require"][0] == "ninja@=1.12"
    assert "class Cmake(Builtin):" in package(made, "cmake")
    assert "class Ninja(Package):" in package(made, "ninja")


def test_packages_that_spacks_build_systems_call_give_their_programs() -> None:
    world = World()
    world.add("cmake", "3.31.0", system=System.SCRIPT)
    assert (
        "    def setup_dependent_package(self, module, dependent_spec):\n        lode.programs(self, module)\n"
    ) in package(rendered(world, "cmake"), "cmake")


def test_a_package_that_its_build_system_needs_is_built_by_hand() -> None:
    world = World(target(externals="make=4.3 cmake=3.25.1"))
    world.add("ninja", "1.12", languages="cxx", build=["cmake", "make"], args=[Argument(words=("-DX=1",))])
    made = rendered(world, "ninja")
    text = package(made, "ninja")
    assert "class Ninja(Package):" in text
    assert "generator(" not in text
    assert text.index('"-DX=1"') < text.index("        lode.cmake(self, args)\n")
    assert "build_type=Release" not in environment(made)["packages"]["ninja"]["require"]

    world.add("make", "4.4", system=System.AUTOTOOLS)
    with pytest.raises(Inexpressible) as refused:
        made_of(world, world.lock("make"))
    assert refused.value.faults[0].message == (
        "make: Spack builds nothing called gmake with autotools, which needs that"
    )


def test_packages_left_to_spack_are_pinned_and_said() -> None:
    world = World()
    world.add("zlib", "1.3.1", options=["shared=true"])
    world.recipes["zlib"] = replace(world.recipes["zlib"], upstream=Upstream(spack="zlib-ng +compat ~opt"))
    world.add("app", "1.0", needs=["zlib >=1.2 +shared"])
    made = rendered(world, "app", upstream=("zlib",))
    assert environment(made)["packages"]["zlib-ng"] == {
        "require": ["zlib-ng@=1.3.1", "os=debian12", "target=x86_64_v2", "+compat", "~opt"],
    }  # fmt: skip
    assert environment(made)["specs"] == [
        "lode.lode.app@=1.0 os=debian12 target=x86_64_v2", "builtin.zlib-ng@=1.3.1 os=debian12 target=x86_64_v2",
    ]  # fmt: skip
    assert 'depends_on("zlib-ng@1.2:", type=("build", "link"))' in package(made, "app")
    assert PACKAGES / "zlib/package.py" not in made.tree.files
    assert lost(made) == [
        "app: the options of zlib >=1.2 +shared are not asked of Spack's own zlib-ng",
        "zlib: Spack's own package has variants of its own in place of the options",
    ]


def test_what_spack_cannot_say_is_refused_all_at_once() -> None:
    world = World()
    world.add("plus", "1.0+repack")
    world.add("same", "1.2.3 1-2-3")
    world.add("app", "1.0", needs=["plus", "same"])
    lock = world.lock("app")
    first = world.recipes["app"].versions[0]
    sources = (replace(first.sources[0], directory="below"),)
    world.recipes["app"] = replace(world.recipes["app"], versions=(replace(first, sources=sources),))
    with pytest.raises(Inexpressible) as refused:
        made_of(world, lock)
    assert [fault.message for fault in refused.value.faults] == [
        "app: the first source of version 1.0 is in a folder of its own or for some targets only",
        "plus: Spack cannot have 1.0+repack as a version",
        "same: the versions 1.2.3 and 1-2-3 are the same for Spack",
    ]


def test_sources_patches_and_resources_agree() -> None:
    world = World()
    world.add("data", "1.0", system=System.SCRIPT)
    recipe = world.recipes["data"]
    main = recipe.versions[0].sources[0]
    more = (
        replace(main, subdirectory="inner"),
        Source(origins=(Origin(scheme="pypi", location="x==1/x-1.tar.gz"),), sha256=of_bytes(b"x"), directory="a/b"),
        Source(origins=(Origin(scheme="git", location=f"https://example.org/r.git@{'0' * 40}"),),
               sha256=of_bytes(b"y"), directory="c", subdirectory="deep"),
        Source(origins=(Origin(scheme="debian", location="x=1/f.dat"),), sha256=of_bytes(b"z"), unpack=False,
               when=condition("os=debian")),
    )  # fmt: skip
    patches = (Patch(file="patches/a.patch", reason="x"), Patch(file="patches/b.patch", reason="x", strip=0))
    world.files = {("data", one.file): one.file.encode() for one in patches}
    world.recipes["data"] = replace(recipe, versions=(replace(recipe.versions[0], sources=more, patches=patches),))
    made = rendered(world, "data")
    text = package(made, "data")
    assert 'destination="a",\n        placement="b",' in text
    assert 'url="file:///nowhere/lode/r.tar"' in text
    assert 'placement={"deep": "c"},' in text
    assert 'placement={"f.dat": "f.dat"},' in text
    assert 'patch("patches/b.patch", level=0, working_dir="inner", when="@=1.0")' in text
    assert made.tree.files[PACKAGES / "data/patches/a.patch"] == b"patches/a.patch"


def test_a_patch_that_changed_since_is_refused() -> None:
    world = World()
    world.add("app", "1.0")
    recipe = world.recipes["app"]
    patched = replace(recipe.versions[0], patches=(Patch(file="a.patch", reason="x"),))
    world.recipes["app"] = replace(recipe, versions=(patched,))
    world.files["app", "a.patch"] = b"old"
    lock = world.lock("app")
    world.files["app", "a.patch"] = b"new"
    with pytest.raises(Inexpressible, match=r"app: the patch a\.patch changed since the lock was made"):
        made_of(world, lock)


HOSTILE = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40) | st.sampled_from(
    ['"""\nimport os', '")\nimport os  #', "\\", "'''", "{x}", "${PREFIX}", "$(id)", "\nimport os\n", "# x", '"+x+"']
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_that_a_recipe_says_becomes_code(one: str, two: str, three: str) -> None:
    world = World()
    world.add("app", "1.0", system=System.AUTOTOOLS)
    recipe: Recipe = world.recipes["app"]
    lock = world.lock("app")
    world.recipes["app"] = replace(
        recipe,
        summary=one,
        homepage=two,
        license=three,
        tags=(one,),
        maintainers=(two,),
        build=replace(recipe.build, args=(Argument(words=(one, two)),), prepare=f"a\n{two}", finish=three,
                      environment=(("X", one),), targets=(three,)),
        environment=Environment(prepend=(("P", one),), set=(("S", two),), value=(("V", three),)),
        tests=(Test(name=one or "x", run=two), Test(name="y", compile="a.c", libraries=(three,), flags=(one,)),
               Test(name="y", python=two)),
    )  # fmt: skip
    world.files["app", "a.c"] = b""
    module = ast.parse(package(made_of(world, lock), "app"))
    imports = [node for node in ast.walk(module) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.module for node in imports if isinstance(node, ast.ImportFrom)] == [
        "spack_repo.builtin.build_systems.autotools", "spack_repo.lode.lode.build_systems", "spack.package",
    ]  # fmt: skip
    assert len(imports) == 3
    assert [type(node).__name__ for node in module.body] == ["ImportFrom", "ImportFrom", "ImportFrom", "ClassDef"]


def test_edited_files_are_named_with_their_fault() -> None:
    world = World()
    world.add("app", "1.0 2.0")
    made = rendered(world, "app")
    path = PACKAGES / "app/package.py"

    def refused(content: bytes | None) -> str:
        files = {where: what for where, what in made.tree.files.items() if where != path}
        files |= {path: content} if content is not None else {}
        with pytest.raises(Unreadable) as fault:
            read_back(replace(made.tree, files=files))
        return fault.value.faults[0].message

    assert refused(None) == "the package is missing"
    assert refused(b"class X(") == "not a package as it is rendered: '(' was never closed (<unknown>, line 1)"
    assert refused(b"class X:\n    version('1.0')\n") == "app has no version 2.0"
    with pytest.raises(Unreadable, match="that pins anything"):
        read_back(replace(made.tree, files={}))


def test_stack_without_pins_is_told_so() -> None:
    world = World()
    world.add("app", "1.0")
    assert [one for one in rendered(world, "app").weakenings if not one.package] == [
        Weakening(package="", what="the stack pins no commit of Spack itself: any Spack from 1.0 on will do"),
        Weakening(
            package="", what="the stack pins no commit of Spack's packages: compiler wrappers are taken as they come"
        ),
    ]


def test_recipes_beside_the_lock_are_rendered_with_all_their_versions() -> None:
    world = World()
    world.add("app", "1.0")
    world.add("other", "3.0 4.0", deprecated="3.0")
    text = package(rendered(world, "app"), "other")
    assert text.index('"4.0"') < text.index('"3.0"')
    assert "deprecated=True" in text
    assert Version("3.0") < Version("4.0")


def test_a_version_beside_the_locked_one_is_left_out_while_a_file_of_it_has_no_hash() -> None:
    world = World()
    world.add("app", "2.0 1.0", system=System.SCRIPT)
    own = Source(origins=(Origin(scheme="path", location="src"),), sha256=None, directory="src")
    recipe = world.recipes["app"]
    lock = world.lock("app")
    with_own = tuple(
        replace(one, sources=(*one.sources, own)) if one.version == Version("1.0") else one for one in recipe.versions
    )
    world.recipes["app"] = replace(recipe, versions=with_own)
    made = made_of(world, lock)
    assert lost(made) == ["app: version 1.0 is left out: its files have no hash before they are locked"]
    text = package(made, "app")
    assert '"2.0",' in text
    assert '"1.0",' not in text
