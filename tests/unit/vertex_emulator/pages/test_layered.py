"""The drawing of a graph: whatever the graph, it can be read."""

import random

from hypothesis import given
from hypothesis import strategies as st

from vertex_emulator.pages.layered import Box, Edge, Layout, Size, layout

LENGTH = st.floats(20, 400)
NODES = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.tuples(LENGTH, LENGTH), min_size=1, max_size=14)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Edge]]:
    """Graphs of all kinds, with cycles, loops and edges from nowhere."""
    sizes = draw(NODES)
    names = st.sampled_from([*sizes, "unknown"])
    return sizes, draw(st.lists(st.tuples(names, names), max_size=40))


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def crosses(line: list[tuple[float, float]], box: Box) -> bool:
    """Tells whether an upright part of a line goes through a box."""
    parts = zip(line[::2], line[1::2], strict=False)
    return any(
        box.x < x < box.x + box.width and top < box.y + box.height and box.y < low for (x, top), (_, low) in parts
    )


@given(graphs())
def test_no_two_nodes_overlap_and_all_are_in_the_picture(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    drawn = layout(*graph)
    boxes = list(drawn.boxes.values())
    assert list(drawn.boxes) == list(graph[0])
    assert not any(overlap(a, b) for number, a in enumerate(boxes) for b in boxes[:number])
    width, height = drawn.size
    for name, box in drawn.boxes.items():
        assert (box.width, box.height) == graph[0][name]
        assert -1e-6 <= box.x <= width - box.width + 1e-6 and 0 <= box.y <= height - box.height + 1e-6


@given(graphs())
def test_every_edge_points_downwards_and_passes_nodes_by(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    drawn = layout(*graph)
    for (a, b), line in drawn.lines.items():
        assert (a, b) in graph[1]
        heights = [y for _, y in line]
        assert heights == sorted(heights) and heights[0] < heights[-1]
        start, end = drawn.boxes[a], drawn.boxes[b]
        assert heights[0] == start.y + start.height and heights[-1] == end.y
        assert start.x < line[0][0] < start.x + start.width and end.x < line[-1][0] < end.x + end.width
        assert not any(crosses(line[:-1], box) for box in drawn.boxes.values())


@given(graphs(), st.randoms(use_true_random=False))
def test_the_same_graph_is_drawn_the_same(graph: tuple[dict[str, Size], list[Edge]], chance: random.Random) -> None:
    shuffled = list(graph[1])
    chance.shuffle(shuffled)
    assert layout(graph[0], graph[1]) == layout(graph[0], shuffled)


@given(graphs())
def test_without_a_cycle_whoever_waits_stands_below(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    sizes, edges = graph
    forwards = [(a, b) for a, b in edges if a in sizes and b in sizes and a < b]
    drawn = layout(sizes, forwards)
    assert all(drawn.boxes[a].y + drawn.boxes[a].height < drawn.boxes[b].y for a, b in forwards)


def test_what_is_implied_is_not_drawn_and_a_chain_is_straight() -> None:
    sizes = {name: (100.0, 40.0) for name in "abcd"}
    drawn: Layout = layout(sizes, [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d")])
    assert set(drawn.lines) == {("a", "b"), ("b", "c"), ("c", "d")}
    assert {box.x for box in drawn.boxes.values()} == {0.0}
    assert layout({}, []).boxes == {}
