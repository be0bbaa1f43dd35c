"""The top of the page: what is in use, the guards, what these examples can see, and metrics of which less is better."""

from dataclasses import replace

import pytest

from gemini_sft.decision import Difference, Slice, Verdict
from gemini_sft.experiment import Gate
from gemini_sft.experiment.schema import Guard
from gemini_sft.report import ReportInput, report_markdown
from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.scores import metric_table, won
from gemini_sft.report.slices import slice_view
from gemini_sft.report.verdict import VerdictView, verdict_view
from gemini_sft.report.words import headline, sentence
from tests.unit.gemini_sft.report.sample import answered, answers, example, made_of, sample_examples, sample_input
from tests.unit.gemini_sft.report.test_page import page_of
from tests.unit.gemini_sft.report.whole_sample import inconclusive, promoted


def view(data: ReportInput) -> VerdictView:
    return verdict_view(data, arm_numbers(data))


@pytest.mark.parametrize(
    ("verdict", "without", "with_champion"),
    [
        (Verdict.PROMOTE, "Promote the tuned model", "Promote the tuned model"),
        (Verdict.REJECT, "Keep the base model", "Keep the champion"),
        (Verdict.INCONCLUSIVE, "Keep the base model for now", "Keep the champion for now"),
    ],
)
def test_what_is_in_use_is_kept_by_its_name(verdict: Verdict, without: str, with_champion: str) -> None:
    plain = sample_input().comparison.model_copy(update={"verdict": verdict})
    missing = plain.model_copy(update={"champion_missing": "the champion could not be had: 403"})
    there = promoted(60).comparison.model_copy(update={"verdict": verdict})
    assert headline(plain).partition(":")[0] == without
    assert headline(missing).partition(":")[0] == headline(there).partition(":")[0] == with_champion


def guarded(*slices: str, base: float = 0.2, n: int = 60, champion: float | None = None) -> ReportInput:
    """Returns a run whose guards are all open: there is no example that they are about."""
    test = sample_examples(n)
    guards = [Guard(slice=one, max_drop=0.01) for one in slices]
    said = None if champion is None else answers(test, champion, 3)
    gate = Gate(min_gain=0.02, guards=guards)
    return made_of(test, answers(test, base, 1), answers(test, 0.95, 2), gate=gate, champion=said)


def test_a_verdict_that_only_guards_leave_open_says_so() -> None:
    one, two = guarded("language=de"), guarded("language=de", "language=fr", champion=0.3)
    assert page_of(one).text.count("Keep the base model for now: a guard is open") >= 1
    assert report_markdown(one).startswith("# Keep the base model for now: a guard is open\n")
    assert view(two).headline == "Keep the champion for now: 2 guards are open"


def test_a_gain_that_is_open_too_is_said_before_a_guard() -> None:
    plain, unknown = guarded("language=de"), {"mean": float("nan"), "low": float("nan"), "high": float("nan")}
    name = plain.comparison.primary_metric
    nothing = {name: plain.comparison.difference.model_copy(update=unknown)}
    for comparison in (
        guarded("language=de", base=0.93).comparison,
        guarded("language=de", champion=0.93).comparison,
        guarded("language=de", n=8).comparison,
        plain.comparison.model_copy(update={"differences": plain.comparison.differences | nothing}),
        plain.comparison.model_copy(update={"groups": 4}),
    ):
        assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.guards[0].held is None
        assert headline(comparison).endswith(" for now: these examples cannot tell")


def test_a_champion_that_could_not_be_evaluated_is_not_blamed_on_the_examples() -> None:
    missing = {"champion_name": "c", "champion_missing": "the champion could not be had: 403"}
    for gate in (Gate(), Gate(guards=[Guard(metric="rouge1_f", max_drop=0.5)])):
        test = sample_examples(60)
        data = made_of(test, answers(test, 0.2, 1), answers(test, 0.95, 2), gate=gate, evidence=missing)
        assert view(data).headline == "Keep the champion for now: it could not be evaluated"


def test_both_gains_are_drawn_on_one_axis_and_that_over_what_is_in_use_stands_large() -> None:
    data = promoted()
    found = view(data)
    base, champion = found.against
    assert (base.whom, champion.whom) == ("the base model", "the champion")
    assert base.plot and champion.plot and base.plot.zero == champion.plot.zero
    assert champion.plot.mean < base.plot.mean
    assert f"Gain over the champion {champion.gain}" in page_of(data).text
    wins = data.comparison.decisive.wins
    assert f"▲ {wins} of 240 better than the champion's" in page_of(data).text


@pytest.mark.parametrize("quality", [0.95, 0.3, 0.05])
@pytest.mark.parametrize("asked", [0.0, 0.02, 0.5])
def test_no_line_crosses_a_label_of_the_drawing(quality: float, asked: float) -> None:
    test = sample_examples(30)
    said = [answers(test, one, seed) for seed, one in enumerate((0.2, quality, 0.4))]
    data = made_of(test, said[0], said[1], gate=Gate(min_gain=asked), champion=said[2])
    page = page_of(data)
    labels = [one for one in page.tags("text") if one.get("text-anchor") == "middle" and one.get("class") == "wanted"]
    lines = [
        one["x1"] for one in page.tags("line") if (one.get("class"), one["y1"]) in (("zero", "22"), ("asked", "18"))
    ]
    assert len(labels) == len(lines) == 2
    for label in labels:
        at = float(str(label["x"]).rstrip("%"))
        assert all(abs(at - float(str(line).rstrip("%"))) > 16 for line in lines) and 16 < at < 84


def test_every_guard_has_a_sign_and_a_word_and_is_said_once() -> None:
    data = promoted()
    guards = data.comparison.guards
    mixed = [one.model_copy(update={"held": held}) for one, held in zip(guards, (True, False, None, True), strict=True)]
    reasons = [*data.comparison.reasons, mixed[1].words, mixed[2].words]
    comparison = data.comparison.model_copy(update={"guards": mixed, "reasons": reasons})
    changed = replace(data, comparison=comparison)
    assert [(one.sign, one.state) for one in view(changed).guards] == [
        ("✓", "holds"),
        ("✕", "does not hold"),
        ("?", "open"),
        ("✓", "holds"),
    ]
    text = page_of(changed).text
    assert all(text.count(sentence(one.words)) == 1 for one in mixed)


def test_an_open_verdict_says_what_these_examples_can_see_apart_from_why() -> None:
    data = inconclusive()
    found = view(data)
    assert data.comparison.verdict is Verdict.INCONCLUSIVE
    assert found.power.startswith("24 test examples show a gain of") and found.power not in found.reasons
    assert page_of(data).text.count(found.power) == 1
    assert view(promoted()).power == ""


def test_a_part_that_lost_is_told_at_the_top_and_stands_out() -> None:
    data = promoted()
    assert view(data).lost == "channel = phone"
    parts = slice_view(data)
    assert parts and parts.lost == ["channel = phone"]
    rows = {row.value.text: row for row in parts.columns["channel"]}
    assert rows["phone"].lost and rows["phone"].reading == "▼ worse"
    assert (rows["fax"].plot, rows["fax"].gain, rows["fax"].reading) == (None, "–", "too few examples")
    page = page_of(data)
    assert [one.get("class") for one in page.tags("tr")].count("lost") == 1
    assert parts.before == "Champion" and "The champion and the tuned model in ROUGE-L F" in page.text
    assert "the tuned model is clearly worse than the champion where channel = phone" in page.text
    assert "Worse in part:" in page.text and "Worse in part:" not in page_of(sample_input()).text


def test_a_part_without_a_value_and_a_long_one_can_be_read() -> None:
    data = sample_input()
    found = [
        Slice(column="c", value=value, n=3, before=0.1, candidate=0.2, difference=None) for value in ("", "x" * 500)
    ]
    parts = slice_view(replace(data, comparison=data.comparison.model_copy(update={"slices": found})))
    assert parts and [row.value.text for row in parts.columns["c"]] == ["(empty)", "x" * 80]
    assert parts.few == 2


def fewer_edits() -> ReportInput:
    """As if less of the deciding metric were better; the tuned model has less of it."""
    test = [example(n, "q", "yes") for n in range(30)]
    base, tuned = ([answered(one, word) for one in test] for word in ("yes", "no"))
    return made_of(test, base, tuned, evidence={"lower_is_better": {"rougeL_f"}})


def test_less_is_better_reads_as_a_gain_to_the_right() -> None:
    data = fewer_edits()
    difference = data.comparison.difference
    assert difference.mean < 0 and difference.lower_is_better
    found = view(data)
    (against,) = found.against
    assert found.less and against.gain == "+1.0000" and against.won == "100%"
    assert against.plot and against.plot.mean > against.plot.zero
    row = metric_table(data, arm_numbers(data)).rows[0]
    assert row.less and row.gains[0].reading == "▲ better"
    text = page_of(data).text
    assert "less is better" in text and "Gain +1.0000" in text


def test_a_metric_of_another_size_has_a_scale_of_its_own() -> None:
    data = sample_input()
    edits = Difference(
        mean=-40, low=-60, high=-20, confidence=0.95, won=1, wins=9, ties=0, losses=0, lower_is_better=True
    )
    differences = data.comparison.differences | {"edits": edits}
    sides = {
        name: side.model_copy(update={"metrics": side.metrics | {"edits": value}})
        for name, side, value in (
            ("base", data.comparison.base, 90.0),
            ("candidate", data.comparison.candidate, 50.0),
        )
    }
    changed = replace(data, comparison=data.comparison.model_copy(update=sides | {"differences": differences}))
    plain, table = (metric_table(one, arm_numbers(one)) for one in (data, changed))
    rows = {row.label: row for row in table.rows}
    assert table.scale == plain.scale and table.rows[0] == plain.rows[0]
    assert rows["Edits"].scale == "from −3.6 to +63.6" and rows["Edits"].gains[0].gain == "+40.0000"
    assert "drawn on a scale of its own, from −3.6 to +63.6" in page_of(changed).text


@pytest.mark.parametrize(
    ("share", "written"),
    [(1.0, "100%"), (0.0, "0%"), (0.9999, "over 99.9%"), (0.0001, "under 0.1%"), (0.984, "98.4%")],
)
def test_a_share_of_worlds_is_all_or_none_only_if_it_is(share: float, written: str) -> None:
    difference = Difference(mean=0.1, low=0.0, high=0.2, confidence=0.95, won=share, wins=1, ties=0, losses=0)
    assert won(difference) == written
    assert won(difference.model_copy(update={"low": float("nan")})) == ""
