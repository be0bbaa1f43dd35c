"""Two finished runs side by side, as one HTML document."""

from dataclasses import dataclass, replace

from gemini_sft.decision import Verdict
from gemini_sft.decision.level import level
from gemini_sft.decision.ruling import is_number
from gemini_sft.experiment.schema import FAILURE_RATE
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis
from gemini_sft.report.between import Between, FinishedRun
from gemini_sft.report.render import render
from gemini_sft.report.scores import GainView, MetricRow, MetricTable, gain_view
from gemini_sft.report.side_by_side import settings, side_by_side
from gemini_sft.report.words import STAND_IN, sentence, title
from gemini_sft.report.words import headline as what_to_do


@dataclass(frozen=True)
class RunView:
    """What one run decided: its verdict, what to do, why, and what it was held against."""

    name: str
    run_id: str
    verdict: Verdict
    headline: str
    reasons: list[str]
    against: str
    gain: str


def two_runs_page(found: Between) -> str:
    """Returns one self-contained HTML document; the same input gives the same text."""
    served = {name: run.result.served_by for name, run in _named(found)}
    differing, same = settings(found.a, found.b)
    return render(
        "two-runs.html.j2",
        [],
        found=found,
        headline=headline(found),
        said=said(found),
        stand_ins={name: one for name, one in served.items() if one.startswith(STAND_IN)},
        runs=[_run_view(name, run) for name, run in _named(found)],
        metrics=metric_table(found),
        groups=side_by_side(found.a, found.b),
        differing=differing,
        same=same,
    )


def headline(found: Between) -> str:
    """Returns in a line which run's model is better, and whether that is known."""
    if found.better:
        return f"{found.better} is better"
    if found.apart or found.doubts or found.difference is None or not is_number(found.difference):
        return "Which is better is not known"
    if found.difference.ties == found.a.result.n:
        return "A and B score the same"
    return "These examples cannot tell which is better"


def said(found: Between) -> list[str]:
    """Returns what that rests on, in sentences."""
    sentences = [f"Example by example they cannot be compared. {one}" for one in found.apart[:1]] + found.apart[1:]
    if found.difference and found.metric:
        gain, low, high = found.difference.gain
        where = f"in {metric_words(found.metric).label} over the same {numbers.count(found.a.result.n, 'test example')}"
        if is_number(found.difference):
            interval = f"its {level(found.confidence)} interval is {numbers.span(low, high)}"
            sentences.append(f"B's gain over A {where} is {numbers.signed(gain)}; {interval}.")
        else:
            sentences.append(f"B's gain over A {where} could not be computed for every example.")
    if found.same_model:
        sentences.append("Both runs took the same model: what differs in its answers is chance, or how it was asked.")
    if not found.metric:
        first, second = (one.comparison.primary_metric for _, one in _named(found))
        sentences.append(f"They were decided by different metrics, A by {first} and B by {second}: see each below.")
    return sentences + found.doubts


def metric_table(found: Between) -> MetricTable:
    """Returns what both models scored in every metric, the one that decided first, with B's gains over A."""
    axis = Axis.around(end for one in found.differences.values() for end in one.gain)
    first, second = (_scores(one) for _, one in _named(found))
    names = sorted({**first, **second}, key=lambda name: name != found.metric)
    rows = [_metric_row(found, name, first.get(name), second.get(name), axis) for name in names]
    return MetricTable(["A", "B"], rows, axis.ends(), level(found.confidence))


def _scores(run: FinishedRun) -> dict[str, float | None]:
    result = run.result
    return {**result.metrics, FAILURE_RATE: result.failures / result.n, **result.corpus}


def _metric_row(found: Between, name: str, a: float | None, b: float | None, axis: Axis) -> MetricRow:
    words, difference, gains = metric_words(name), found.differences.get(name), []
    if difference:
        view = gain_view("A", difference, axis, None)
        gains = [replace(view, reading="", won="") if found.doubts else view]
    elif not found.apart:
        # A metric of the whole split: without the right answers at hand, nothing can be resampled.
        gains = [GainView("A", numbers.NOTHING if a is None or b is None else numbers.signed(b - a))]
    less = {*found.a.experiment.evaluation.lower_is_better, *found.b.experiment.evaluation.lower_is_better}
    return MetricRow(
        label=title(words.label),
        meaning=words.meaning,
        decides=name == found.metric,
        less=name in less or name == FAILURE_RATE,
        scores=[numbers.NOTHING if one is None else numbers.score(one) for one in (a, b)],
        gains=gains,
    )


def _named(found: Between) -> tuple[tuple[str, FinishedRun], ...]:
    return ("A", found.a), ("B", found.b)


def _run_view(name: str, run: FinishedRun) -> RunView:
    comparison = run.comparison
    _, low, high = comparison.decisive.gain
    against = "the base model: nothing was in use"
    if comparison.champion:
        against = f"the champion, {comparison.champion.name}"
    elif comparison.champion_missing:
        against = f"the base model alone: {comparison.champion_missing}"
    metric = metric_words(comparison.primary_metric).label
    gain = f"{numbers.signed(comparison.decisive.gain[0])} in {metric} ({numbers.span(low, high)})"
    return RunView(
        name=name,
        run_id=run.run_id,
        verdict=comparison.verdict,
        headline=what_to_do(comparison),
        reasons=[sentence(one) for one in comparison.reasons],
        against=against,
        gain=gain,
    )
