"""What is shown of an artifact, by its type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from vertex_emulator.pages.content import Content, content_of
from vertex_emulator.storage.objects import ObjectStore

_CHARTED = ("confusionMatrix", "confidenceMetrics")
_SHADES = 8
_SIDE = 200
"""Pixels of a side of the ROC curve."""


@dataclass(frozen=True)
class Shown:
    """An artifact as a page opens it.

    Attributes:
        port: Name of the port that gave it.
        type: Its schema, e.g. `system.Metrics`.
        uri: Where it is; may be an address that is no object's.
        metadata: What is known of it, without what is drawn.
        confusion: Of a classification.
        roc: The `points` of an SVG polyline in a square of 200; empty if there is none.
        content: What is in its object; None if there is none to open.
        view: How `content` is opened: `html`, `markdown` or `plain`.
    """

    port: str
    type: str
    uri: str
    metadata: Mapping[str, Any]
    confusion: "Confusion | None" = None
    roc: str = ""
    content: Content | None = None
    view: str = "plain"


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: a row for each true label, a column for each predicted one.

    Attributes:
        labels: In the order of rows and columns.
        rows: Counts, each with its shade from 0 to 8, which is its share of the row.
    """

    labels: Sequence[str]
    rows: Sequence[Sequence[tuple[Any, int]]]


def shown(objects: ObjectStore, port: str, artifact: Mapping[str, Any]) -> Shown:
    """Opens an artifact.

    Args:
        objects: Where its object is.
        port: Name of the port that gave it.
        artifact: Google's `Artifact` as JSON.
    """
    kind, uri = str(artifact.get("schemaTitle", "")), str(artifact.get("uri", ""))
    metadata = artifact.get("metadata", {})
    if kind == "system.Metrics":
        return Shown(port, kind, uri, metadata)
    if kind == "system.ClassificationMetrics":
        rest = {name: value for name, value in metadata.items() if name not in _CHARTED}
        confusion = _confusion(metadata.get("confusionMatrix"))
        return Shown(port, kind, uri, rest, confusion, _roc(metadata.get("confidenceMetrics")))
    content = content_of(objects, uri) if uri.startswith("gs://") else None
    view = {"system.HTML": "html", "system.Markdown": "markdown"}.get(kind, "plain")
    return Shown(port, kind, uri, metadata, content=content, view=view)


def _confusion(matrix: Any) -> Confusion | None:
    """Reads what kfp's `log_confusion_matrix` writes; None if it is something else."""
    try:
        labels = [str(one["displayName"]) for one in matrix["annotationSpecs"]]
        rows = [list(one["row"]) for one in matrix["rows"]]
        shaded = [[(count, _shade(count, sum(row))) for count in row] for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return Confusion(labels, shaded) if len(labels) == len(rows) and labels else None


def _shade(count: float, whole: float) -> int:
    return max(0, min(_SHADES, round(_SHADES * count / whole))) if whole else 0


def _roc(points: Any) -> str:
    """Reads what kfp's `log_roc_curve` writes; nothing if it is something else."""
    try:
        places = sorted((float(one["falsePositiveRate"]), float(one["recall"])) for one in points)
    except (KeyError, TypeError, ValueError):
        return ""
    within = [(x, y) for x, y in places if isfinite(x) and isfinite(y) and 0 <= x <= 1 and 0 <= y <= 1]
    return " ".join(f"{_SIDE * x:.1f},{_SIDE * (1 - y):.1f}" for x, y in within)
