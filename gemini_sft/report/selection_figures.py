"""Plotly figures of what was tried: scores and losses of checkpoints against the epochs after which they were made."""

import math
import textwrap
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.metrics.words import metric_words
from gemini_sft.report.figures import Figure, axis, base_layout
from gemini_sft.report.text import visible
from gemini_sft.report.words import title
from gemini_sft.tuning import Candidate, Selection
from gemini_sft.tuning.tried import Tried, tried

MOST_LINES = 12
"""Trials that a figure can tell apart; of more there is none, and the table's own drawing has to do."""

_COLOURS = ("a", "b", "c", "d", "e", "f")
_DASHES = ("solid", "dash")
_SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "pentagon", "hexagram",
    "bowtie", "hourglass",
)  # fmt: skip
_NAME_WIDTH, _NAME_LIMIT = 38, 120
_TOP, _PLOT, _BOTTOM, _LEGEND_LINE = 44, 230, 62, 19
"""Pixels: above the drawing, of it, below it with the axis, and of each line of a legend further below."""
_MOST_TICKS = 12
_AIR = 0.04
"""Left and right of the epochs, as a share of them: a marker and the ring around it have room."""

_Point = tuple[int, float | None]


def selection_figures(selection: Selection) -> list[Figure]:
    """Returns drawings against epochs: of one job score and validation loss, of a sweep what it was chosen by.

    What has values of one epoch only is left out; so is everything if there are more than `MOST_LINES` jobs.
    """
    jobs = tried(selection)
    if len(jobs) > MOST_LINES:
        return []
    score, loss = (
        _figure("selection-score-plot", title(metric_words(selection.metric).label), selection, jobs, _score),
        _figure("selection-loss-plot", "Validation loss", selection, jobs, _loss),
    )
    by_loss = selection.by is CheckpointChoice.LOSS
    wanted = [score, loss] if len(jobs) == 1 else [loss if by_loss else score]
    return [one for one in wanted if one]


def plain_text(text: str) -> str:
    """Returns a text of unknown origin so that Plotly, which reads some HTML in texts, shows it letter by letter."""
    shown = visible(text)
    shown = shown if len(shown) <= _NAME_LIMIT else shown[: _NAME_LIMIT - 1] + "…"
    return "<br>".join(escape(line, quote=False) for line in textwrap.wrap(shown, _NAME_WIDTH))


def _score(candidate: Candidate) -> float | None:
    return candidate.score


def _loss(candidate: Candidate) -> float | None:
    return candidate.validation_loss


def _figure(
    name: str, heading: str, selection: Selection, jobs: list[Tried], value_of: Callable[[Candidate], float | None]
) -> Figure | None:
    sweep = len(jobs) > 1
    traces = []
    for n, job in enumerate(jobs):
        points = _points(job.candidates, value_of)
        if points:
            called = plain_text(job.name or f"Job {n + 1}") if sweep else "Checkpoints"
            colour = f"var(--series{_COLOURS[n % len(_COLOURS)]})" if sweep else "var(--validation)"
            traces.append(_line(called, points, n, colour, heavy=job.taken and sweep))
    epochs = {x for trace in traces for x in trace["x"]}
    if len(epochs) < 2:
        return None
    if taken := _points([selection.taken], value_of):
        traces.append(_ring(taken))
    legend = sum(1 + trace["name"].count("<br>") for trace in traces) if sweep else 1
    return {
        "id": name,
        "label": f"Line chart: {heading} on the validation split against epochs" + ", a line per trial" * sweep,
        "data": traces,
        "layout": _layout(heading, max(epochs), legend, upright=sweep),
        "height": _TOP + _PLOT + _BOTTOM + _LEGEND_LINE * legend,
    }


def _points(candidates: Sequence[Candidate], value_of: Callable[[Candidate], float | None]) -> list[_Point]:
    """Returns epochs and values; a line has a gap where there is no value."""
    read = [(one.epoch, value_of(one)) for one in candidates]
    points = [(x, y if y is not None and math.isfinite(y) else None) for x, y in read if x is not None]
    return points if any(y is not None for _, y in points) else []


def _line(name: str, points: list[_Point], n: int, colour: str, *, heavy: bool) -> dict[str, Any]:
    dash = _DASHES[n // len(_COLOURS) % len(_DASHES)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [x for x, _ in points],
        "y": _rounded(points),
        "line": {"color": colour, "width": 3.5 if heavy else 1.75, "dash": dash},
        "marker": {"color": colour, "size": 9, "symbol": _SYMBOLS[n % len(_SYMBOLS)]},
    }


def _rounded(points: list[_Point]) -> list[float | None]:
    return [y if y is None else float(f"{y:.6g}") for _, y in points]


def _ring(points: list[_Point]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Taken",
        "x": [x for x, _ in points],
        "y": _rounded(points),
        "hoverinfo": "skip",
        "cliponaxis": False,
        "legendrank": 1,
        "marker": {"color": "var(--ink)", "size": 19, "symbol": "circle-open", "line": {"width": 2.5}},
    }


def _layout(heading: str, last: int, legend: int, *, upright: bool) -> dict[str, Any]:
    air = max(0.4, last * _AIR)
    return {
        **base_layout(plain_text(heading)),
        "margin": {"l": 52, "r": 16, "t": _TOP, "b": _BOTTOM + _LEGEND_LINE * legend},
        # Names of trials are long: they stand below each other, under the drawing.
        "legend": {
            "orientation": "v" if upright else "h",
            "x": 0,
            "y": -_BOTTOM / _PLOT,
            "yanchor": "top",
            "maxheight": _LEGEND_LINE * (legend + 1),
        },
        "hovermode": "closest",
        "xaxis": axis(
            "Epoch", range=[1 - min(air, 0.9), last + air], dtick=math.ceil(last / _MOST_TICKS), tick0=0, tickformat="d"
        ),
        "yaxis": axis(tickformat=".3~g", automargin=True),
    }
