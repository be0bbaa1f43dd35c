"""The search over the examples as somebody uses it in a browser, also without a mouse, a screen or JavaScript."""

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from gemini_sft.data import Example
from gemini_sft.experiment import Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.text import visible
from tests.browser import test_report_in_browser as report
from tests.unit.gemini_sft.report.sample import (
    HOSTILE,
    answered,
    answers,
    example,
    made_of,
    sample_examples,
    sample_input,
    without_curves,
)

browser = report.browser


def opened(browser: Browser, data: ReportInput, folder: Path, *, width: int = 1280, scheme: str = "light") -> Page:
    page, seen = report.opened(browser, report_page(without_curves(data)), folder, width=width, scheme=scheme)
    assert not seen.complaints
    return page


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox", name="Search").fill(words)


def found(page: Page) -> Locator:
    return page.locator("#tools").get_by_role("status")


def places(page: Page) -> list[str]:
    return page.locator("#results article h4").all_inner_texts()


def one_of(test: list[Example], base: dict[int, str], tuned: dict[int, str]) -> ReportInput:
    """Returns a run in which some answers are other than "same"."""
    return made_of(
        test,
        [answered(one, base.get(n, "same")) for n, one in enumerate(test)],
        [answered(one, tuned.get(n, "same")) for n, one in enumerate(test)],
        champion=[answered(one, "gold" if n == 5 else "same") for n, one in enumerate(test)],
    )


def test_search_looks_at_all_that_an_example_has(browser: Browser, tmp_path: Path) -> None:
    test = [example(n, f"prompt {n}", "same") for n in range(40)]
    test[1] = example(1, "Where is the Café?", "same")
    test[2] = example(2, "q", "same", "another reference")
    test[3] = replace(test[3], slices={"language": "Ελληνικός"})
    page = opened(browser, one_of(test, {4: "a base answer"}, {6: "a tuned ANSWER"}), tmp_path)
    for words, lines in {
        "CAFE": [2],
        "cafe\u0301 where": [2],
        "café nowhere": [],
        "another reference": [3],
        "ελληνικοσ": [4],
        "base answer": [5],
        "answer": [7, 5],
        "gold": [6],
        "test.jsonl:40": [40],
        f"{11:016x}": [12],
        "<mark>": [],
        "no answer": [],
    }.items():
        search(page, words)
        expect(page.locator("#results article h4")).to_have_text([f"test.jsonl:{line}" for line in lines])
        expect(found(page)).to_have_text(f"{len(lines)} of 40 examples")
    expect(page.get_by_text("No example matches.")).to_be_visible()


def test_matches_are_marked_as_they_are_written(browser: Browser, tmp_path: Path) -> None:
    written = "Cafe\u0301, CAFÉ \U0001f600 ﬁne " + "and so on " * 200 + "coffee"
    page = opened(browser, one_of([example(0, written, "same")], {}, {}), tmp_path)
    search(page, "cafe fine off \U0001f600")
    expect(page.locator("#results mark")).to_have_text(["Cafe\u0301", "CAFÉ", "\U0001f600", "ﬁne", "off"])
    expect(page.locator("#results mark").last).to_be_visible()
    assert page.locator("#results .prompt .text").inner_text() == written
    search(page, "f")
    expect(page.locator("#results mark")).to_have_text(["f", "F", "ﬁ", "ff"])


def test_filters_go_by_what_became_of_an_example(browser: Browser, tmp_path: Path) -> None:
    test = [
        replace(one, slices={"kind of place": "<b> & c" if n % 2 else "d"}) for n, one in enumerate(sample_examples(9))
    ]
    base, tuned = ([answered(one, one.target) for one in test] for _ in range(2))
    tuned[3] = answered(test[3], "wrong")
    base[4] = Prediction(example_id=test[4].id, outcome=Outcome.BLOCKED, finish_reason="SAFETY")
    tuned[7] = Prediction(example_id=test[7].id, outcome=Outcome.TRUNCATED, text=test[7].target)
    page = opened(browser, made_of(test, base, tuned), tmp_path)
    show, place = page.get_by_label("Show", exact=True), page.get_by_label("kind of place")
    assert show.locator("option").all_inner_texts() == [
        "all examples (9)",
        "got worse (1)",
        "got better (1)",
        "stayed the same (7)",
        "tuned model wrong (1)",
        "no answer from base (1)",
        "answer cut at the length limit (1)",
    ]
    for option, lines in {"got worse (1)": [4], "no answer from base (1)": [5], "all examples (9)": [4, 5, 1]}.items():
        show.select_option(option)
        assert places(page)[:3] == [f"test.jsonl:{line}" for line in lines]
    place.select_option("<b> & c (4)")
    expect(found(page)).to_have_text("4 of 9 examples")
    assert places(page)[0] == "test.jsonl:4"
    page.get_by_label("Order").select_option("as in the test split")
    assert places(page) == [f"test.jsonl:{line}" for line in (2, 4, 6, 8)]
    show.select_option("answer cut at the length limit (1)")
    assert places(page) == ["test.jsonl:8"]
    expect(page.locator("#results").get_by_text("Cut at the length limit.")).to_be_visible()


def test_what_the_tuned_model_gets_wrong_can_be_picked(browser: Browser, tmp_path: Path) -> None:
    test = [example(n, f"which {n}", "a") for n in range(4)]
    base, tuned, champion = (
        [answered(one, label) for one, label in zip(test, said, strict=True)] for said in ("aabb", "abba", "bbaa")
    )
    data = made_of(test, base, tuned, task=Task.CLASSIFICATION, labels=("a", "b"), champion=champion)
    page = opened(browser, data, tmp_path)
    page.get_by_label("Show", exact=True).select_option("tuned model wrong (2)")
    assert places(page) == ["test.jsonl:3", "test.jsonl:2"]
    first = page.locator("#results article").first
    expect(first.locator(".delta")).to_contain_text("right before, wrong now")
    expect(first.locator(".answers figcaption")).to_contain_text(["Reference", "Base", "Tuned", "Champion"])


def test_what_was_found_is_shown_bit_by_bit_and_the_focus_follows(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, sample_input(60), tmp_path)
    expect(page.locator("#changed")).to_be_visible()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    page.get_by_label("Order").select_option("as in the test split")
    expect(page.locator("#changed")).to_be_hidden()
    for shown, left in ((25, "Show 25 more of 35"), (50, "Show 10 more of 10")):
        assert len(places(page)) == shown
        page.get_by_role("button", name=left).click()
        expect(page.locator("#results article").nth(shown)).to_be_focused()
    assert places(page) == [f"test.jsonl:{n}" for n in range(1, 61)]
    expect(page.get_by_role("button", name="Show")).to_be_hidden()


def test_it_can_be_used_with_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, sample_input(60), tmp_path)
    page.locator("#changes ~ #tools").evaluate("(tools) => tools.previousElementSibling.setAttribute('tabindex', -1)")
    page.locator("#tools").evaluate("(tools) => tools.previousElementSibling.focus()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    page.keyboard.type("the")
    page.keyboard.press("Enter")
    expect(found(page)).to_have_text("60 of 60 examples")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Show", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(found(page)).to_have_text("6 of 60 examples")
    page.keyboard.press("ArrowUp")
    expect(found(page)).to_have_text("60 of 60 examples")
    more = page.get_by_role("button", name="Show 25 more of 35")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results article").nth(25)).to_be_focused()


def test_a_screen_reader_is_told_what_everything_is(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, sample_input(60), tmp_path)
    expect(page.get_by_role("search", name="Examples")).to_be_visible()
    box = page.get_by_role("searchbox", name="Search")
    expect(box).to_have_accessible_description(
        "Finds examples that have every word in prompt, references, answers or place. Case and accents do not matter."
    )
    assert page.locator("#tools :is(input, select)").count() == page.locator("#tools label").count() == 3
    expect(found(page)).to_have_text("60 examples")
    search(page, "atlas")
    expect(page.get_by_role("heading", name="Examples that were found", level=3)).to_be_attached()
    first = page.locator("#results").get_by_role("article").first
    assert str(first.get_attribute("aria-label")).startswith(f"Example {places(page)[0]}, ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, tmp_path: Path, scheme: str) -> None:
    page = opened(browser, sample_input(60), tmp_path, scheme=scheme)
    for words in ("", "atlas", "nothing at all"):
        if words:
            search(page, words)
            expect(found(page)).to_contain_text(" of ")
        violations = Axe().run(page, "section:has(#changes)").response["violations"]
        assert not [one["id"] for one in violations if one["impact"] in ("serious", "critical")]


def test_hostile_texts_stay_texts_when_they_are_found(browser: Browser, tmp_path: Path) -> None:
    one = replace(
        example(0, HOSTILE, HOSTILE, HOSTILE + "2", system=HOSTILE), source=HOSTILE, slices={HOSTILE: HOSTILE}
    )
    others = [replace(example(n, HOSTILE * 50, HOSTILE), slices={"__proto__": "constructor"}) for n in (1, 2)]
    blocked = Prediction(example_id=others[0].id, outcome=Outcome.BLOCKED, finish_reason=HOSTILE)
    said = [answered(each, HOSTILE) for each in (one, *others)]
    data = made_of([one, *others], [said[0], blocked, said[2]], said, champion=said)
    page, seen = report.opened(browser, report_page(without_curves(data)), tmp_path)
    for words, n in {"constructor": 2, "onerror": 3, "\u202e": 0, "</script>": 3, "__proto__": 0, "hacked": 3}.items():
        search(page, words)
        expect(found(page)).to_have_text(f"{n} of 3 examples")
        assert page.locator("main img, #results script").count() == 0
    assert page.evaluate("window.__hacked") is None
    shown = page.locator("#results").inner_text()
    assert "<script>window.__hacked = true</script>" in shown and "{{ 7 * 7 }}" in shown
    assert not [letter for letter in "\x00\x1b\u202e\u202c\u2028\u2029" if letter in shown]
    column = page.get_by_role("combobox", name=visible(HOSTILE)[:20])
    column.select_option(index=1)
    expect(found(page)).to_have_text("1 of 3 examples")
    assert not seen.complaints


@pytest.mark.parametrize("used", [False, True])
def test_paper_shows_the_examples_that_changed_most_and_no_toolbar(
    browser: Browser, tmp_path: Path, used: bool
) -> None:
    page = opened(browser, sample_input(60), tmp_path)
    if used:
        search(page, "atlas")
        expect(page.locator("#changed")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("#changed article").first).to_be_visible()
    expect(page.locator("#tools")).to_be_hidden()
    expect(page.locator("#results")).to_be_hidden()


def test_without_javascript_there_are_the_examples_that_changed_most(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_page(sample_input(60)), encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())
    expect(page.locator("#changed article")).to_have_count(16)
    expect(page.locator("#changed article").first).to_be_visible()
    expect(page.locator("#tools")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768])
def test_results_are_as_wide_as_the_screen(browser: Browser, tmp_path: Path, width: int) -> None:
    test = [replace(one, slices={"column" * 20: "value" * 40}) for one in sample_examples(30)]
    endless = [one.model_copy(update={"text": f"found {'endless' * 300}"}) for one in answers(test, 0.5, 1)]
    page = opened(browser, made_of(test, endless, endless, champion=endless), tmp_path, width=width)
    search(page, "found")
    page.locator("#results article").first.wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_text_that_is_cut_says_so(browser: Browser, tmp_path: Path) -> None:
    test = [example(0, "word " * 3000 + "end", "same")]
    page = opened(browser, one_of(test, {}, {}), tmp_path)
    expect(page.get_by_text("Long texts are cut, and what comes after is not searched.")).to_be_visible()
    search(page, "word")
    expect(page.locator("#results").get_by_text("Cut here; it has 15,003 characters in all.")).to_be_visible()
    search(page, "end")
    expect(found(page)).to_have_text("0 of 1 example")
