import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from gemini_sft.decision import Verdict
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.missing import failures
from gemini_sft.report.scores import metric_table, outcome_rows
from gemini_sft.report.text import visible
from gemini_sft.tuning.record import DroppedExamples
from tests.unit.gemini_sft.report.sample import HOSTILE, answered, example, made_of, sample_input, without_curves
from tests.unit.gemini_sft.report.whole_sample import promoted

VOID = {"meta", "br", "img", "link", "input", "line", "rect", "circle"}


class Page(HTMLParser):
    """What a browser makes of a page: elements, their attributes and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def page_of(data: ReportInput) -> Page:
    return Page(report_page(data))


def two(base: str, tuned: str) -> ReportInput:
    one = example(0, "What is wrong?", "The router restarts nightly.")
    return made_of([one], [answered(one, base)], [answered(one, tuned)])


def test_sections_stand_in_their_order() -> None:
    headings = [attributes.get("id") for tag, attributes in page_of(sample_input()).elements if tag in ("h1", "h2")]
    wanted = ["verdict", "worth", "metrics", "curves", "changes", "data", "failures", "cost", "lineage"]
    assert [one for one in headings if one in wanted] == wanted


def test_headings_do_not_skip_a_level() -> None:
    levels = [int(tag[1]) for tag, _ in page_of(sample_input()).elements if tag in ("h1", "h2", "h3", "h4", "h5")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_heads_with_scope() -> None:
    page = page_of(sample_input())
    assert len(page.tags("table")) == len(page.tags("caption")) == 8
    assert all(one.get("scope") in ("col", "row") for one in page.tags("th"))


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        (Verdict.PROMOTE, "Promote the tuned model"),
        (Verdict.REJECT, "Keep the base model"),
        (Verdict.INCONCLUSIVE, "Keep the base model for now: these examples cannot tell"),
    ],
)
def test_verdict_and_its_reasons_are_said(verdict: Verdict, headline: str) -> None:
    data = sample_input()
    comparison = data.comparison.model_copy(update={"verdict": verdict, "reasons": ["because of this", "and of that"]})
    text = page_of(replace(data, comparison=comparison)).text
    assert f"Verdict: {verdict.value} {headline}" in text
    assert "Because of this." in text and "And of that." in text


def test_what_ran_is_said() -> None:
    data = sample_input()
    text = page_of(data).text
    for said in (
        data.run_id,
        data.tuning.base_model,
        data.tuning.model,
        data.tuning.endpoint,
        data.tuning.job,
        "240 from samples/tickets/train.jsonl",
        "60 from test.jsonl",
        "Epochs passes over the training data left to the service 3",
        "Adapter size how much the model can change left to the service 4",
        "24 min 17 s",
        "150,000 tokens an epoch were quoted and 151,240 billed (+0.8%)",
    ):
        assert said in text


def test_the_scale_of_the_intervals_is_named_as_it_is_drawn() -> None:
    """What is drawn at 0 % and at 100 % of the width follows from where zero and the ends of an interval are."""
    data = sample_input()
    said = re.search(r"drawn on one scale from (\S+) to (\S+),", page_of(data).text)
    assert said
    start, end = (float(one.replace("\u2212", "-")) for one in said.groups())
    difference = data.comparison.difference
    plot = metric_table(data, arm_numbers(data)).rows[0].gains[0].plot
    assert plot
    for value, at in ((0.0, plot.zero), (difference.low, plot.low), (difference.high, plot.high)):
        assert 100 * (value - start) / (end - start) == pytest.approx(at, abs=1)


def test_failures_are_counted_and_listed() -> None:
    data = sample_input()
    failed = data.base.result.failures + data.candidate.result.failures
    text = page_of(data).text
    assert f"{failed} of 120 requests" in text
    assert "503 UNAVAILABLE" in text and "SAFETY" in text
    counts = f"{data.base.result.failures} of 60 {data.candidate.result.failures} of 60"
    assert f"Without an answer that could be scored {counts}" in text


def test_failures_of_every_model_that_was_asked_are_counted() -> None:
    data = promoted(60)
    arms = arm_numbers(data)
    assert list(arms) == ["base", "few_shot", "champion", "candidate"]
    found = failures(data, arms)
    assert found.asked == 240 and found.total == sum(one.side.failures for one in arms.values())
    assert {one.model for one in found.shown} == {one.name for one in arms.values() if one.side.failures}
    for row in outcome_rows(arms):
        counts = [one.side.outcomes.get(Outcome(row.name), 0) for one in arms.values()]
        assert [number for number, _ in row.cells] == [str(one) for one in counts]
    heads = "Outcome Base Base with 4 examples Champion Tuned"
    assert heads in page_of(data).text


def test_dropped_examples_are_found_by_their_place_counted_from_1() -> None:
    data = sample_input()
    dropped = DroppedExamples(count=9, indices=[17, 203, 241], reasons=["first", "last"])
    text = page_of(replace(data, tuning=data.tuning.model_copy(update={"dropped": dropped}))).text
    assert "train.jsonl:18 17 first" in text and "more.csv:9 203 last" in text
    assert "no such example: the split has 240 241 no reason was given" in text
    assert "left out 9 of 240 training examples" in text and "3 of them are listed" in text


@pytest.mark.parametrize(("served_by", "expected"), [("stand-in-extractive-1", True), ("gemini-2.5-flash", False)])
def test_answers_of_a_stand_in_are_declared(served_by: str, expected: bool) -> None:
    text = page_of(sample_input(served_by=served_by)).text
    assert ("These answers did not come from Gemini" in text) is expected


def test_a_page_with_no_changed_example() -> None:
    text = page_of(two("The router restarts.", "The router restarts.")).text
    assert "No example's score changed." in text
    assert "To 0 of 1 test example the tuned model's answer is worse than the base model's answer" in text


def test_a_page_without_curves_has_no_plotly() -> None:
    html = report_page(without_curves(sample_input()))
    assert "reported no curves" in Page(html).text
    assert [one.get("type") for one in Page(html).tags("script")] == ["application/json", None]
    assert len(html) < 200_000


def test_numbers_that_do_not_exist_are_not_printed() -> None:
    data = sample_input()
    difference = data.comparison.difference.model_copy(update=dict.fromkeys(("mean", "low", "high"), math.nan))
    primary = data.comparison.primary_metric
    side = data.comparison.candidate.model_copy(
        update={"metrics": dict.fromkeys(data.candidate.result.metrics, math.inf)}
    )
    scores = {key: dict.fromkeys(one, math.nan) for key, one in data.candidate.result.scores.items()}
    broken = replace(
        data,
        comparison=data.comparison.model_copy(
            update={"differences": data.comparison.differences | {primary: difference}, "candidate": side}
        ),
        candidate=replace(data.candidate, result=data.candidate.result.model_copy(update={"scores": scores})),
        tuning=data.tuning.model_copy(update={"seconds": math.nan, "learning_rate_multiplier": None}),
    )
    page = page_of(broken)
    assert "not computable" in page.text and "60 examples could not be scored" in page.text
    words = page.text.lower().split()
    assert not {"nan", "+nan", "inf", "+inf", "nan%"} & set(words)
    assert not any("nan" in str(value) for _, attributes in page.elements for value in attributes.values())


def test_same_input_same_bytes() -> None:
    assert report_page(sample_input()) == report_page(sample_input())


def hostile_input() -> ReportInput:
    one = replace(example(0, HOSTILE, HOSTILE + " reference", system=HOSTILE + " system"), source=HOSTILE)
    other = example(1, "question", "answer")
    data = made_of(
        [one, other],
        [answered(one, HOSTILE + " base"), Prediction(example_id=other.id, outcome=Outcome.ERROR, error=HOSTILE)],
        [answered(one, HOSTILE + " tuned reference"), answered(other, "answer")],
        served_by="stand-in" + HOSTILE,
    )
    record = data.tuning.model_copy(
        update={
            "job": HOSTILE,
            "model": HOSTILE,
            "adapter_size": HOSTILE,
            "dropped": DroppedExamples(count=1, indices=[1], reasons=[HOSTILE]),
        }
    )
    comparison = data.comparison.model_copy(update={"reasons": [HOSTILE + " reason"]})
    return replace(data, run_id=HOSTILE, tuning=record, comparison=comparison, dropped_sources={1: (HOSTILE, 1)})


def test_hostile_text_stays_text() -> None:
    page = page_of(hostile_input())
    assert [one.get("type") for one in page.tags("script")] == [
        "application/json",
        "application/json",
        None,
        None,
        None,
    ]
    assert not page.tags("img")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    shown = " ".join(visible(HOSTILE).split())
    for place in ("base", "tuned reference", "reference", "system", "reason"):
        assert f"{shown} {place}" in page.text
    assert page.text.count("{{ 7 * 7 }} {% raw %}") > 10


def test_no_character_of_a_hostile_text_can_hide_or_reorder() -> None:
    html = report_page(hostile_input())
    outside_scripts = html.split('<script type="application/json"')[0]
    assert not [one for one in "\x00\x1b\u202e\u202c\u2028\u2029" if one in outside_scripts]
    assert "[U+202E]right to left[U+202C]" in outside_scripts


def test_a_lone_surrogate_can_be_written() -> None:
    report_page(two("half \ud83d a pair", "restarts")).encode()


def test_nothing_is_loaded_from_outside() -> None:
    page = page_of(sample_input())
    assert not page.tags("link") and not page.tags("base") and not page.tags("iframe")
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "action" in attributes]
    assert all((one.get("href") or "").startswith("#") for one in page.tags("a"))
    policy = next(one["content"] for one in page.tags("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe-inline" not in policy.partition("script-src")[2] and "http" not in policy
