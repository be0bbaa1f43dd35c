"""The picture of a job's tasks: a layered graph in which what holds tasks is a box around its own graph."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, sqrt

from vertex_emulator.pages.layered import GAP, Box, Layout, Point, Size, layout
from vertex_emulator.pages.tasks import Task

_NODE_HEIGHT = 50.0
_NARROWEST, _WIDEST = 128.0, 260.0
_LETTER_WIDTHS = {"ijl.,:;'|!": 4, "ftr-() ": 5, "mwMWQO@%": 12}
"""About, in pixels, at the size of a node's name; other letters are 8 wide."""
_BESIDE_NAME = 54.0
_PADDING = 18.0
_TITLE = 34.0
_LONGEST_ROW = 3
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class Drawn:
    """A task in its place; `label` is its name, cut to what fits."""

    task: Task
    box: Box
    label: str


@dataclass
class Drawing:
    """What the picture is made of, from back to front.

    Attributes:
        size: Width and height.
        groups: What holds tasks, outer before inner.
        lines: The `d` of an SVG path for each edge, and whether what it leads to is idle.
        nodes: The tasks themselves.
    """

    size: Size = (0.0, 0.0)
    groups: list[Drawn] = field(default_factory=list)
    lines: list[tuple[str, bool]] = field(default_factory=list)
    nodes: list[Drawn] = field(default_factory=list)


def drawing(root: Task) -> Drawing:
    """Draws what a task holds."""
    result = Drawing()
    result.size, place = _inside(root)
    place(result, 0.0, 0.0)
    return result


Place = Callable[[Drawing, float, float], None]
"""Adds a part to a drawing, with its upper left corner at a point."""


def _inside(task: Task) -> tuple[Size, Place]:
    parts = {child.path: _part(child) for child in task.children}
    sizes = {path: part[0] for path, part in parts.items()}
    # The iterations of a loop wait for nobody and would make one endless row.
    graph = layout(sizes, task.edges) if task.edges or len(sizes) <= _LONGEST_ROW else _grid(sizes)
    idle = {child.path for child in task.children if child.idle}

    def place(result: Drawing, x: float, y: float) -> None:
        for (_, end), points in graph.lines.items():
            result.lines.append((_path([(x + a, y + b) for a, b in points]), end in idle))
        for path, box in graph.boxes.items():
            parts[path][1](result, x + box.x, y + box.y)

    return graph.size, place


def _part(task: Task) -> tuple[Size, Place]:
    if not task.children:
        size = (min(max(_width(task.name) + _BESIDE_NAME, _NARROWEST), _WIDEST), _NODE_HEIGHT)
        return size, lambda result, x, y: result.nodes.append(_drawn(task, Box(x, y, *size)))
    (width, height), place_inside = _inside(task)
    inner = max(width, min(_width(task.name) + _BESIDE_NAME, _WIDEST) + 90)
    outer = (inner + 2 * _PADDING, height + _TITLE + _PADDING)

    def place(result: Drawing, x: float, y: float) -> None:
        result.groups.append(_drawn(task, Box(x, y, *outer)))
        place_inside(result, x + _PADDING + (inner - width) / 2, y + _TITLE)

    return outer, place


def _drawn(task: Task, box: Box) -> Drawn:
    room = min(box.width, _WIDEST) - _BESIDE_NAME
    label = task.name
    while _width(label) > room and len(label) > 1:
        label = label.removesuffix("…")[:-1] + "…"
    return Drawn(task, box, label)


def _width(text: str) -> int:
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> int:
    if unicodedata.east_asian_width(letter) in "WF":
        return 14
    return next((width for letters, width in _LETTER_WIDTHS.items() if letter in letters), 8)


def _grid(sizes: dict[str, Size]) -> Layout:
    columns = min(_MOST_COLUMNS, ceil(sqrt(len(sizes))))
    boxes: dict[str, Box] = {}
    items = list(sizes.items())
    top = right = 0.0
    for start in range(0, len(items), columns):
        left, row = 0.0, items[start : start + columns]
        for path, (width, height) in row:
            boxes[path] = Box(left, top, width, height)
            right, left = max(right, left + width), left + width + GAP
        top += max(height for _, (_, height) in row) + GAP
    return Layout(boxes, {}, (right, top - GAP))


def _path(points: list[Point]) -> str:
    """Returns the `d` of a line: upright through layers, bent between them."""
    (x, y), *rest = points
    steps = [f"M{x:.1f} {y:.1f}"]
    upright = True
    for end_x, end_y in rest:
        if upright:
            steps.append(f"V{end_y:.1f}")
        else:
            middle = (y + end_y) / 2
            steps.append(f"C{x:.1f} {middle:.1f} {end_x:.1f} {middle:.1f} {end_x:.1f} {end_y:.1f}")
        x, y, upright = end_x, end_y, not upright
    return "".join(steps)
