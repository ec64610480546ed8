from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.rendering.pipeline.graphs import drawn

from lode import tree
from lode.errors import UsageError
from lode.rendering.pipeline import Limits, Site, gitlab

DRAWN = drawn({"app": ()}, {"app": 60}, "debian12-x86_64", limits=Limits(minutes=4, disk_mb=12000, cores=1))


def rendered(stack: str, folder: Path) -> tree.FileTree:
    return gitlab.join(gitlab.render(replace(DRAWN, stack=stack), Site()), folder)


def test_parent_starts_every_stack_that_was_rendered_whatever_came_first(tmp_path: Path) -> None:
    parents = []
    for order in (("dance", "mini"), ("mini", "dance")):
        folder = tmp_path / order[0]
        for stack in order:
            tree.write(rendered(stack, folder), folder)
        parents.append((folder / gitlab.PARENT).read_bytes())
        for stack in order:  # written again, nothing moves
            assert rendered(stack, folder).files[gitlab.PARENT] == parents[-1]
    assert parents[0] == parents[1]
    said = yaml.safe_load(parents[0])
    assert list(said) == ["stages", "workflow", "dance", "mini"]
    assert [said[stack]["trigger"]["include"][0]["local"] for stack in ("dance", "mini")] == [
        "ci/pipelines/dance.yml",
        "ci/pipelines/mini.yml",
    ]


def test_alone_the_parent_is_what_rendering_gives(tmp_path: Path) -> None:
    made = rendered("dance", tmp_path)
    tree.write(made, tmp_path)
    assert rendered("dance", tmp_path) == made == gitlab.render(replace(DRAWN, stack="dance"), Site())


@pytest.mark.parametrize(
    "text",
    [
        "deploy: {stage: lode, script: [make deploy]}\n",
        "dance: {script: [make]}\n",
        "stages: [mine]\n",
        "include: [{local: other.yml}]\n",
        "test: {script: !reference [.setup, script]}\n",
        "- a list\n",
        "{",
    ],
)
def test_parent_with_anything_else_is_left_alone(text: str, tmp_path: Path) -> None:
    place = tmp_path / gitlab.PARENT
    place.write_text(text)
    with pytest.raises(UsageError) as caught:
        rendered("dance", tmp_path)
    assert f"{place} has more than pipelines of stacks in it" in str(caught.value)
    assert place.read_text() == text


def test_empty_parent_is_written(tmp_path: Path) -> None:
    (tmp_path / gitlab.PARENT).write_text("# nothing yet\n")
    assert "dance" in yaml.safe_load(rendered("dance", tmp_path).files[gitlab.PARENT])
