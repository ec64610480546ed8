"""The drawing shows every package once, what is used to the right of its user, and nothing on top of anything."""

from hypothesis import given
from hypothesis import strategies as st
from tests.describing.factory import chain, mini
from tests.testing.factory import lock, node

from lode.definitions.recipe import Kind
from lode.describing.drawing import LARGEST, draw


def test_packages_stand_to_the_left_of_what_they_use() -> None:
    drawing = draw(mini())
    assert drawing is not None
    x = {box.package: box.x for box in drawing.boxes}
    assert all(x[edge.package] > x[each.package] for each in mini().nodes for edge in each.edges)


def test_edge_that_a_longer_way_tells_is_left_out() -> None:
    locked = lock(node("a", needs={"b": [Kind.LINK], "c": [Kind.LINK]}), node("b", needs={"c": [Kind.LINK]}), node("c"))
    drawing = draw(locked)
    assert drawing is not None
    assert [(line.user, line.used) for line in drawing.lines] == [("a", "b"), ("b", "c")]


def test_what_is_only_for_building_is_marked() -> None:
    locked = lock(
        node("app", needs={"make": [Kind.BUILD], "lib": [Kind.BUILD, Kind.LINK], "check": [Kind.TEST]}),
        node("lib"),
        node("make"),
        node("check"),
        requirements=["app"],
    )
    drawing = draw(locked)
    assert drawing is not None
    assert {box.package for box in drawing.boxes if box.tool} == {"make", "check"}
    assert {(line.used, line.tool) for line in drawing.lines} == {("make", True), ("lib", False)}


def test_graph_beyond_the_legible_is_not_drawn() -> None:
    assert draw(chain(LARGEST)) is not None
    assert draw(chain(LARGEST + 1)) is None
    assert draw(lock()) is None


@st.composite
def graphs(draws: st.DrawFn):
    size = draws(st.integers(min_value=1, max_value=25))
    used = [draws(st.sets(st.integers(0, place - 1), max_size=5)) if place else set() for place in range(size)]
    return lock(*[node(f"p{place}", needs={f"p{one}": [Kind.LINK] for one in ones}) for place, ones in enumerate(used)])


@given(graphs())
def test_boxes_never_overlap_and_stay_inside(locked) -> None:
    drawing = draw(locked)
    assert drawing is not None
    assert [box.package for box in drawing.boxes] == sorted(each.package for each in locked.nodes)
    half = drawing.box_height / 2
    for place, box in enumerate(drawing.boxes):
        assert box.x >= 0
        assert box.x + box.width <= drawing.width
        assert half <= box.y <= drawing.height - half
        for other in drawing.boxes[:place]:
            beside = box.x + box.width < other.x or other.x + other.width < box.x
            assert beside or abs(box.y - other.y) > drawing.box_height


@given(graphs())
def test_same_graph_gives_the_same_drawing(locked) -> None:
    assert draw(locked) == draw(locked)
