"""The report as a browser shows it: it runs nothing but its own, loads nothing, says nothing on the console."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gemini_sft.report import report_page
from gemini_sft.report.curves import curves_page
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_curves, sample_input, sample_record, without_curves
from tests.unit.gemini_sft.report.whole_sample import promoted, rejected_classification

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Seen:
    """What happened while a page was open."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing = "the pages are not looked at without Chromium: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


def opened(browser: Browser, html: str, folder: Path, *, width: int = 1280, scheme: str = "light") -> tuple[Page, Seen]:
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    page, seen = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce"), Seen()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.on("console", lambda said: seen.complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(f"page error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    assert seen.requests == [path.as_uri()]
    return page, seen


def test_the_report_draws_its_curves_and_complains_of_nothing(browser: Browser, tmp_path: Path) -> None:
    page, seen = opened(browser, report_page(sample_input()), tmp_path)
    for plot in ("loss-plot", "accuracy-plot"):
        page.locator(f"#{plot} svg.main-svg").first.wait_for()
        assert page.locator(f"#{plot} .scatterlayer .trace").count() == 2
    page.locator("#loss-plot").hover()
    page.emulate_media(color_scheme="dark")
    page.emulate_media(media="print")
    page.emulate_media(media="screen")
    for summary in page.locator("summary").all():
        summary.focus()
        summary.press("Enter")
    assert page.locator("details:not([open])").count() == 0
    assert not seen.complaints
    assert len(seen.requests) == 1


def test_the_curves_follow_the_colour_scheme(browser: Browser, tmp_path: Path) -> None:
    page, seen = opened(browser, curves_page(sample_curves(), sample_record()), tmp_path, scheme="dark")
    dark = page.evaluate("getComputedStyle(document.querySelector('#loss-plot .js-line')).stroke")
    page.emulate_media(color_scheme="light")
    # Not wait_for_function: when it must wait, it evaluates a string, which the page's policy forbids.
    expect(page.locator("#loss-plot .js-line").first).not_to_have_css("stroke", dark)
    assert not seen.complaints


def test_a_hostile_answer_does_not_run(browser: Browser, tmp_path: Path) -> None:
    data = sample_input()
    hostile = [one.model_copy(update={"text": HOSTILE, "error": HOSTILE}) for one in data.candidate.predictions]
    attacked = replace(
        data,
        run_id=HOSTILE,
        candidate=replace(data.candidate, predictions=hostile),
        comparison=data.comparison.model_copy(update={"reasons": [HOSTILE]}),
    )
    page, seen = opened(browser, report_page(attacked), tmp_path)
    assert page.evaluate("window.__hacked") is None
    assert page.locator("main img").count() == 0
    assert "<script>window.__hacked = true</script>" in page.locator("#main").inner_text()
    page.locator("#loss-plot svg.main-svg").first.wait_for()
    assert not seen.complaints


def test_a_script_that_is_not_the_pages_own_is_refused(browser: Browser, tmp_path: Path) -> None:
    html = report_page(sample_input()).replace("</main>", "<script>window.__hacked = true</script></main>")
    page, seen = opened(browser, html, tmp_path)
    assert page.evaluate("window.__hacked") is None
    assert len(seen.complaints) == 1 and "Content Security Policy" in seen.complaints[0]


def test_nothing_can_leave_the_page(browser: Browser, tmp_path: Path) -> None:
    page, seen = opened(browser, report_page(without_curves(sample_input())), tmp_path)
    assert not seen.complaints
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    assert any("Content Security Policy" in said for said in seen.complaints)


@pytest.fixture(scope="module")
def whole() -> dict[str, str]:
    """Pages of runs that have everything."""
    return {"promoted": report_page(promoted()), "rejected": report_page(rejected_classification())}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("run", ["promoted", "rejected"])
def test_who_cannot_see_or_point_can_use_it(
    browser: Browser, tmp_path: Path, whole: dict[str, str], run: str, scheme: str
) -> None:
    page, seen = opened(browser, whole[run], tmp_path, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert {"color-contrast", "scrollable-region-focusable"} <= {one["id"] for one in found["passes"]}
    assert not seen.complaints


@pytest.mark.parametrize(("width", "media"), [(360, "screen"), (768, "screen"), (1280, "screen"), (690, "print")])
@pytest.mark.parametrize("run", ["promoted", "rejected"])
def test_a_page_with_everything_fits_every_screen_and_sheet(
    browser: Browser, tmp_path: Path, whole: dict[str, str], run: str, width: int, media: Literal["screen", "print"]
) -> None:
    page, seen = opened(browser, whole[run], tmp_path, width=width)
    page.emulate_media(media=media)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".confusion").count() == (2 if run == "rejected" else 0)
    assert not seen.complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_models_quote_and_labels_are_read_without_moving_them_sideways(
    browser: Browser, tmp_path: Path, whole: dict[str, str], width: int, scheme: str
) -> None:
    shown = {("worth", "Tuned"): "promoted", ("cost", "Price"): "promoted", ("classes", "Tuned F1"): "rejected"}
    for (section, decides), run in shown.items():
        page, _ = opened(browser, whole[run], tmp_path, width=width, scheme=scheme)
        table = page.locator(f"section[aria-labelledby={section}] table.listed")
        rows = table.locator("tbody tr").count()
        assert rows == table.locator(f'tbody [data-label="{decides}"]').count() > 1
        labels = "cells => cells.map((one) => getComputedStyle(one, '::before').content)"
        assert all(decides in one for one in table.locator("tbody td:last-child").evaluate_all(labels))
        beyond = "(all, width) => all.filter((one) => one.getBoundingClientRect().right > width).length"
        assert table.locator("*").evaluate_all(beyond, width) == 0
        assert page.locator(f"section[aria-labelledby={section}] .scroll table.listed").count() == 0
        assert Axe().run(page, f"section[aria-labelledby={section}]").response["violations"] == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_the_page_is_as_wide_as_the_screen(browser: Browser, tmp_path: Path, width: int) -> None:
    data = sample_input(served_by="stand-in-extractive-1")
    endless = [one.model_copy(update={"text": "endless" * 300}) for one in data.base.predictions]
    page, seen = opened(
        browser, report_page(replace(data, base=replace(data.base, predictions=endless))), tmp_path, width=width
    )
    page.locator("#accuracy-plot svg.main-svg").first.wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert not seen.complaints
