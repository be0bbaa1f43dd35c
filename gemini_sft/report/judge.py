"""What the judge said."""

from dataclasses import dataclass

from gemini_sft.decision import Judged
from gemini_sft.decision.judged import MOST_BIASED
from gemini_sft.judging import Grades
from gemini_sft.judging.judgement import MOST_UNREADABLE
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.verdict import Share, shares

_MOST = numbers.percent(MOST_UNREADABLE)


@dataclass(frozen=True)
class Figure:
    """A number, and of what it is one."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class JudgeView:
    """What the judge said, in parts of a bar and in numbers."""

    model: str
    served_by: str
    n: int
    shares: list[Share]
    figures: list[Figure]


def judge_view(data: ReportInput) -> JudgeView | None:
    """Returns what the section shows; None if the experiment has no judge."""
    judge = data.comparison.judge
    if judge is None:
        return None
    tally = judge.tally
    reasons = judge.reasons if tally.unreadable and tally.win_rate is not None else ""
    figures = [
        Figure("Win rate", *_win_rate(judge)),
        Figure("Position bias", *_bias(judge)),
        Figure(
            "Left out",
            numbers.count(tally.unreadable),
            f"of {numbers.count(tally.examples, 'pair')}, without two readable verdicts{reasons}",
        ),
        Figure(
            "Not asked about",
            numbers.count(tally.identical + tally.missing),
            f"{numbers.count(tally.identical)} identical and so ties; {numbers.count(tally.missing)} with an answer"
            " missing, which the model that has one wins",
        ),
    ]
    for name, grades in (
        ("Grade of the base model", judge.base_grades),
        ("Grade of the tuned model", judge.candidate_grades),
    ):
        if grades:
            figures.append(_grade(name, grades, judge.reasons))
    return JudgeView(
        judge.model, judge.served_by, tally.n, shares(tally.wins, tally.ties, tally.losses, "ties"), figures
    )


def _win_rate(judge: Judged) -> tuple[str, str]:
    tally = judge.tally
    if tally.win_rate is None:
        asked = numbers.count(tally.judged + tally.unreadable, "pair")
        left_out = f"{numbers.count(tally.unreadable)} of the {asked} that the judge was asked about are left out"
        return "none", f"{left_out}, more than {_MOST}{judge.reasons}"
    span = ""
    if judge.low is not None and judge.high is not None:
        ends = f"{numbers.percent(judge.low)} to {numbers.percent(judge.high)}"
        span = f"; {numbers.percent(judge.confidence)} interval {ends}"
    return numbers.percent(tally.win_rate), f"of {numbers.count(tally.n, 'pair')}, a tie counting as half{span}"


def _bias(judge: Judged) -> tuple[str, str]:
    tally = judge.tally
    if tally.position_bias is None:
        return "not known", "the judge was asked about nothing that it gave two verdicts on"
    first, second = tally.first_place, tally.second_place
    place = "towards the first place" if first > second else "towards the second place" if second > first else ""
    counts = f"first place {numbers.count(first)}, second place {numbers.count(second)}"
    of = numbers.count(tally.judged, "pair")
    warning = f"; above {numbers.percent(MOST_BIASED)}: do not rely on this judge" if judge.biased else ""
    return (
        numbers.percent(tally.position_bias),
        f"of {of} with two verdicts, in which a place won in both orders ({counts})"
        f"{', ' * bool(place)}{place}{warning}",
    )


def _grade(name: str, grades: Grades, reasons: str) -> Figure:
    if grades.mean is None:
        asked = numbers.count(grades.n - grades.missing + grades.unreadable, "answer")
        none = f"{numbers.count(grades.unreadable)} of the {asked} that the judge was to grade have no grade"
        return Figure(name, "none", f"{none}, more than {_MOST}{reasons}")
    left = f"; {numbers.count(grades.unreadable)} without a grade" if grades.unreadable else ""
    missing = f", {numbers.count(grades.missing)} missing and graded 1" if grades.missing else ""
    return Figure(name, f"{grades.mean:.2f}", f"of 5, mean of {numbers.count(grades.n, 'answer')}{missing}{left}")
