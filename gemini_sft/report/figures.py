"""Plotly figures of a tuning job's curves.

Their colours are names of the style sheet's variables, which the page's script looks up.
"""

import math
from typing import Any

from gemini_sft.report import numbers
from gemini_sft.tuning import LowestLoss, TuningRecord, epoch_ends, lowest_validation_loss
from gemini_sft.tuning.curves import Curve, Curves

Figure = dict[str, Any]
"""`id` of the element to draw in, `label` for who cannot see it, and Plotly's `data` and `layout`."""

MOST_POINTS = 2000
"""Of one curve; beyond, evenly many are left out, which no screen would show."""

_MARKERS_UP_TO = 40
_MOST_EPOCHS = 10
_NEAR_AN_END = 0.2
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def curve_figures(curves: Curves, record: TuningRecord) -> list[Figure]:
    """Returns one figure for loss and one for accuracy, leaving out what has no values.

    Ends of epochs are marked in both, and in that of the loss where validation loss has turned, if it has.
    """
    kinds = (
        ("loss-plot", "Loss", curves.train_loss, curves.validation_loss, ".3~g"),
        ("accuracy-plot", "Accuracy", curves.train_accuracy, curves.validation_accuracy, ".0%"),
    )
    figures = []
    for name, title, train, validation, form in kinds:
        traces = [
            _trace("Training", train, color="var(--train)", dash="solid", symbol="circle"),
            _trace("Validation", validation, color="var(--validation)", dash="dash", symbol="diamond"),
        ]
        drawn = [trace for trace in traces if trace]
        if drawn:
            seen = " and ".join(trace["name"].lower() for trace in drawn)
            label = f"Line chart: {title.lower()} on {seen} examples against optimizer steps"
            layout = _layout(title, form, epoch_ends(record))
            lowest = lowest_validation_loss(curves, record) if name == "loss-plot" else None
            if lowest and lowest.turned:
                label += ", marked from where validation loss rises"
                layout["shapes"].append(_rise(lowest))
                layout["annotations"].append(_lowest(lowest, _end(drawn, record)))
            figures.append({"id": name, "label": label, "data": drawn, "layout": layout})
    return figures


def _trace(name: str, curve: Curve | None, *, color: str, dash: str, symbol: str) -> dict[str, Any] | None:
    if curve is None or not any(map(math.isfinite, curve.values)):
        return None
    points = [(step, value if math.isfinite(value) else None) for step, value in _thin(curve)]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) <= _MARKERS_UP_TO else "lines",
        "name": name,
        "x": [step for step, _ in points],
        "y": [value if value is None else float(f"{value:.6g}") for _, value in points],
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"color": color, "size": 6, "symbol": symbol},
    }


def _thin(curve: Curve) -> list[tuple[int, float]]:
    points = list(zip(curve.steps, curve.values, strict=True))
    stride = math.ceil(len(points) / MOST_POINTS)
    return points if stride <= 1 else [*points[:-1:stride], points[-1]]


def some_of(ends: dict[int, int], most: int) -> list[tuple[int, int]]:
    """Returns epochs and their last steps, evenly many left out if there are more than `most`, but never the last."""
    stride = math.ceil(len(ends) / most) or 1
    return list(ends.items())[::-1][::stride][::-1]


def base_layout(title: str) -> dict[str, Any]:
    """Returns what all figures have in common."""
    return {
        "title": {"text": title, "x": 0, "xref": "container", "font": {"size": 15, "color": "var(--ink)"}},
        "font": {"family": _FONT, "size": 12, "color": "var(--muted)"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 52, "r": 16, "t": 76, "b": 48},
        "hoverlabel": {"bgcolor": "var(--card)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.12, "yanchor": "bottom"},
    }


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Returns an axis."""
    named = {"title": {"text": title, "standoff": 8}} if title else {}
    return (
        {"gridcolor": "var(--rule)", "linecolor": "var(--line)", "zeroline": False, "fixedrange": True} | named | more
    )


def _layout(title: str, form: str, ends: dict[int, int]) -> dict[str, Any]:
    marked = some_of(ends, _MOST_EPOCHS)
    return {
        **base_layout(title),
        "hovermode": "x unified",
        "xaxis": axis("Optimizer step", rangemode="tozero", tickformat="d"),
        "yaxis": axis(tickformat=form, automargin=True),
        "shapes": [_epoch_line(step) for _, step in marked],
        "annotations": [_epoch_label(step, epoch, first=n == 0) for n, (epoch, step) in enumerate(marked)],
    }


def _epoch_line(step: int) -> dict[str, Any]:
    line = {"color": "var(--line)", "width": 1, "dash": "dot"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1, "line": line}


def _epoch_label(step: int, epoch: int, *, first: bool) -> dict[str, Any]:
    return {
        "text": f"epoch {epoch}" if first else str(epoch),
        "x": step,
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "xanchor": "right" if first else "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": "var(--muted)"},
    }


def _end(traces: list[dict[str, Any]], record: TuningRecord) -> int:
    """Returns the last step of what is drawn."""
    drawn = [int(step) for trace in traces for step in trace["x"]]
    return max(*drawn, *epoch_ends(record).values(), 0)


def _rise(lowest: LowestLoss) -> dict[str, Any]:
    """Returns the ground behind the steps after the lowest validation loss."""
    place = {"xref": "x", "yref": "paper", "x0": lowest.step, "x1": lowest.last_step, "y0": 0, "y1": 1}
    return {"type": "rect", **place, "fillcolor": "var(--bad)", "opacity": 0.1, "line": {"width": 0}, "layer": "below"}


def _lowest(lowest: LowestLoss, end: int) -> dict[str, Any]:
    # At an end of the axis the label stands to one side, so that it does not cover the numbers of the other axis.
    place = lowest.step / end if end else 0.0
    anchor = "left" if place < _NEAR_AN_END else "right" if place > 1 - _NEAR_AN_END else "center"
    return {
        "text": f"lowest: {numbers.plain(lowest.value)}",
        "x": lowest.step,
        "y": lowest.value,
        "xref": "x",
        "yref": "y",
        "xanchor": anchor,
        "ax": 0,
        "ay": -34,
        "arrowcolor": "var(--bad)",
        "arrowwidth": 1.5,
        "arrowhead": 2,
        "standoff": 5,
        "font": {"size": 12, "color": "var(--bad)"},
        "bgcolor": "var(--paper)",
    }
