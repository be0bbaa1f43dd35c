"""The page of two runs as a browser shows it: it runs and loads nothing, fits every screen and is for everybody."""

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from gemini_sft.report.between import between
from gemini_sft.report.two_runs import two_runs_page
from tests.browser import test_report_in_browser as report
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_examples
from tests.unit.gemini_sft.report.two_sample import asked, finished_run, with_champion

browser = report.browser
"""The fixture, so that all pages are looked at with the same browser."""

ENDLESS = "endless" * 300


def page_with(text: str) -> str:
    """Two runs that can be compared, one of which is full of a text."""
    a, b = finished_run("worse", 0.4), finished_run("better", 0.9, seed=2)
    comparison = with_champion()["comparison"].model_copy(update={"reasons": [text]})
    result = b.result.model_copy(update={"served_by": f"stand-in {text}"})
    b = replace(b, run_id=text, comparison=comparison, result=result)
    return two_runs_page(between(a, replace(b, **asked(b, prompt={"system_instruction": text}, tuning={"epochs": 5}))))


def pages() -> dict[str, str]:
    a, other = finished_run("worse", 0.4), finished_run("others", 0.9, test=sample_examples(30))
    return {"paired": page_with("Be brief. " * 200), "apart": two_runs_page(between(a, other))}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["paired", "apart"])
def test_axe_finds_no_fault(browser: Browser, tmp_path: Path, which: str, scheme: str) -> None:
    page, seen = report.opened(browser, pages()[which], tmp_path, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert "color-contrast" in {one["id"] for one in found["passes"]}
    assert not seen.complaints


@pytest.mark.parametrize(("width", "media"), [(360, "screen"), (768, "screen"), (1600, "screen"), (690, "print")])
def test_it_is_as_wide_as_screen_and_sheet(browser: Browser, tmp_path: Path, width: int, media: str) -> None:
    page, seen = report.opened(browser, page_with(ENDLESS), tmp_path, width=width)
    page.emulate_media(media="print" if media == "print" else "screen")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = """width => [...document.querySelectorAll('main *')].filter((one) => !one.closest('thead')
        && one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond, width) == []
    assert not seen.complaints


def test_hostile_text_does_not_run_and_nothing_leaves(browser: Browser, tmp_path: Path) -> None:
    page, seen = report.opened(browser, page_with(HOSTILE), tmp_path)
    assert page.evaluate("window.__hacked") is None
    assert page.locator("img").count() == page.locator("script").count() == 0
    assert "<script>window.__hacked = true</script>" in page.locator("#main").inner_text()
    assert not seen.complaints
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"


def test_what_is_the_same_is_folded_until_it_is_asked_for(browser: Browser, tmp_path: Path) -> None:
    page, _ = report.opened(browser, pages()["apart"], tmp_path)
    same = page.get_by_role("table", name="What the experiments have in common")
    assert not same.is_visible()
    page.get_by_text("settings are the same in both").press("Enter")
    assert same.get_by_text("base_model").is_visible()
