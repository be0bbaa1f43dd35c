"""The emulator's pages as a browser shows them: usable by everybody, on every screen, safe from what tasks wrote."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import test_report_in_browser as report
from tests.contract.conftest import Server
from tests.contract.pages.sample import BUCKET, PARENT, address, fill

browser = report.browser
"""The fixture, so that all pages are looked at with the same browser."""

GOOD, BROKEN = address("good"), address("broken")
MADE = f"{GOOD}?task=exit-handler-1.make"
A, B = GOOD.removeprefix("/runs/"), BROKEN.removeprefix("/runs/")
PAGES = {
    "runs": "/",
    "broken": BROKEN,
    "artifacts": MADE,
    "compare": f"/compare?a={A}&b={B}",
    "folder": f"/objects?uri=gs://{BUCKET}/root",
    "missing": "/runs/x/y/z",
}
SANDBOX = ("Content Security Policy", "connect-src")
"""What the browser says of the artifact that tries to reach the API."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shown"))
    fill(server, tmp_path_factory.mktemp("spec"))
    yield server
    server.close()


def opened(browser: Browser, url: str, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("request", lambda request: complaints.append(request.url) if "127.0.0.1" not in request.url else None)
    page.goto(url)
    return page, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_everybody_can_use_every_page_on_every_screen(browser: Browser, filled: Server, name: str, scheme: Any) -> None:
    page, complaints = opened(browser, filled.url + PAGES[name], color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    for width in (1280, 768, 390, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("window.__hacked") is None
    expected = "404" if name == "missing" else SANDBOX[0]
    assert all(expected in said for said in complaints), complaints
    page.close()


def test_the_graph_opens_a_task_by_keyboard(browser: Browser, filled: Server) -> None:
    page, complaints = opened(browser, filled.url + GOOD)
    node = page.get_by_role("link", name="make everything, succeeded")
    node.focus()
    node.press("Enter")
    page.wait_for_url("**task=exit-handler-1.make#task")
    expect(page.get_by_role("heading", name="make everything")).to_be_in_viewport()
    boxes = page.locator("svg a.node rect").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().toJSON())"
    )
    texts = page.locator("svg a.node").evaluate_all(
        """all => all.map((one) => Math.max(...[...one.querySelectorAll("text")]
            .map((text) => text.getBoundingClientRect().right)) <= one.getBoundingClientRect().right)"""
    )
    assert all(texts) and len(boxes) == len(texts) == 6
    assert all(said.count(SANDBOX[0]) for said in complaints)
    page.close()


def test_an_artifact_is_a_page_that_reaches_nothing(browser: Browser, filled: Server) -> None:
    page, complaints = opened(browser, filled.url + MADE)
    frame = page.frame_locator("iframe")
    page.locator("iframe").scroll_into_view_if_needed()
    expect(frame.locator("#ran")).to_have_text("yes")
    expect(frame.locator("#api")).to_have_text("refused")
    expect(frame.locator("#storage")).to_have_text("refused")
    assert any(SANDBOX[1] in said for said in complaints)
    alone = browser.new_page()
    alone.goto(f"{filled.url}/raw?as=html&uri=gs://{BUCKET}/root/{PARENT.split('/')[1]}/good/make/page")
    expect(alone.locator("#ran")).to_have_text("yes")
    expect(alone.locator("#api")).to_have_text("refused")
    assert alone.evaluate("self.origin") == "null"
    alone.close()
    page.close()


def test_two_runs_are_chosen_and_compared(browser: Browser, filled: Server) -> None:
    page, complaints = opened(browser, filled.url)
    page.get_by_role("radio", name="A is broken").check()
    page.get_by_role("radio", name="B is good").check()
    page.get_by_role("button", name="Compare A and B").click()
    row = page.get_by_role("row", name="score 0.75 0.5 −0.25")
    expect(row).to_be_visible()
    assert not complaints
    page.close()


def test_a_graph_wider_than_the_screen_begins_where_the_run_does_or_at_the_open_task(
    browser: Browser, filled: Server
) -> None:
    names = [f"part-{number:02}" for number in range(20)]
    bare = {"componentRef": {"name": "comp"}}
    tasks = {name: bare | ({"dependentTasks": ["part-03"]} if name != "part-03" else {}) for name in names}
    job = {
        "name": f"{PARENT}/pipelineJobs/wide",
        "pipelineSpec": {"root": {"dag": {"tasks": tasks}}},
        "state": "PIPELINE_STATE_SUCCEEDED",
        "createTime": "2026-01-01T00:00:00Z",
    }
    filled.inside(lambda database: database.put("pipelineJobs", PARENT, job))
    for width in (1280, 390):
        page, _ = opened(browser, filled.url + address("wide"), viewport={"width": width, "height": 900})
        assert page.evaluate("graph.scrollWidth > graph.clientWidth")
        expect(page.get_by_role("link", name="part-03")).to_be_in_viewport(ratio=1)
        for name in ("part-00", "part-19", "part-11"):  # both ends can be reached, and a click in the middle opens one
            page.get_by_role("link", name=name).click()
            page.wait_for_url(f"**task={name}#task")
            page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
            expect(page.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
        page.close()
    filled.inside(lambda database: database.delete(job["name"]))


def test_without_javascript_everything_is_there(browser: Browser, filled: Server) -> None:
    page, complaints = opened(browser, filled.url, java_script_enabled=False)
    page.get_by_role("table").first.get_by_role("link", name="broken").click()
    page.get_by_role("link", name="make everything, succeeded").click()
    expect(page.get_by_role("heading", name="measured system.Metrics")).to_be_visible()
    assert not complaints
    page.close()


def test_a_running_run_renews_itself_and_leaves_the_reader_where_he_is(browser: Browser, filled: Server) -> None:
    name = f"{PARENT}/pipelineJobs/slow"

    def put(database: Any, *, ended: bool) -> None:
        job = database.get(f"{PARENT}/pipelineJobs/good") | {"name": name, "displayName": "slow"}
        made = next(detail for detail in job["jobDetail"]["taskDetails"] if detail["taskName"] == "make everything")
        made["execution"]["metadata"]["output:late"] = ended
        if not ended:
            job["state"] = "PIPELINE_STATE_RUNNING"
            del job["endTime"]
            for detail in job["jobDetail"]["taskDetails"]:
                if detail["taskName"] == "notify":
                    detail["state"] = "RUNNING"
                    del detail["endTime"]
        database.put("pipelineJobs", PARENT, job)

    filled.inside(put, ended=False)
    page, complaints = opened(browser, f"{filled.url}{address('slow')}?task=exit-handler-1.make")
    page.set_viewport_size({"width": 390, "height": 500})
    expect(page.locator("#outcome")).to_contain_text("running")
    note = page.locator("details").filter(has_text="bytes of text").first
    note.locator("summary").click()
    page.locator("#graph").evaluate("one => { one.scrollLeft = 77; }")
    page.get_by_role("link", name="notify, running").focus()
    page.evaluate("window.scrollTo({top: 900, behavior: 'instant'}); window.__same = true;")
    filled.inside(put, ended=True)
    expect(page.locator("#outcome")).to_contain_text("succeeded", timeout=15_000)
    assert page.evaluate("[window.__same, scrollY, document.querySelector('#graph').scrollLeft]") == [True, 900, 77]
    assert page.title().startswith("✓")
    assert page.evaluate("document.activeElement.getAttribute('href')").endswith("task=notify#task")
    expect(note).to_have_attribute("open", "")
    renewed = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('slow')).length"
    )
    page.wait_for_timeout(2500)
    again = page.evaluate("performance.getEntriesByType('resource').filter((one) => one.name.includes('slow')).length")
    assert again == renewed  # over: nothing is asked for any more
    assert all(SANDBOX[0] in said for said in complaints), complaints
    page.close()
