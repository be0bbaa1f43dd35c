"""The page of a recheck as a browser shows it: it loads nothing, fits every screen and is for everybody."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from gemini_sft.report.recheck import recheck_page
from gemini_sft.retraining.recheck import Recheck, State
from tests.browser import test_report_in_browser as report
from tests.unit.gemini_sft.report.sample import HOSTILE

browser = report.browser
"""The fixture, so that all pages are looked at with the same browser."""

FALLEN = Recheck(
    state=State.FALLEN,
    reasons=["it changed"],
    alarms=["the champion has fallen"],
    metric="edits",
    then=3.0,
    now=4.5,
    change=1.5,
    low=1.0,
    high=2.0,
    confidence=0.975,
    looks=2,
    n_then=60,
    n_now=50,
    paired=40,
    seen=1,
    max_drop=0.5,
    lower_is_better=True,
    served_by="stand-in/adapter",
    model="projects/7/locations/us/models/3@1",
)
HELD = FALLEN.model_copy(update={"state": State.HELD, "lower_is_better": False, "alarms": [], "seen": 0})
UNKNOWN = Recheck(
    state=State.UNKNOWN, reasons=[HOSTILE], alarms=[HOSTILE], metric=HOSTILE, confidence=0.95, model="endless" * 90
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("made", [FALLEN, HELD, UNKNOWN], ids=lambda made: made.state)
def test_it_is_for_everybody_on_every_screen(browser: Browser, tmp_path: Path, made: Recheck, scheme: str) -> None:
    page, seen = report.opened(browser, recheck_page(made, "demo", "demo-1", HOSTILE), tmp_path, scheme=scheme)
    found = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    for width in (360, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("window.__hacked") is None and page.locator("script").count() == 0
    assert not seen.complaints


def test_it_says_what_answered_and_draws_where_the_champion_would_have_fallen(browser: Browser, tmp_path: Path) -> None:
    page, _ = report.opened(browser, recheck_page(FALLEN, "demo", "demo-1", ""), tmp_path)
    assert "did not come from Gemini" in page.get_by_role("note", name="Not Gemini").inner_text()
    drawn = page.get_by_role("img", name="The change is +1.5000, its 97.5% interval +1.0000 to +2.0000.")
    zone, span = (drawn.locator(one).bounding_box() for one in ("rect.zone", "line.span"))
    assert zone and span and zone["x"] < span["x"] and span["x"] + span["width"] < zone["x"] + zone["width"]
    page, _ = report.opened(browser, recheck_page(HELD, "demo", "demo-1", ""), tmp_path)
    zone, span = (page.locator(f".gainsvg {one}").bounding_box() for one in ("rect.zone", "line.span"))
    assert zone and span and zone["x"] + zone["width"] < span["x"]
    page, _ = report.opened(browser, recheck_page(UNKNOWN, "demo", "demo-1", ""), tmp_path)
    assert page.locator("svg").count() == page.get_by_role("note").count() == 0
