"""Every renderer says of every shipped stack what its lock says, in its own format, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rendering.shipped import lone, references, shipped, uncovered

from lode.errors import UsageError
from lode.rendering import RENDERERS, agreement, header, renderer
from lode.rendering.agreement import Agreement, Item, Need

CASES = [(name, reference) for name in RENDERERS for reference in references()]


@pytest.mark.parametrize(("name", "reference"), CASES)
def test_output_read_back_is_the_lock(name: str, reference: str) -> None:
    lock, recipes, file = shipped(reference)
    rendering = renderer(name).render(lock, recipes=recipes, file=file)
    said = renderer(name).read_back(rendering.tree)
    assert agreement.differences(lock, said) == ()
    assert said == agreement.of_lock(lock)


@pytest.mark.parametrize("package", uncovered())
def test_every_recipe_that_is_in_no_stack_agrees_in_every_output(package: str) -> None:
    lock, recipes, file = lone(package)
    for name in RENDERERS:
        rendering = renderer(name).render(lock, recipes=recipes, file=file)
        assert agreement.differences(lock, renderer(name).read_back(rendering.tree)) == (), name


@pytest.mark.parametrize(("name", "reference"), CASES)
def test_every_target_alone_agrees_as_well(name: str, reference: str) -> None:
    lock, recipes, file = shipped(reference)
    for target in lock.targets:
        nodes = tuple(node for node in lock.nodes if target.definition.name in node.targets)
        alone = replace(lock, targets=(target,), nodes=nodes)
        rendering = renderer(name).render(alone, recipes=recipes, file=file)
        assert agreement.differences(alone, renderer(name).read_back(rendering.tree)) == ()


@pytest.mark.parametrize(("name", "reference"), CASES)
def test_rendering_twice_gives_the_same_bytes_and_every_text_says_its_lock(name: str, reference: str) -> None:
    lock, recipes, file = shipped(reference)
    backwards = dict(reversed(list(recipes.items())))
    first = renderer(name).render(lock, recipes=recipes, file=file)
    assert renderer(name).render(lock, recipes=backwards, file=file) == first
    for path, content in first.tree.files.items():
        if path.name in HEADED or path.suffix in (".py", ".yaml", ".scm", ".eb", ".cmake"):
            own = content and not any(part in path.parts for part in ("tests", "patches"))
            assert not own or all(line in content.decode() for line in header.lines(lock)), path


HEADED = ("spack.yaml", "package.py", "recipe.yaml", "meta.yaml", "Containerfile")


@pytest.mark.parametrize("name", RENDERERS)
def test_a_changed_hash_in_any_file_is_noticed(name: str) -> None:
    lock, recipes, file = shipped("dance-mini@2026.11")  # each source is changed in turn: too slow for a large stack
    tree = renderer(name).render(lock, recipes=recipes, file=file).tree
    for node in lock.nodes:
        for source in node.sources:
            old, new = source.sha256.encode(), (source.sha256[::-1]).encode()
            changed = {path: content.replace(old, new) for path, content in tree.files.items()}
            said = renderer(name).read_back(replace(tree, files=changed))
            assert any(one.startswith(f"{node.package} on ") for one in agreement.differences(lock, said))


def test_differences_name_each_thing_that_is_said_otherwise() -> None:
    lock, _, _ = shipped("dance-mini@2026.11")
    whole = agreement.of_lock(lock)
    target = lock.targets[0].definition.name
    items = {item.package: item for item in whole.items if item.target == target}
    zlib, h5py, nest = items["zlib"], items["h5py"], items["nest"]
    said = Agreement(
        items=(whole.items - {zlib, h5py, nest, items["xz"]})
        | {
            replace(zlib, version="1.2"),
            replace(nest, patches=()),
            replace(h5py, delegated=True),
            Item(target=target, package="extra", version="1"),
        },
        needs=(whole.needs - {Need(target=target, package="mcpl", needs="zlib")})
        | {Need(target=target, package="mcpl", needs="nest")},
    )
    assert agreement.differences(lock, said) == (
        f"extra on {target} is not in the lock",
        f"h5py on {target} is left to the ecosystem's own package, which the stack does not ask for",
        f"mcpl on {target} does not need zlib, the lock says it does",
        f"mcpl on {target} needs nest, the lock does not say so",
        f"nest on {target} has the patches (none), the lock says {nest.patches[0][:12]}",
        f"xz on {target} is missing",
        f"zlib on {target} has version 1.2, the lock says 1.3.1",
    )


def test_unknown_renderers_are_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        renderer("rpm")
    assert str(refused.value) == f"there is no renderer called 'rpm'\n  hint: there are: {', '.join(RENDERERS)}"
