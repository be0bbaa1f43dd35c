"""What the judge said."""

from dataclasses import dataclass

from gemini_sft.judging import Grades, Tally
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.verdict import Share, shares


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
    rate = "none" if tally.win_rate is None else numbers.percent(tally.win_rate)
    span = ""
    if judge.low is not None and judge.high is not None:
        ends = f"{numbers.percent(judge.low)} to {numbers.percent(judge.high)}"
        span = f"; {numbers.percent(judge.confidence)} interval {ends}"
    figures = [
        Figure("Win rate", rate, f"of {numbers.count(tally.n, 'pair')}, a tie counting as half{span}"),
        Figure("Position bias", *_bias(tally)),
        Figure(
            "Left out",
            numbers.count(tally.unreadable),
            f"of {numbers.count(tally.examples, 'pair')}, without two readable verdicts",
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
            figures.append(_grade(name, grades))
    return JudgeView(judge.model, judge.served_by, tally.n, shares(tally.wins, tally.ties, tally.losses), figures)


def _bias(tally: Tally) -> tuple[str, str]:
    if tally.position_bias is None:
        return "not known", "the judge was asked about nothing that it gave two verdicts on"
    first, second = tally.first_place, tally.second_place
    place = "towards the first place" if first > second else "towards the second place" if second > first else ""
    counts = f"first place {numbers.count(first)}, second place {numbers.count(second)}"
    of = numbers.count(tally.judged, "pair")
    return (
        numbers.percent(tally.position_bias),
        f"of {of} with two verdicts, in which a place won in both orders ({counts}){', ' * bool(place)}{place}",
    )


def _grade(name: str, grades: Grades) -> Figure:
    mean = "none" if grades.mean is None else f"{grades.mean:.2f}"
    left = f"; {numbers.count(grades.unreadable)} without a grade" if grades.unreadable else ""
    missing = f", {numbers.count(grades.missing)} missing and graded 1" if grades.missing else ""
    return Figure(name, mean, f"of 5, mean of {numbers.count(grades.n, 'answer')}{missing}{left}")
