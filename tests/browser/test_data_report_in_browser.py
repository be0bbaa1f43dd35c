"""The data report as a browser shows it: it runs nothing, loads nothing, says nothing and fits every screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gemini_sft.data.findings import Finding
from gemini_sft.data.summary import DataSummary, RuleSummary
from gemini_sft.experiment.rules import Policy
from gemini_sft.report.data_page import data_page
from tests.browser import test_report_in_browser as report
from tests.unit.gemini_sft.report.data_sample import split, stopped, summary, usable
from tests.unit.gemini_sft.report.sample import HOSTILE

browser = report.browser
"""The fixture, so that both pages are looked at with the same browser."""

ENDLESS = "endless" * 300


def filled_with(text: str) -> DataSummary:
    finding = Finding(rule="leak", source=text, line=7, what=text, excerpt=text)
    return summary(
        RuleSummary(rule="leak", policy=Policy.ERROR, count=10**9, first=[finding] * 3),
        splits={
            name: split(10**9, 10**9, [text, text], labels={text: 10**9, "other": 10**9})
            for name in ("train", "validation", "test")
        },
        system_instruction=text * 5,
        few_shot=[text],
    )


def test_the_page_complains_of_nothing(browser: Browser, tmp_path: Path) -> None:
    page, seen = report.opened(browser, data_page(stopped(), experiment_name="ticket-routing"), tmp_path)
    assert page.locator("h1").inner_text() == "4 findings stop the run"
    assert page.locator("svg.histogram").count() == 3
    page.emulate_media(color_scheme="dark")
    page.emulate_media(media="print")
    page.emulate_media(media="screen")
    for summary_line in page.locator("summary").all():
        summary_line.focus()
        summary_line.press("Enter")
    assert page.locator("details:not([open])").count() == 0
    page.locator(".reasons a").first.click()
    assert page.url.endswith("#rule-leak")
    assert not seen.complaints


def test_hostile_data_do_not_run(browser: Browser, tmp_path: Path) -> None:
    page, seen = report.opened(browser, data_page(filled_with(HOSTILE), experiment_name=HOSTILE), tmp_path)
    assert page.evaluate("window.__hacked") is None
    assert page.locator("img").count() == page.locator("script").count() == 0
    assert "<script>window.__hacked = true</script>" in page.locator("#main").inner_text()
    assert not seen.complaints


def test_nothing_can_run_on_the_page_or_leave_it(browser: Browser, tmp_path: Path) -> None:
    html = data_page(usable(), experiment_name="ticket-routing")
    added = "<script>window.__hacked = true</script></main>"
    page, seen = report.opened(browser, html.replace("</main>", added), tmp_path)
    assert page.evaluate("window.__hacked") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert seen.complaints and all("Content Security Policy" in said for said in seen.complaints)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 900, 1600])
@pytest.mark.parametrize("text", ["words", ENDLESS])
def test_the_page_is_as_wide_as_the_screen(
    browser: Browser, tmp_path: Path, width: int, scheme: str, text: str
) -> None:
    data = stopped() if text == "words" else filled_with(text)
    page, seen = report.opened(
        browser, data_page(data, experiment_name="ticket-routing"), tmp_path, width=width, scheme=scheme
    )
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Nothing but what may be scrolled, or is hidden on purpose, reaches beyond the edge.
    beyond = """width => [...document.querySelectorAll('main *')].filter((one) => !one.closest('.scroll')
        && one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond, width) == []
    assert not seen.complaints


def test_what_is_folded_is_printed(browser: Browser, tmp_path: Path) -> None:
    data = summary(system_instruction="word " * 1000 + "last")
    page, _ = report.opened(browser, data_page(data, experiment_name="ticket-routing"), tmp_path)
    height = "document.querySelector('#prompt ~ details').getBoundingClientRect().height"
    folded = page.evaluate(height)
    page.emulate_media(media="print")
    assert page.evaluate(height) > folded + 100
