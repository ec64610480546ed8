"""The resolver against a search of all possibilities, on small random worlds: same answer, and a sound choice."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.locking.world import World

from lode.definitions.recipe import Dependency, Recipe
from lode.definitions.version import Version
from lode.errors import ResolutionError
from lode.locking.conditions import Choice, holds, meets

FORMS = [
    "{name} >={low}",
    "{name} <={low}",
    "{name} !={low}",
    "{name} >={low} when <3",
    "{name} when >=2",
    "{name} when +x",
    "{name} when ~x",
    "{name} +x",
    "{name} ~x",
    "{name} +x when >={low}",
    "{name} when ^{other}>=2",
]
CONFLICTS = ["{name} >={low}: why", "+x | {name}: why", "{name} +x: why", ">=2 | {name} <={low}: why"]


def world(chance: random.Random, size: int) -> World:
    made = World()
    names = [f"p{number}" for number in range(size)]
    for number, name in enumerate(names):
        later = names[number + 1 :]
        needs = {
            chance.choice(FORMS).format(name=other, low=chance.randint(1, 3), other=chance.choice(names))
            for other in chance.sample(later, min(len(later), chance.randint(0, 3)))
        }
        conflicts = {
            chance.choice(CONFLICTS).format(name=other, low=chance.randint(1, 3))
            for other in chance.sample(names, 1)
            if other != name and chance.random() < 0.3
        }
        default = chance.choice(["x=true", "x=false"])
        made.add(name, "1 2 3", needs=sorted(needs), options=[default], conflicts=sorted(conflicts))
    return made


def reached(made: World, roots: list[str], choices: Mapping[str, Choice]) -> tuple[dict[str, Choice], list[Dependency]]:
    """Return what is there, and the dependencies that are active."""
    (target,) = made.targets.values()
    there = {name: choices[name] for name in roots}
    while True:
        active = [
            dependency
            for name in there
            for dependency in made.recipes[name].dependencies
            if holds(dependency.when, there[name], target, there)
        ]
        wanted = there | {one.requirement.package: choices[one.requirement.package] for one in active}
        if wanted == there:
            return there, active
        there = wanted


def sound(made: World, roots: list[str], choices: Mapping[str, Choice]) -> bool:
    (target,) = made.targets.values()
    there, active = reached(made, roots, choices)
    if not all(meets(one.requirement, there.get(one.requirement.package)) for one in active):
        return False
    for name, choice in there.items():
        recipe: Recipe = made.recipes[name]
        for conflict in recipe.conflicts:
            if holds(conflict.when, choice, target, there) and meets(
                conflict.requirement, there.get(conflict.requirement.package)
            ):
                return False
        asked = {pair for one in active if one.requirement.package == name for pair in one.requirement.options}
        for option in recipe.options:
            value = choice.options[option.name]
            if value != option.default and (option.name, value) not in asked:
                return False
    return True


def possibilities(made: World) -> Iterator[dict[str, Choice]]:
    each = [Choice(version=Version(version), options={"x": x}) for version in "123" for x in ("true", "false")]
    for chosen in product(each, repeat=len(made.recipes)):
        yield dict(zip(made.recipes, chosen, strict=True))


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=2**32))
def test_resolver_finds_a_sound_choice_exactly_when_there_is_one(seed: int) -> None:
    made = world(random.Random(seed), 4)
    roots = ["p0", "p1"]
    try:
        lock = made.lock(*roots)
    except ResolutionError:
        assert not any(sound(made, roots, choices) for choices in possibilities(made))
        return
    chosen = {node.package: Choice(version=Version(node.version), options=node.options) for node in lock.nodes}
    rest = {name: Choice(version=Version("1"), options={"x": "true"}) for name in made.recipes}
    assert sound(made, roots, rest | chosen)
    assert set(reached(made, roots, rest | chosen)[0]) == set(chosen)
