from __future__ import annotations

from dataclasses import replace

from tests.building.factory import TARGET, build, graph, node

from lode.building import instructions, naming
from lode.definitions.recipe import Kind, System

BUILD, LINK, RUN = Kind.BUILD, Kind.LINK, Kind.RUN


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
