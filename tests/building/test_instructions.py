from __future__ import annotations

from dataclasses import replace

from tests.building.factory import TARGET, build, graph, node

from lode.building import instructions, naming
from lode.definitions.recipe import Kind, System
from lode.locking.graph import Node

BUILD, LINK, RUN = Kind.BUILD, Kind.LINK, Kind.RUN


def environments(nodes: dict[str, Node], package: str) -> tuple[str, str, str]:
    asked = instructions.environments(nodes[package], TARGET.name, nodes)
    return " ".join(asked.build), " ".join(asked.host), " ".join(asked.run)


def test_each_kind_of_dependency_goes_to_its_environment() -> None:
    nodes = graph(
        node("tool"),
        node("library"),
        node("data"),
        node("checker"),
        node("a", {"tool": [BUILD], "library": [LINK], "data": [RUN], "checker": [Kind.TEST]}),
    )
    assert environments(nodes, "a") == ("tool", "library", "data library")


def test_a_tool_of_python_is_importable_where_the_extension_is_built() -> None:
    nodes = graph(
        node("python"),
        node("cython", {"python": [LINK]}),
        node("swig"),
        node("numpy", {"python": [LINK]}),
        node("binding", {"numpy": [LINK], "cython": [BUILD], "swig": [BUILD]}),
        node("generated", {"cython": [BUILD]}),
    )
    assert environments(nodes, "binding") == ("swig", "cython numpy", "numpy")
    assert environments(nodes, "generated") == ("cython", "", "")


def test_a_python_package_is_built_with_its_interpreter_whatever_kind_it_has() -> None:
    nodes = graph(
        node("python"),
        node("setuptools", {"python": [RUN]}),
        node("attrs"),
        node(
            "pure",
            {"python": [RUN], "setuptools": [BUILD], "attrs": [RUN]},
            build=build(System.PYTHON),
        ),
    )
    assert environments(nodes, "pure") == ("", "python setuptools", "attrs python")


def test_needed_is_the_transitive_closure_of_what_is_installed_for_the_build() -> None:
    nodes = graph(
        node("zlib"),
        node("hdf5", {"zlib": [LINK]}),
        node("cmake-tool"),
        node("cmake", {"cmake-tool": [BUILD], "zlib": [LINK]}),
        node("late"),
        node("a", {"hdf5": [LINK], "cmake": [BUILD], "late": [RUN]}),
    )
    names = [other.package for other in instructions.needed(nodes["a"], TARGET.name, nodes)]
    assert names == ["zlib", "cmake", "hdf5"]


def test_the_recipe_pins_the_very_packages_and_covers_nothing_that_the_hash_does_not() -> None:
    nodes = graph(node("zlib"), node("a", {"zlib": [LINK]}, version="v1-2", system_libraries=("libssl.so.*",)))
    document = instructions.recipe(nodes["a"], TARGET, nodes, root="/lode/build")
    pin = naming.exact(nodes["zlib"], TARGET.name)
    assert document == {
        "package": {"name": "a", "version": "v1_2"},
        "build": {
            "number": 0,
            "string": naming.build_string(nodes["a"].hashes[TARGET.name]),
            "script": {"content": ["/bin/sh /lode/build/build.sh"]},
            "dynamic_linking": {
                "overlinking_behavior": "error",
                "overdepending_behavior": "ignore",
                "missing_dso_allowlist": [
                    "ld-linux-x86-64.so.2",
                    "libc.so.6",
                    "libgcc_s.so.1",
                    "libm.so.6",
                    "libssl.so.*",
                    "libstdc++.so.6",
                ],
            },
            "python": {"skip_pyc_compilation": ["**/*.py"]},
        },
        "requirements": {"build": [], "host": [pin], "run": ["__glibc >=2.36", pin]},
        "extra": {"lode": {"node": nodes["a"].hashes[TARGET.name]}},
    }
    other = replace(nodes["a"], summary="another", license="GPL-3.0-only", homepage="x", tags=("y",), cite=("z",))
    assert instructions.recipe(other, TARGET, nodes, root="/lode/build") == document


def test_a_prebuilt_wheel_is_left_as_it_is() -> None:
    nodes = graph(node("wheel", build=build(System.WHEEL), prebuilt=True))
    document = instructions.recipe(nodes["wheel"], TARGET, nodes, root="/r")
    assert document["build"]["dynamic_linking"]["binary_relocation"] is False
