"""The conda-build renderer: what conda-build's own steps (selectors, Jinja, YAML) make of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import jinja2
import pytest
import yaml
from tests.golden.check import same_as_golden
from tests.locking.world import World, target
from tests.rendering.shipped import references, shipped
from tests.rendering.spack.test_spack import sample
from tests.rendering.test_quoting import HOSTILE

from lode.locking.graph import Lock
from lode.rendering import Rendering, agreement
from lode.rendering.conda import words
from lode.rendering.conda_build import meta, read_back, render

T = "debian12-x86_64"
SELECTOR = re.compile(r"(.+?)\s*(#.*)?\[([^\[\]]+)\](?(2)[^\(\)]*)$")  # conda_build.metadata.sel_pat


def made_of(world: World, lock: Lock) -> Rendering:
    return render(lock, recipes=world.recipes, file=lambda package, path: world.files[package, path])


def as_conda_build_reads(text: str, variants: Mapping[str, list[str]] | None = None) -> Any:
    """Return the document as conda-build gets it: no line is a selector, then Jinja, then YAML of texts only."""
    assert not [line for line in text.splitlines() if SELECTOR.match(line.rstrip()) and not line.startswith("#")]
    chosen = {name: values[0] for name, values in (variants or {}).items()}

    def compiler(language: str) -> str:
        return f"{chosen[f'{language}_compiler']}_linux-64 {chosen[f'{language}_compiler_version']}.*"

    def stdlib(language: str) -> str:
        return f"{chosen[f'{language}_stdlib']}_linux-64 {chosen[f'{language}_stdlib_version']}.*"

    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text)
    filled = template.render(environ={"LODE_MIRROR": "file:///m"}, compiler=compiler, stdlib=stdlib)
    return yaml.load(filled, Loader=yaml.BaseLoader)


def test_sample_stack_renders_as_before() -> None:
    world = sample()
    lock = world.lock(world.stack("all-of-it", "nest", release="2026.11"))
    made = made_of(world, lock)
    assert agreement.differences(lock, read_back(made.tree)) == ()
    for path, content in made.tree.files.items():
        same_as_golden(f"rendering/conda-build/{path}", content)


@pytest.mark.parametrize("reference", references())
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_every_shipped_recipe_is_read_as_it_was_meant(reference: str, mode: str) -> None:
    lock, recipes, file = shipped(reference)
    files = render(lock, recipes=recipes, file=file).tree.files
    for one in lock.targets:
        name = one.definition.name
        variants = as_conda_build_reads(files[PurePosixPath(name, mode, "conda_build_config.yaml")].decode())
        for node in (node for node in lock.nodes if name in node.targets):
            text = files[PurePosixPath(name, "recipes", node.package, "meta.yaml")].decode()
            read = as_conda_build_reads(text, variants)
            assert read["package"] == {"name": node.package, "version": words.version(node.version)}
            assert read["about"] == {"summary": node.summary, "home": node.homepage, "license": node.license}
            hashes = [source["sha256"] for source in read["source"] if "url" in source]
            assert hashes == [source.sha256 for source in node.sources if name in source.targets]
            assert all(url.startswith(("file:///m/", "http")) for src in read["source"] for url in src.get("url", ()))


@pytest.mark.parametrize("text", [*HOSTILE, "a # [win]", "[linux]", "{{ 1 }}", "{% raw %}", "{# x #}", "${{ x }}"])
def test_hostile_texts_are_neither_template_nor_selector(text: str) -> None:
    line = " ".join(text.split())
    document = meta.text({"about": {"summary": meta.literal(line)}, "source": [meta.literal(line)]})
    assert as_conda_build_reads(document) == {"about": {"summary": line}, "source": [line]}


def test_letters_of_private_use_are_refused() -> None:
    with pytest.raises(ValueError, match="a letter of private use cannot be written"):
        meta.literal("\ue07b")


def test_toolchain_stands_for_the_compiler_and_tools_of_the_os() -> None:
    world = World(target(externals="make=4.3"))
    world.add("app", "1.0", languages="c", build=["make"])
    files = made_of(world, world.lock("app")).tree.files
    found = {path.parent.name: as_conda_build_reads(content.decode()) for path, content in files.items()
             if path.parts[1:2] == ("toolchain",)}  # fmt: skip
    assert sorted(found) == ["make", "os-c_linux-64", "os-cxx_linux-64", "sysroot_linux-64"]
    assert found["make"]["build"]["script"] == ["test -x /usr/bin/make"]
    assert found["sysroot_linux-64"]["build"]["run_exports"] == {"strong": ["__glibc >=2.36,<3.0a0"]}
    assert found["os-c_linux-64"]["requirements"] == {"run": ["sysroot_linux-64 ==2.36"]}
    assert found["os-c_linux-64"]["build"]["script"][0] == 'test "$(/usr/bin/gcc -dumpfullversion)" = 12.2.0'
