"""The sections that are there only if the experiment asks for them: the control arm and the judge."""

from dataclasses import replace
from itertools import pairwise

import pytest

from gemini_sft.decision import Evidence, Judged, few_shot_arm
from gemini_sft.judging import Grades, Tally
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.input import Arm
from gemini_sft.report.judge import judge_view
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_input
from tests.unit.gemini_sft.report.test_page import Page, page_of

TALLY = Tally(
    examples=60, wins=30, ties=20, losses=8, unreadable=2, win_rate=40 / 58, identical=3, missing=5, judged=50,
    first_place=2, second_place=8,
)  # fmt: skip


def judged(
    tally: Tally = TALLY,
    grades: Grades | None = None,
    name: str = "gemini-2.5-pro",
    failures: dict[str, int] | None = None,
) -> Judged:
    low, high = (0.6, 0.8) if tally.win_rate else (None, None)
    return Judged(
        model=name, served_by=name, tally=tally, low=low, high=high, confidence=0.95, base_grades=grades,
        candidate_grades=grades, failures=failures or {},
    )  # fmt: skip


def with_extras(judge: Judged | None = None) -> ReportInput:
    """The base model with examples is as good as the sample's base model."""
    data = sample_input()
    predictions = {
        name: [one.model_copy(update={"prompt_tokens": tokens}) for one in data.base.predictions]
        for name, tokens in (("base", 250), ("few_shot", 1250), ("candidate", 260))
    }
    evidence = Evidence("rougeL_f", data.base.result, data.candidate.result)
    arm = few_shot_arm(4, data.base.result, evidence, 0.95, predictions)
    comparison = data.comparison.model_copy(update={"few_shot": arm, "judge": judge or judged()})
    return replace(data, comparison=comparison, few_shot=Arm(data.base.result, predictions["few_shot"]))


def test_the_judge_is_not_there_unless_asked_for() -> None:
    page = page_of(sample_input())
    assert "judge" not in {one.get("id") for one in page.tags("h2")}
    assert "#judge" not in {one.get("href") for one in page.tags("a")}


def test_it_stands_behind_the_metrics_and_in_the_contents() -> None:
    page = page_of(with_extras())
    ids = [one.get("id") for one in page.tags("h2")]
    assert ids[ids.index("metrics") + 1] == "judge"
    assert {"#worth", "#judge"} <= {one.get("href") for one in page.tags("a")}
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(one.get("scope") in ("col", "row") for one in page.tags("th"))


def test_whether_tuning_was_worth_it_is_answered_in_words() -> None:
    text = page_of(with_extras()).text
    assert "With 4 examples in its prompt, the base model scores" in text and "tuning is better." in text


def test_what_could_not_be_had_is_said() -> None:
    data = sample_input()
    absent = data.comparison.model_copy(update={"absent": ["the judge's verdicts could not be had: 403"]})
    assert "The judge's verdicts could not be had: 403" in page_of(replace(data, comparison=absent)).text


def test_the_judges_numbers_say_of_how_many() -> None:
    text = page_of(with_extras(judged(grades=Grades(mean=4.25, n=56, missing=3, unreadable=4)))).text
    for said in (
        "▲ 30 of 58 better = 20 of 58 ties ▼ 8 of 58 worse",
        "Win rate 69% of 58 pairs, a tie counting as half; 95% interval 60% to 80%",
        "Position bias 20% of 50 pairs with two verdicts, in which a place won in both orders (first place 2, second"
        " place 8), towards the second place",
        "Left out 2 of 60 pairs, without two readable verdicts",
        "Not asked about 8 3 identical and so ties; 5 with an answer missing",
        "Grade of the tuned model 4.25 of 5, mean of 56 answers, 3 missing and graded 1; 4 without a grade",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("first", "second", "towards"), [(5, 1, "towards the first place"), (3, 3, "(first place 3, second place 3)")]
)
def test_the_direction_of_the_bias(first: int, second: int, towards: str) -> None:
    tally = TALLY.model_copy(update={"first_place": first, "second_place": second})
    view = judge_view(with_extras(judged(tally)))
    assert view and view.figures[1].meaning.endswith(towards)


def test_a_judge_that_said_nothing() -> None:
    silent = Tally(
        examples=60, wins=0, ties=0, losses=0, unreadable=60, win_rate=None, identical=0, missing=0, judged=0,
        first_place=0, second_place=0,
    )  # fmt: skip
    text = page_of(with_extras(judged(silent, Grades(mean=None, n=0, missing=0, unreadable=60)))).text
    assert "Win rate none 60 of the 60 pairs that the judge was asked about are left out, more than 10%" in text
    assert "Position bias not known" in text and "Left out 60 of 60" in text


def test_what_there_is_none_of_says_why() -> None:
    tally = TALLY.model_copy(update={"unreadable": 23, "wins": 9, "judged": 29, "win_rate": None})
    grades = Grades(mean=None, n=42, missing=2, unreadable=20)
    failures = {"none of the choices": 1, "blocked SAFETY": 64}
    text = page_of(with_extras(judged(tally, grades, failures=failures))).text
    why = "more than 10% (of all its requests 64 × blocked SAFETY; 1 × none of the choices)"
    assert f"Win rate none 23 of the 52 pairs that the judge was asked about are left out, {why}" in text
    for model in ("base", "tuned"):
        assert (
            f"Grade of the {model} model none 20 of the 60 answers that the judge was to grade have no grade, {why}"
            in text
        )
    assert "counting as half" not in text and "mean of 42" not in text


def test_why_a_few_are_left_out_is_said_too() -> None:
    text = page_of(with_extras(judged(failures={"blocked SAFETY": 4}))).text
    assert "without two readable verdicts (of all its requests 4 × blocked SAFETY)" in text


def test_a_biased_judge_is_not_to_be_relied_on_and_its_disagreeing_orders_are_among_the_ties() -> None:
    tally = TALLY.model_copy(update={"first_place": 41, "second_place": 0})
    text = page_of(with_extras(judged(tally))).text
    assert "towards the first place; above 30%: do not rely on this judge" in text
    assert "pairs whose orders disagree are among the ties" in text
    assert "do not rely" not in page_of(with_extras()).text


def test_names_of_unknown_origin_do_no_harm() -> None:
    html = report_page(with_extras(judged(name=HOSTILE)))
    assert "<script>window.__hacked" not in html and "<img src=x" not in html
    Page(html)
