"""How what a version of a Python package asks for, as upstream says, agrees with what its recipe asks for then.

`upstream.json` and `lode check` compare names; bounds are compared here, when a version is added: a bound counts only
where the collection has a version that the recipe takes and upstream does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from drafts import Draft
from lode.definitions import language
from lode.definitions.read_recipe import LANGUAGES
from lode.definitions.recipe import Dependency, Kind, Recipe
from lode.definitions.requirement import Requirement
from lode.definitions.version import Version

Versions = Callable[[str], Sequence[Version]]  # of the package called so, all that the collection has


def differences(recipe: Recipe, draft: Draft, versions: Versions) -> Iterator[str]:
    """Yield what `draft`, a version of `recipe`, asks for and the recipe does not, each as a sentence."""
    version = Version(draft.version)
    then = [one for one in recipe.dependencies if not one.when.version.clauses or one.when.version.admits(version)]
    for text in (*draft.tools, *draft.link, *draft.run):
        asked = language.requirement(text)
        if asked.package not in LANGUAGES:
            yield from _differences(asked, [one for one in then if one.requirement.package == asked.package], versions)


def _differences(asked: Requirement, then: Sequence[Dependency], versions: Versions) -> Iterator[str]:
    if not then:
        yield f"it asks for {asked}, and the recipe does not"
        return
    for kind in (Kind.BUILD, Kind.LINK, Kind.RUN):
        said = [one.requirement for one in then if kind in one.kinds]
        if not said:
            continue
        taken = [one for one in versions(asked.package) if all(own.constraint.admits(one) for own in said)]
        wrong = [one.text for one in taken if not asked.constraint.admits(one)]
        if wrong:
            yield f"it asks for {asked}, and the recipe takes {', '.join(wrong)} as well"
            return
