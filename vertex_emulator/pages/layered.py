"""Places the nodes of a directed graph in layers, so that every edge points downwards.

The way of Sugiyama, Tagawa and Toda (1981): layers by the longest path, edges over several layers led through
placeholders, crossings reduced by barycenters; then each layer is put as near to its neighbours as its order allows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

GAP = 22.0
"""Between neighbours in a layer."""
LAYER_GAP = 40.0
_PASSAGE = 14.0
"""Between an edge that passes a layer and its neighbours."""
_SWEEPS = 8

Size = tuple[float, float]
Edge = tuple[str, str]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """Where a node is: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """A drawing that begins at (0, 0).

    Attributes:
        boxes: By node.
        lines: By edge, from the lower side of one node to the upper side of the other. Between the points 0 and 1, 2
            and 3, and so on, a line is upright, passing a layer; in between it may bend.
        size: Width and height.
    """

    boxes: dict[str, Box]
    lines: dict[Edge, list[Point]]
    size: Size


def layout(sizes: Mapping[str, Size], edges: Collection[Edge]) -> Layout:
    """Draws a graph.

    Args:
        sizes: Width and height of each node, in the order that nodes without other reasons stand in.
        edges: From which node to which. Edges to unknown nodes, those that another way already implies, and those that
            close a cycle are not drawn.

    Returns:
        The same drawing for the same graph, in whatever order the edges come.
    """
    if not sizes:
        return Layout({}, {}, (0.0, 0.0))
    above = _needed(_acyclic(list(sizes), edges))
    rank: dict[str, int] = {}
    for node in above:
        rank[node] = max((rank[one] + 1 for one in above[node]), default=0)
    graph = _Graph(sizes, rank, above)
    graph.order()
    return graph.drawn()


def _acyclic(nodes: Sequence[str], edges: Collection[Edge]) -> dict[str, list[str]]:
    """Returns what is directly above each node, in an order in which nodes come after what is above them."""
    place = {node: number for number, node in enumerate(nodes)}
    known = {(a, b) for a, b in edges if a in place and b in place and a != b}
    above: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in sorted(known, key=lambda edge: (place[edge[0]], place[edge[1]])):
        above[b].append(a)
    while True:
        try:
            return {node: above[node] for node in TopologicalSorter(above).static_order()}
        except CycleError as error:
            before, after = error.args[1][:2]
            above[after].remove(before)


def _needed(above: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Leaves out what is implied: whoever waits for B, which waits for A, waits for A."""
    ancestors: dict[str, set[str]] = {}
    needed = {}
    for node, direct in above.items():
        further = set().union(*(ancestors[one] for one in direct))
        ancestors[node] = further | set(direct)
        needed[node] = [one for one in direct if one not in further]
    return needed


class _Graph:
    """Nodes and placeholders as numbers, in layers from above to below."""

    def __init__(self, sizes: Mapping[str, Size], rank: Mapping[str, int], above: Mapping[str, list[str]]) -> None:
        self._names = list(sizes)
        self._sizes = [sizes[name] for name in self._names]
        self._number = {name: number for number, name in enumerate(self._names)}
        self._layers: list[list[int]] = [[] for _ in range(max(rank.values()) + 1)]
        for name in self._names:
            self._layers[rank[name]].append(self._number[name])
        self._up: dict[int, list[int]] = {number: [] for number in range(len(self._names))}
        self._down: dict[int, list[int]] = {number: [] for number in range(len(self._names))}
        self._ways: dict[Edge, list[int]] = {}
        for name in self._names:
            for one in above[name]:
                self._lead(one, name, rank)

    def _lead(self, a: str, b: str, rank: Mapping[str, int]) -> None:
        way = [self._number[a]]
        for layer in range(rank[a] + 1, rank[b]):
            placeholder = len(self._sizes)
            self._sizes.append((0.0, 0.0))
            self._layers[layer].append(placeholder)
            way.append(placeholder)
        way.append(self._number[b])
        self._ways[a, b] = way
        for upper, lower in pairwise(way):
            self._down.setdefault(upper, []).append(lower)
            self._up.setdefault(lower, []).append(upper)

    def order(self) -> None:
        """Sorts the layers so that few edges cross."""
        best, fewest = [list(layer) for layer in self._layers], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            downwards = sweep % 2 == 0
            neighbours = self._up if downwards else self._down
            for number in range(len(self._layers)) if downwards else reversed(range(len(self._layers))):
                self._sort(number, number - 1 if downwards else number + 1, neighbours)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self._layers], crossings
        self._layers = best

    def _sort(self, number: int, other: int, neighbours: Mapping[int, list[int]]) -> None:
        if not 0 <= other < len(self._layers):
            return
        place = {node: at for at, node in enumerate(self._layers[other])}
        own = {node: at for at, node in enumerate(self._layers[number])}

        def barycenter(node: int) -> float:
            near = [place[one] for one in neighbours.get(node, [])]
            return sum(near) / len(near) if near else float(own[node])

        self._layers[number].sort(key=lambda node: (barycenter(node), own[node]))

    def _crossings(self) -> int:
        crossings = 0
        for upper, lower in pairwise(self._layers):
            place = {node: at for at, node in enumerate(lower)}
            ends = [sorted(place[one] for one in self._down.get(node, [])) for node in upper]
            seen: list[int] = []
            for group in ends:
                crossings += sum(1 for end in group for before in seen if before > end)
                seen += group
        return crossings

    def drawn(self) -> Layout:
        """Puts everything in its place."""
        centers = self._centers()
        heights = [max(self._sizes[node][1] for node in layer) for layer in self._layers]
        tops = [sum(heights[:number]) + number * LAYER_GAP for number in range(len(heights))]
        layer_of = {node: number for number, layer in enumerate(self._layers) for node in layer}
        left = min(centers[node] - self._sizes[node][0] / 2 for node in layer_of)
        boxes = {}
        for name, node in self._number.items():
            width, height = self._sizes[node]
            boxes[name] = Box(centers[node] - width / 2 - left, tops[layer_of[node]], width, height)
        lines = {}
        for edge, way in self._ways.items():
            first = boxes[edge[0]]
            points = [(centers[way[0]] - left, first.y + first.height)]
            points.append((points[0][0], tops[layer_of[way[0]]] + heights[layer_of[way[0]]]))
            for node in way[1:-1]:
                x, layer = centers[node] - left, layer_of[node]
                points += [(x, tops[layer]), (x, tops[layer] + heights[layer])]
            points.append((centers[way[-1]] - left, boxes[edge[1]].y))
            lines[edge] = points
        right = max(centers[node] + self._sizes[node][0] / 2 for node in layer_of)
        return Layout(boxes, lines, (right - left, tops[-1] + heights[-1]))

    def _centers(self) -> dict[int, float]:
        """Returns how far to the right the middle of each node is."""
        centers: dict[int, float] = {}
        for layer in self._layers:
            centers |= self._spread(layer, {node: 0.0 for node in layer})
        for sweep in range(2 * _SWEEPS):
            for layer in self._layers if sweep % 2 == 0 else reversed(self._layers):
                wanted = {}
                for node in layer:
                    near = [*self._up.get(node, []), *self._down.get(node, [])]
                    wanted[node] = sum(centers[one] for one in near) / len(near) if near else centers[node]
                centers |= self._spread(layer, wanted)
        return centers

    def _spread(self, layer: Sequence[int], wanted: Mapping[int, float]) -> dict[int, float]:
        """Returns the places nearest to the wanted ones at which nobody overlaps: isotonic regression."""
        offsets = [0.0]
        for a, b in pairwise(layer):
            gap = GAP if a < len(self._names) and b < len(self._names) else _PASSAGE
            offsets.append(offsets[-1] + (self._sizes[a][0] + self._sizes[b][0]) / 2 + gap)
        pools: list[tuple[float, int]] = []
        for node, offset in zip(layer, offsets, strict=True):
            total, count = wanted[node] - offset, 1
            while pools and pools[-1][0] / pools[-1][1] > total / count:
                before, many = pools.pop()
                total, count = total + before, count + many
            pools.append((total, count))
        places = [total / count for total, count in pools for _ in range(count)]
        return {node: place + offset for node, place, offset in zip(layer, places, offsets, strict=True)}
