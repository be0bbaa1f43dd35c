"""The report in short, as a Markdown reader takes it."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gemini_sft.report import ReportInput, report_markdown
from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.markdown import escaped
from gemini_sft.report.text import visible
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_input
from tests.unit.gemini_sft.report.whole_sample import inconclusive, promoted

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Read(HTMLParser):
    """Elements and text of what a reader makes of Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(READER.render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_text_holds_is_read_as_it_is(text: str) -> None:
    shown = " ".join(visible(text).split())
    for markdown in (f"| Said: |\n|---|\n| {escaped(text)} |", f"Said: {escaped(text)}"):
        read = Read(markdown)
        assert set(read.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "p"}
        assert read.text.removeprefix("Said:").strip() == shown


@pytest.mark.parametrize("text", ["- a", "1. a", "1) a", "# a", "+ a", "= a", "a\n\n# b", "> a", "http://a.b www.a.b"])
def test_no_reason_begins_anything_of_its_own(text: str) -> None:
    data = sample_input()
    plain, changed = (
        Read(report_markdown(replace(data, comparison=data.comparison.model_copy(update={"reasons": [reason]}))))
        for reason in ("plain", text)
    )
    assert changed.tags == plain.tags


def test_hostile_text_stays_text() -> None:
    data = sample_input()
    comparison = data.comparison.model_copy(update={"reasons": [HOSTILE]})
    markdown = report_markdown(replace(data, run_id=HOSTILE, comparison=comparison))
    read = Read(markdown)
    assert not {"script", "img", "a", "style"} & set(read.tags)
    assert read.text.count(" ".join(visible(HOSTILE).split())) == 2
    assert not [one for one in "\x00\x1b\u202e\u2028" if one in markdown]


def test_it_says_what_the_page_says_in_short() -> None:
    data = promoted()
    read = Read(report_markdown(data))
    text = read.text
    assert read.tags[0] == "h1" and text.startswith("Promote the tuned model Verdict: promote.")
    assert data.comparison.champion
    for said in (
        "the champion",
        "holds:",
        "Parts of the test set that got worse",
        "channel = phone, 75 examples:",
        "in ROUGE-L F against the champion",
        "has paid for itself after about",
        "Quoted for the run: 0.9312 USD.",
        data.comparison.champion.name,
    ):
        assert said in text
    plain = Read(report_markdown(inconclusive())).text
    assert "24 test examples show a gain of" in plain
    assert "Guards" not in plain and "got worse" not in plain and "champion" not in plain


def test_it_says_what_is_missing_and_how_to_do_it_again() -> None:
    data = promoted()
    absent = ["the grades could not be had: 403 <b>"]
    data = replace(data, comparison=data.comparison.model_copy(update={"absent": absent}))
    read = Read(report_markdown(data))
    judge, arms = data.comparison.judge, arm_numbers(data)
    assert judge and judge.words in read.text and "The grades could not be had: 403 <b>." in read.text
    for one in arms.values():
        said = f"{one.name}: {one.side.failures} of 240 test examples without an answer"
        assert (said in read.text) is (one.side.failures > 0)
    assert "Left out of train by the checks: 33 records." in read.text
    assert "Left out by the service: 2 of 240 training examples." in read.text
    assert f"Do it again {data.command} Everything else" in read.text
    plain = Read(report_markdown(sample_input())).text
    assert "Judge" not in plain and "by the checks" not in plain
    assert "Do it again gemini-sft run experiment.yaml --on vertex Everything else" in plain


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for table in report_markdown(promoted()).split("\n\n"):
        rows = [line.replace("\\|", "") for line in table.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


@pytest.mark.parametrize(("served_by", "expected"), [("stand-in-extractive-1", True), ("gemini-2.5-flash", False)])
def test_a_stand_in_is_declared(served_by: str, expected: bool) -> None:
    assert ("A local stand-in answered" in report_markdown(sample_input(served_by=served_by))) is expected


def test_same_input_same_text() -> None:
    data: ReportInput = promoted(60)
    assert report_markdown(data) == report_markdown(data)
