"""Loss and accuracy of a tuning job: the part of the report that shows them, and a page of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from gemini_sft.report import numbers
from gemini_sft.report.figures import MOST_POINTS, Figure, curve_figures, some_of
from gemini_sft.report.over_fitting import advice, where
from gemini_sft.report.render import render
from gemini_sft.tuning import LowestLoss, Selection, TuningRecord, epoch_ends, lowest_validation_loss
from gemini_sft.tuning.curves import Curve, Curves

_MOST_ROWS = 20
_PARTS = 10
"""Of its steps, the first and the last of so many parts say where training loss began and ended."""


@dataclass(frozen=True)
class CurvesView:
    """The curves as drawings, sentences and a table for who reads rather than looks.

    Attributes:
        figures: None, one or two.
        sentences: What the curves say.
        columns: Heads of the table, after epoch and step.
        rows: Epoch, step and a value for each of `columns`.
        thinned: Whether points were left out of the drawing.
        validation: Whether there is a loss on validation.
        turned: Whether it has turned: over-fitting.
        epochs: Whether ends of epochs are known, and marked.
        absent: Why there are no curves, in a sentence.
        taken: Whether a checkpoint of this job has been taken already.
    """

    figures: list[Figure]
    sentences: list[str]
    columns: list[str]
    rows: list[list[str]]
    thinned: bool
    validation: bool
    turned: bool
    epochs: bool
    absent: str
    taken: bool


def curves_page(curves: Curves, record: TuningRecord) -> str:
    """Returns a self-contained HTML document with the curves of one tuning job."""
    view = curves_view(curves, record)
    return render("curves.html.j2", view.figures, curves=view, record=record, heading="h1")


def curves_view(curves: Curves, record: TuningRecord, selection: Selection | None = None) -> CurvesView:
    """Returns what is shown of the curves of one tuning job.

    Args:
        curves: Of the job.
        record: The job.
        selection: Which of its checkpoints was taken, if that is known already.
    """
    series = (
        ("Training loss", curves.train_loss, numbers.plain),
        ("Validation loss", curves.validation_loss, numbers.plain),
        ("Training accuracy", curves.train_accuracy, numbers.percent),
        ("Validation accuracy", curves.validation_accuracy, numbers.percent),
    )
    known = [(name, curve, form) for name, curve, form in series if curve and curve.values]
    ends = epoch_ends(record)
    places = _places([curve for _, curve, _ in known], ends)
    lowest = lowest_validation_loss(curves, record)
    return CurvesView(
        figures=curve_figures(curves, record),
        sentences=_sentences(curves, lowest, record, selection),
        columns=[name for name, _, _ in known],
        rows=[[epoch, f"{step:,}", *(_value(curve, step, form) for _, curve, form in known)] for epoch, step in places],
        thinned=any(len(curve.steps) > MOST_POINTS for _, curve, _ in known),
        validation=lowest is not None,
        turned=lowest is not None and lowest.turned,
        epochs=bool(ends),
        absent=curves.absent or "The service reported no curves for this tuning job.",
        taken=selection is not None,
    )


def _places(curves: list[Curve], ends: dict[int, int]) -> list[tuple[str, int]]:
    """Returns epochs and their last steps or, if those are not known, the first and the last step."""
    if not curves:
        return []
    if ends:
        return [(f"{epoch}", step) for epoch, step in some_of(ends, _MOST_ROWS)]
    first, last = min(one.steps[0] for one in curves), max(one.steps[-1] for one in curves)
    return [("", step) for step in sorted({first, last})]


def _value(curve: Curve, step: int, form: Callable[[float], str]) -> str:
    """Returns the last value at or before a step."""
    known = [value for at, value in zip(curve.steps, curve.values, strict=True) if at <= step]
    if not known:
        return "not yet known"
    return form(known[-1])


def _sentences(
    curves: Curves, lowest: LowestLoss | None, record: TuningRecord, selection: Selection | None
) -> list[str]:
    said = []
    if train := _finite(curves.train_loss):
        said.append(_training(train))
    if lowest:
        said.append(_validation(lowest, record, selection))
    return said


def _training(losses: list[float]) -> str:
    """Returns how training loss went. That of a single step is that of few examples and says little."""
    few = max(1, len(losses) // _PARTS)
    first, last = fmean(losses[:few]), fmean(losses[-few:])
    how = f", both means of {few} steps" if few > 1 else ""
    return f"Training loss went from {numbers.plain(first)} to {numbers.plain(last)}{how}."


def _validation(lowest: LowestLoss, record: TuningRecord, selection: Selection | None) -> str:
    """Returns how validation loss went, which names over-fitting if there is any."""
    best, last = numbers.plain(lowest.value), numbers.plain(lowest.last)
    if lowest.step == lowest.last_step:
        return f"Validation loss ended at {last}, its lowest."
    if not lowest.turned:
        return f"Validation loss was lowest, {best}, {where(lowest)}, and ended at {last}, which is about the same."
    return (
        f"Over-fitting: validation loss was lowest, {best}, {where(lowest)}, and rose to {last} by the end;"
        f" from there on the model learned its training examples by heart. {advice(lowest, record, selection)}"
    )


def _finite(curve: Curve | None) -> list[float]:
    return [value for value in curve.values if math.isfinite(value)] if curve else []
