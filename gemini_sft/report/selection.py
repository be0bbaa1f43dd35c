"""Which checkpoint was taken, out of what, and why: a section of the report, and a page of its own."""

import math
from dataclasses import dataclass

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis
from gemini_sft.report.figures import Figure
from gemini_sft.report.render import render
from gemini_sft.report.selection_figures import selection_figures
from gemini_sft.report.words import sentence, title
from gemini_sft.tuning import Candidate, Selection
from gemini_sft.tuning.tried import Tried, compared, is_best, job_of, tried, value

_OPEN_ROWS = 12
"""Checkpoints whose table is open; longer ones are folded where trials have a table besides."""


@dataclass(frozen=True)
class CandidateRow:
    """One checkpoint, in words; `id` is its name at the service, where that is not its number."""

    name: str
    id: str
    trial: str
    epoch: str
    step: str
    score: str
    failures: str
    loss: str
    error: str
    taken: bool


@dataclass(frozen=True)
class Dot:
    """A checkpoint on the scale of its trial, in percent of its width."""

    at: float
    best: bool
    taken: bool


@dataclass(frozen=True)
class TrialRow:
    """One trial by its best checkpoint; `dots` are all that can be compared."""

    row: CandidateRow
    dots: list[Dot]
    drawn: str


@dataclass(frozen=True)
class SelectionView:
    """What is shown of a selection.

    Attributes:
        taken: Which checkpoint was, in words.
        reason: Why.
        out_of: What it was chosen from, in a sentence.
        other_default: Which other checkpoint the model itself answers with, in a sentence; empty if there is none.
        flatters: What to make of a score that is the best of several; empty if it is not.
        metric: What scores are of.
        compared_by: What the dots show: the metric or validation loss.
        scale: Both ends of what they are drawn on.
        trials: The best of each trial of a sweep, the best first; empty without a sweep.
        rows: Every checkpoint that was tried.
        folded: Whether their table is.
        scores: Whether any of them was asked the validation examples.
        losses: Whether a validation loss is known of any.
        errors: Whether any of them could not be scored.
        figures: None, one or two.
    """

    taken: str
    reason: str
    out_of: str
    other_default: str
    flatters: str
    metric: str
    compared_by: str
    scale: tuple[str, str] | None
    trials: list[TrialRow]
    rows: list[CandidateRow]
    folded: bool
    scores: bool
    losses: bool
    errors: bool
    figures: list[Figure]


def selection_page(selection: Selection) -> str:
    """Returns a self-contained HTML document of one selection, made before the test split was asked."""
    view = selection_view(selection, tested=False)
    return render("selection.html.j2", view.figures, selection=view, chosen=selection.taken, heading="h1")


def selection_view(selection: Selection, *, tested: bool) -> SelectionView:
    """Returns what is shown of a selection.

    Args:
        selection: What was tried and taken.
        tested: Whether the test score stands on the same page, above.
    """
    jobs, by_loss = tried(selection), selection.by is CheckpointChoice.LOSS
    axis = _axis(selection)
    sweep = len(jobs) > 1
    form = numbers.plain if by_loss else numbers.score
    return SelectionView(
        taken=taken_words(selection),
        reason=sentence(selection.reason),
        out_of=_out_of(selection, jobs, tested=tested),
        other_default=_other_default(selection),
        flatters=_flatters(selection, tested=tested),
        metric=title(metric_words(selection.metric).label),
        compared_by="validation loss" if by_loss else metric_words(selection.metric).label,
        scale=(form(axis.start), form(axis.end)) if axis else None,
        trials=[_trial_row(selection, job, axis) for job in jobs] if sweep else [],
        rows=[_row(selection, job, one) for job in _in_order(selection, jobs) for one in job.candidates],
        folded=sweep and len(selection.candidates) > _OPEN_ROWS,
        scores=any(one.n or one.score is not None for one in selection.candidates),
        losses=any(one.validation_loss is not None for one in selection.candidates),
        errors=any(one.error for one in selection.candidates),
        figures=selection_figures(selection),
    )


def taken_words(selection: Selection) -> str:
    """Returns which checkpoint was taken: `checkpoint 2 of 3 (epoch 2) of trial epochs=3`."""
    job = job_of(selection)
    return _named(job, selection.taken) + (f" of trial {job.name}" if job.name else "")


def not_the_last(selection: Selection) -> str:
    """Returns, in sentences, which checkpoint was evaluated and why; empty if it is the last of the only job."""
    job = job_of(selection)
    last = job.place(selection.taken) == len(job.candidates)
    if last and len(tried(selection)) == 1:
        return ""
    besides = "" if last else ", not the last one"
    return f"The tuned model is {taken_words(selection)}{besides}. {sentence(selection.reason)}"


def _named(job: Tried, candidate: Candidate) -> str:
    if len(job.candidates) == 1:
        name = "the only checkpoint"
    else:
        name = f"checkpoint {job.place(candidate)} of {len(job.candidates)}"
    return name if candidate.epoch is None else f"{name} (epoch {candidate.epoch})"


def _out_of(selection: Selection, jobs: list[Tried], *, tested: bool) -> str:
    what = f"{numbers.count(len(selection.candidates), 'checkpoint')} of {numbers.count(len(jobs), 'tuning job')}"
    scored, total = len(compared(selection)), len(selection.candidates)
    if not scored:
        return f"There {'was' if total == 1 else 'were'} {what}, and nothing to choose by."
    by = "by validation loss"
    if selection.by is not CheckpointChoice.LOSS:
        by = f"by {metric_words(selection.metric).label} on {_examples(selection)}"
    left = f" {total - scored} of them could not be compared." if scored < total else ""
    if selection.by is CheckpointChoice.LAST:
        left = " Of each job only the last was compared." if scored < total else ""
    only = "Of all of them" if total > 1 else "Then"
    asked = f"{only}, only the chosen one {'was' if tested else 'is'} asked the test examples."
    return f"Chosen from {what} {by}.{left} {asked}"


def _other_default(selection: Selection) -> str:
    if not selection.other_default:
        return ""
    return (
        f"Checkpoint {selection.other_default}, not the one that was taken, stays the default one of the model, because"
        " another run has chosen it."
    )


def _examples(selection: Selection) -> str:
    asked = sorted({one.n for one in compared(selection)})
    noun = "validation example"
    if len(asked) == 1:
        return numbers.count(asked[0], noun)
    return f"{asked[0]:,} to {numbers.count(asked[-1], noun)}"


def _flatters(selection: Selection, *, tested: bool) -> str:
    tries = len(compared(selection))
    if tries < 2 or not is_best(selection):
        return ""
    what = "loss is the lowest" if selection.by is CheckpointChoice.LOSS else "score is the best"
    where = ", above," if tested else ""
    return (
        f"The chosen {what} of {tries} on the same validation examples, and the best of several tries flatters: part of"
        f" its lead is luck. The score on the test examples{where} is the one to believe."
    )


def _in_order(selection: Selection, jobs: list[Tried]) -> list[Tried]:
    """Returns the jobs in the order in which the selection has them."""
    places = {id(one): n for n, one in enumerate(selection.candidates)}
    return sorted(jobs, key=lambda job: places[id(job.candidates[0])])


def _row(selection: Selection, job: Tried, one: Candidate) -> CandidateRow:
    many = len(job.candidates) > 1
    return CandidateRow(
        name=f"Checkpoint {job.place(one)} of {len(job.candidates)}" if many else "The only checkpoint",
        id="" if one.checkpoint == f"{job.place(one)}" else one.checkpoint,
        trial=job.name,
        epoch=numbers.NOTHING if one.epoch is None else f"{one.epoch}",
        step=numbers.NOTHING if one.step is None else f"{one.step:,}",
        score=numbers.NOTHING if one.score is None else numbers.score(one.score),
        failures=f"{one.failures:,} of {one.n:,}" if one.n else numbers.NOTHING,
        loss=numbers.NOTHING if one.validation_loss is None else numbers.plain(one.validation_loss),
        error=one.error or "",
        taken=one is selection.taken,
    )


def _trial_row(selection: Selection, job: Tried, axis: Axis | None) -> TrialRow:
    known = [(one, value(selection, one)) for one in job.candidates]
    dots = [
        Dot(axis.at(number), one is job.best, one is selection.taken)
        for one, number in known
        if axis and number is not None
    ]
    form = numbers.plain if selection.by is CheckpointChoice.LOSS else numbers.score
    drawn = ", ".join(form(number) for _, number in known if number is not None)
    return TrialRow(_row(selection, job, job.best), dots, f"Checkpoints in their order: {drawn}")


def _axis(selection: Selection) -> Axis | None:
    known = [number for one in selection.candidates if (number := value(selection, one)) is not None]
    if not known:
        return None
    most = math.inf if selection.by is CheckpointChoice.LOSS else 1.0
    return Axis.spanning(known).within(min(0.0, *known), max(most, *known))
