from __future__ import annotations

from tests.building.factory import TARGET, build, graph, node

from lode.definitions.recipe import Kind, System
from lode.locking.graph import Node
from lode.rendering import environments as made

BUILD, LINK, RUN = Kind.BUILD, Kind.LINK, Kind.RUN


def installed(nodes: dict[str, Node]) -> made.Installed:
    return made.Installed(target=TARGET.name, nodes=nodes)


def environments(nodes: dict[str, Node], package: str) -> tuple[str, str, str]:
    asked = made.environments(nodes[package], installed(nodes))
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
    names = [other.package for other in made.needed(nodes["a"], installed(nodes))]
    assert names == ["zlib", "cmake", "hdf5"]
