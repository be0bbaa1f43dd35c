"""How long the report of 5,000 test examples takes to open and to search: `python -m benchmarks.report`.

They are so long that the page has as much of them as it may. It is opened in headless Chromium, with the curves, like a
file that somebody was sent. A search is measured from the key to the layout of the results, without the pause in which
the page waits for the next key.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from gemini_sft.report import report_page
from tests.unit.gemini_sft.report.sample import answers, example, made_of, sample_examples

_EXAMPLES = 5000
_RUNS = 5
_QUERIES = ("atlas", "router nightly", "e", "Bòrea the", "nothing like it")
_OPENED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  return [painted.startTime, page.domContentLoadedEventEnd];
}"""
# The page's pause ends in a timer; what counts begins when that one runs.
_SEARCH = """(query) => new Promise((done) => {
  const later = window.setTimeout;
  window.setTimeout = (task, pause) => later(() => {
    const started = performance.now();
    task();
    document.body.getBoundingClientRect();
    done(performance.now() - started);
  }, pause);
  const words = document.getElementById("words");
  words.value = query;
  words.dispatchEvent(new Event("input"));
  window.setTimeout = later;
})"""


def main() -> None:
    """Measures and prints."""
    test = [example(n, one.prompt_text * 6, one.target) for n, one in enumerate(sample_examples(_EXAMPLES))]
    data = made_of(test, answers(test, 0.55, 1), answers(test, 0.85, 2))
    started = time.perf_counter()
    html = report_page(data)
    seconds = time.perf_counter() - started
    print(f"a report of {_EXAMPLES:,} examples: made in {seconds:.1f} s, {len(html.encode()) / 1e6:.1f} MB (bound 13)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(html, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        measured = [_measure(browser, path.as_uri()) for _ in range(_RUNS)]
        browser.close()
    painted, loaded, first, others = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"opened: first paint after {painted:.0f} ms, all there after {loaded:.0f} ms (bound 2,000 ms)")
    print(f"searched: the first time {first:.0f} ms, from then on {others:.0f} ms at most (bound 100 ms)")


def _measure(browser: Browser, url: str) -> tuple[float, float, float, float]:
    """Returns milliseconds: first paint, all there, the first search, the slowest of the others."""
    page = browser.new_page()
    page.goto(url)
    painted, loaded = page.evaluate(_OPENED)
    first, *others = (page.evaluate(_SEARCH, query) for query in _QUERIES)
    page.close()
    return painted, loaded, first, max(others)


if __name__ == "__main__":
    main()
