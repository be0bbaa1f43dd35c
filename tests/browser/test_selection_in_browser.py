"""The page of a selection as a browser shows it: it draws what was tried, fits every screen, runs nothing foreign."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gemini_sft.report import report_page
from gemini_sft.report.curves import curves_page
from gemini_sft.report.selection import selection_page
from gemini_sft.tuning import Curves, Selection
from gemini_sft.tuning.curves import Curve
from tests.browser import test_report_in_browser as report
from tests.unit.gemini_sft.report.sample import HOSTILE, sample_curves, sample_input, sample_record
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen, one_job, sweep

browser = report.browser
"""The fixture, so that all pages are looked at with the same browser."""

ENDLESS = "endless" * 300


def named(selection: Selection, text: str) -> Selection:
    candidates = [
        one.model_copy(update={"trial": f"{one.trial} {text}", "error": one.error and text, "checkpoint": text})
        for one in selection.candidates
    ]
    return selection.model_copy(update={"reason": text, "candidates": candidates})


def test_one_job_is_drawn_with_what_was_taken(browser: Browser, tmp_path: Path) -> None:
    page, seen = report.opened(browser, selection_page(one_job()), tmp_path)
    for plot in ("selection-score-plot", "selection-loss-plot"):
        page.locator(f"#{plot} svg.main-svg").first.wait_for()
        assert page.locator(f"#{plot} .scatterlayer .trace").count() == 2
    page.emulate_media(color_scheme="dark")
    page.emulate_media(media="print")
    page.emulate_media(media="screen")
    assert not seen.complaints


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("trials", [4, 12])
def test_a_legend_shows_every_trial_without_scrolling(
    browser: Browser, tmp_path: Path, trials: int, width: int
) -> None:
    page, _ = report.opened(browser, selection_page(sweep(trials)), tmp_path, width=width)
    page.locator("#selection-score-plot .legend .traces").first.wait_for()
    assert page.locator("#selection-score-plot .legend .traces").count() == trials + 1
    assert page.evaluate("document.querySelector('.legend .scrollbar').getBoundingClientRect().height") == 0
    inside = """() => {
        const plot = document.querySelector('#selection-score-plot').getBoundingClientRect();
        return [...document.querySelectorAll('.legend .traces')].every((one) => {
            const { bottom, right } = one.getBoundingClientRect();
            return bottom <= plot.bottom && right <= plot.right + 1;
        });
    }"""
    assert page.evaluate(inside)


def test_the_legend_does_not_stand_on_the_drawing(browser: Browser, tmp_path: Path) -> None:
    page, _ = report.opened(browser, selection_page(sweep()), tmp_path)
    page.locator("#selection-score-plot .legend .traces").first.wait_for()
    below = """() => document.querySelector('.legend').getBoundingClientRect().top
        >= document.querySelector('.xtitle').getBoundingClientRect().bottom"""
    assert page.evaluate(below)


def test_on_paper_a_drawing_is_as_high_as_its_place(browser: Browser, tmp_path: Path) -> None:
    page, _ = report.opened(browser, selection_page(sweep(12)), tmp_path)
    page.locator("#selection-score-plot svg.main-svg").first.wait_for()
    page.emulate_media(media="print")
    heights = """() => ['#selection-score-plot', '#selection-score-plot svg.main-svg']
        .map((one) => Math.round(document.querySelector(one).getBoundingClientRect().height))"""
    place, drawing = page.evaluate(heights)
    assert place == drawing > 400


def test_hostile_names_do_not_run(browser: Browser, tmp_path: Path) -> None:
    page, seen = report.opened(browser, selection_page(named(sweep(), HOSTILE)), tmp_path)
    page.locator("#selection-score-plot .legend .traces").first.wait_for()
    assert page.evaluate("window.__hacked") is None
    assert page.locator("main img, main a").count() == 0
    assert "<script>window" in (page.locator(".legend .traces").nth(1).text_content() or "")
    assert "<script>window.__hacked = true</script>" in page.locator("#main").inner_text()
    assert not seen.complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 900, 1600])
@pytest.mark.parametrize(
    "selection", [one_job(), sweep(), sweep(20), named(sweep(), ENDLESS)], ids=["job", "sweep", "many", "endless"]
)
def test_the_page_is_as_wide_as_the_screen(
    browser: Browser, tmp_path: Path, width: int, scheme: str, selection: Selection
) -> None:
    page, seen = report.opened(browser, selection_page(selection), tmp_path, width=width, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    beyond = """width => [...document.querySelectorAll('main *')].filter((one) => !one.closest('.scroll, .plot')
        && getComputedStyle(one).position !== 'absolute' && !one.closest('thead')
        && one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond, width) == []
    assert not seen.complaints


def test_the_report_draws_curves_and_checkpoints(browser: Browser, tmp_path: Path) -> None:
    data = replace(sample_input(), selection=sweep())
    page, seen = report.opened(browser, report_page(data), tmp_path)
    for plot in ("loss-plot", "accuracy-plot", "selection-score-plot"):
        page.locator(f"#{plot} svg.main-svg").first.wait_for()
    assert not seen.complaints


def test_over_fitting_is_marked_in_the_loss(browser: Browser, tmp_path: Path) -> None:
    turned = sample_curves().model_copy(update={"validation_loss": Curve(steps=[60, 120, 180], values=[0.9, 0.7, 0.9])})
    page, seen = report.opened(browser, curves_page(turned, sample_record()), tmp_path)
    page.locator("#loss-plot .annotation-text", has_text="lowest: 0.7").wait_for()
    assert page.locator("#loss-plot .shapelayer path").count() == 4
    assert page.locator("#accuracy-plot .shapelayer path").count() == 3
    assert not seen.complaints


@pytest.mark.parametrize("width", [360, 1200])
def test_the_ring_around_the_last_checkpoint_is_whole(browser: Browser, tmp_path: Path, width: int) -> None:
    last = chosen([candidate(n, n / 40) for n in range(1, 41)])
    page, _ = report.opened(browser, selection_page(last), tmp_path, width=width)
    page.locator("#selection-score-plot svg.main-svg").first.wait_for()
    places = """() => {
        const plot = document.querySelector('#selection-score-plot');
        const ring = [...plot.querySelectorAll('.scatterlayer .trace')].at(-1).querySelector('path.point');
        const unclipped = !ring.closest('.trace').parentElement.closest('[clip-path]');
        return [unclipped, ring.getBoundingClientRect().right, plot.getBoundingClientRect().right];
    }"""
    unclipped, ring, plot = page.evaluate(places)
    assert unclipped and ring < plot


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("values", [[0.4, *[0.9] * 39], [*[0.9] * 38, 0.4, 0.9]], ids=["first", "last"])
def test_the_label_of_the_lowest_loss_is_beside_the_axis(
    browser: Browser, tmp_path: Path, values: list[float], width: int
) -> None:
    curves = Curves(validation_loss=Curve(steps=list(range(1, 41)), values=values))
    page, _ = report.opened(
        browser, curves_page(curves, sample_record(checkpoints=[], steps=40)), tmp_path, width=width
    )
    page.locator("#loss-plot .annotation-text", has_text="lowest: 0.4").wait_for()
    places = """() => {
        const label = [...document.querySelectorAll('#loss-plot .annotation-text')].at(-1).getBoundingClientRect();
        const ticks = [...document.querySelectorAll('#loss-plot .ytick')]
            .map((one) => one.getBoundingClientRect().right);
        const plot = document.querySelector('#loss-plot').getBoundingClientRect();
        return [Math.max(...ticks), label.left, label.right, plot.right];
    }"""
    axis, left, right, edge = page.evaluate(places)
    assert axis <= left and right <= edge


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_over_fitting_is_told_of_beside_the_verdict(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    turned = sample_curves().model_copy(update={"validation_loss": Curve(steps=[60, 120, 180], values=[3, 2.4, 31.4])})
    html = report_page(replace(sample_input(), curves=turned, selection=one_job()))
    page, seen = report.opened(browser, html, tmp_path, width=width, scheme=scheme)
    warning = page.locator(".verdict .warning")
    assert "rose from 2.4 to 31.4 by the end; see Curves. The checkpoint of epoch 2" in warning.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    warning.get_by_role("link", name="Curves").click()
    assert page.url.endswith("#curves") and page.locator("h2#curves").is_visible()
    assert not seen.complaints
