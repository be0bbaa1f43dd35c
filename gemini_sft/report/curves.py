"""Loss and accuracy of a tuning job: the part of the report that shows them, and a page of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gemini_sft.report import numbers
from gemini_sft.report.figures import MOST_POINTS, Figure, curve_figures
from gemini_sft.report.render import render
from gemini_sft.tuning import TuningRecord
from gemini_sft.tuning.curves import Curve, Curves

_MOST_ROWS = 20


@dataclass(frozen=True)
class CurvesView:
    """The curves as drawings, sentences and a table for who reads rather than looks.

    Attributes:
        figures: None, one or two.
        sentences: What the curves say.
        columns: Heads of the table, after epoch and step.
        rows: Epoch, step and a value for each of `columns`.
        thinned: Whether points were left out of the drawing.
        validation: Whether there are curves on validation.
    """

    figures: list[Figure]
    sentences: list[str]
    columns: list[str]
    rows: list[list[str]]
    thinned: bool
    validation: bool


def curves_page(curves: Curves, record: TuningRecord) -> str:
    """Returns a self-contained HTML document with the curves of one tuning job."""
    view = curves_view(curves, record)
    return render("curves.html.j2", view.figures, curves=view, record=record, heading="h1")


def curves_view(curves: Curves, record: TuningRecord) -> CurvesView:
    """Returns what is shown of the curves of one tuning job."""
    series = (
        ("Training loss", curves.train_loss, numbers.plain),
        ("Validation loss", curves.validation_loss, numbers.plain),
        ("Training accuracy", curves.train_accuracy, numbers.percent),
        ("Validation accuracy", curves.validation_accuracy, numbers.percent),
    )
    known = [(name, curve, form) for name, curve, form in series if curve and curve.values]
    places = _places([curve for _, curve, _ in known], record)
    return CurvesView(
        figures=curve_figures(curves, record),
        sentences=_sentences(curves),
        columns=[name for name, _, _ in known],
        rows=[[epoch, f"{step:,}", *(_value(curve, step, form) for _, curve, form in known)] for epoch, step in places],
        thinned=any(len(curve.steps) > MOST_POINTS for _, curve, _ in known),
        validation=bool(curves.validation_loss and curves.validation_loss.values),
    )


def _places(curves: list[Curve], record: TuningRecord) -> list[tuple[str, int]]:
    """Returns epoch and step of the checkpoints or, if there are none, the first and the last step."""
    if not curves:
        return []
    if record.checkpoints:
        return [(f"{one.epoch}", one.step) for one in record.checkpoints[:_MOST_ROWS]]
    first, last = min(one.steps[0] for one in curves), max(one.steps[-1] for one in curves)
    return [("", step) for step in sorted({first, last})]


def _value(curve: Curve, step: int, form: Callable[[float], str]) -> str:
    """Returns the last value at or before a step."""
    known = [value for at, value in zip(curve.steps, curve.values, strict=True) if at <= step]
    if not known:
        return "not yet known"
    return form(known[-1])


def _sentences(curves: Curves) -> list[str]:
    said = []
    train, validation = _finite(curves.train_loss), _finite(curves.validation_loss)
    if train:
        (_, first), (_, last) = train[0], train[-1]
        said.append(f"Training loss went from {numbers.plain(first)} to {numbers.plain(last)}.")
    if validation:
        step, best = min(validation, key=lambda point: point[1])
        said.append(
            f"Validation loss ended at {numbers.plain(validation[-1][1])};"
            f" its lowest was {numbers.plain(best)} at step {step:,}."
        )
    return said


def _finite(curve: Curve | None) -> list[tuple[int, float]]:
    if curve is None:
        return []
    return [point for point in zip(curve.steps, curve.values, strict=True) if math.isfinite(point[1])]
