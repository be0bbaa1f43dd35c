"""What the pages show of real runs, and that nothing in them is more than text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.contract.conftest import Server
from tests.contract.pages.sample import BUCKET, PARENT, SCHEDULE, address, look, schedule

GOOD, BROKEN = address("good"), address("broken")
KEYS = [path.removeprefix("/runs/") for path in (GOOD, BROKEN)]
COMPARED = f"/compare?a={KEYS[0]}&b={KEYS[1]}"
MADE = f"{GOOD}?task=exit-handler-1.make"
ROOT = f"gs://{BUCKET}/root/{PARENT.split('/')[1]}/good/make"


class Parsed(HTMLParser):
    """A page's elements and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "

    @property
    def said(self) -> str:
        """The words, with one space between them."""
        return " ".join(self.text.split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            given
            for name, given in self.elements
            if name == tag and all((given.get(key.rstrip("_")) or "") == value for key, value in wanted.items())
        ]


def page(server: Server, path: str) -> Parsed:
    answer = look(server, path)
    assert answer.status_code == 200, answer.text
    return Parsed(answer.text)


def test_the_first_page_lists_runs_and_schedules(filled: Server) -> None:
    seen = page(filled, "/")
    links = [one["href"] for one in seen.all("a") if one.get("href") in (GOOD, BROKEN)]
    assert links == [BROKEN, GOOD, GOOD]  # newest first, and as the schedule's last run
    said = seen.said
    assert "✕ failed" in said and "✓ succeeded" in said
    assert "schedule weekly" in said and "0 6 * * 1 Europe/Berlin ● active" in said
    assert "‖ paused none" in said and "2030-01-07" in said
    assert len(seen.all("input", name="a", value=KEYS[0])) == len(seen.all("input", name="b", value=KEYS[0])) == 1
    assert "data-refresh" in seen.all("body")[0]  # a schedule is active


def test_an_emulator_without_runs_says_what_to_do(server: Server) -> None:
    seen = page(server, "/")
    assert server.url in seen.text and str(server.data_dir) in seen.text
    assert "data-refresh" not in seen.all("body")[0]


def test_a_run_is_a_graph_in_which_what_waits_stands_below(filled: Server) -> None:
    seen = page(filled, GOOD)
    boxes = [
        one["aria-label"] or "" for one in seen.all("a") if "task=" in (one.get("href") or "") and one.get("class")
    ]
    assert [re.sub(r", [\d.]+ m?s$", "", box) for box in boxes] == [
        "all of it, succeeded",
        "if so many, not triggered",
        "each, succeeded",
        "iteration 0, succeeded",
        "iteration 1, succeeded",
        "never, not triggered",
        "train, succeeded",
        "train, succeeded",
        "make everything, succeeded",
        "promote, succeeded",
        "notify, succeeded",
    ]
    lines = [one["d"] or "" for one in seen.all("path") if (one.get("class") or "").startswith("line")]
    assert len(lines) == 4  # make, loop, promote, branch; exit handler, notify
    for line in lines:
        heights = [float(number) for number in re.findall(r"(?:V| )([\d.]+)(?=[VC]|$)", line)]
        assert heights == sorted(heights) and heights[0] < heights[-1]
    assert len([one for one in seen.all("path") if one.get("class") == "line idle"]) == 1
    assert "kind" in seen.text and "good" in seen.text  # its label


def test_a_link_of_the_graph_opens_a_task_with_its_artifacts(filled: Server) -> None:
    link = next(one["href"] for one in page(filled, GOOD).all("a") if "make" in (one.get("aria-label") or ""))
    seen = page(filled, str(link).partition("#")[0])
    said = seen.said
    assert "measured system.Metrics count 3 score 0.5" in said
    assert [one.get("class") for one in seen.all("td") if "shade" in (one.get("class") or "")] == [
        "right shade-6", "wrong shade-2", "wrong shade-0", "right shade-8",
    ]  # fmt: skip
    assert [one["points"] for one in seen.all("polyline")] == ["0.0,200.0 40.0,20.0 200.0,0.0"]
    (frame,) = seen.all("iframe")
    assert frame["sandbox"] == "allow-scripts" and (frame["src"] or "").endswith("/make/page")
    assert "Found" in said and any(tag == "h4" for tag, _ in seen.elements)
    assert "The first 200 KB of" in said and '"number": 0' in said and "part-1.json" in said
    assert "made from" in said  # its log


def test_a_failed_run_opens_the_task_that_failed_with_its_log(filled: Server) -> None:
    seen = page(filled, BROKEN)
    said = seen.said
    assert "Why it failed The DAG failed because some tasks failed." in said
    assert "Why it did not succeed ValueError: cannot learn" in said
    assert "training <b>hard</b>" in said and "number 2" in said
    assert "open" in seen.all("details", id="log")[0]
    assert "promote, not triggered" in {one.get("aria-label") for one in seen.all("a")}


def test_two_runs_are_compared(filled: Server) -> None:
    said = page(filled, COMPARED).said
    assert "2 of 3 differ Parameter A B breaks false true score 0.5 0.75 text" in said
    assert "make everything: measured Metric A B B − A count 3 3 0 score 0.5 0.75 +0.25" in said
    assert re.search(r"train \(iteration 1\) [\d.]+ s failed [\d.]+ s [+−0]", said)
    assert re.search(r"never not triggered not triggered", said)


@pytest.mark.parametrize(
    "path", ["/", GOOD, BROKEN, MADE, COMPARED, f"/objects?uri={ROOT}/note", f"/objects?uri={ROOT}/summary"]
)
def test_a_page_has_nothing_but_its_own_markup(filled: Server, path: str) -> None:
    answer = look(filled, path)
    seen = Parsed(answer.text)
    assert "window.__hacked" in seen.text  # it is there to be read
    assert "\u202e" not in answer.text
    assert seen.all("script") == [{"src": "/pages/page.js", "defer": None}]
    assert not seen.all("img") and not seen.all("style")
    for _, given in seen.elements:
        assert not [name for name in given if name.startswith("on") or name == "style"]
        assert not re.match("javascript:|data:", given.get("href") or "") and (given.get("src") or "/").startswith("/")
    assert "'unsafe" not in answer.headers["content-security-policy"]


def test_objects_are_served_where_they_can_do_no_harm(filled: Server) -> None:
    html = look(filled, f"/raw?as=html&uri={ROOT}/page")
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    text = look(filled, f"/raw?uri={ROOT}/page")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    for answer in (html, text):
        assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
        assert "allow-same-origin" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    rows = look(filled, f"/raw?uri={ROOT}/rows")
    assert len(rows.text.splitlines()) == 20_000
    filled.http.post(
        f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=a%0b.bin", content=b"\0\1"
    ).raise_for_status()
    binary = look(filled, f"/raw?uri=gs://{BUCKET}/a%0b.bin")
    assert binary.headers["content-disposition"] == "attachment; filename*=utf-8''a%0B.bin"
    assert "no text" in page(filled, f"/objects?uri=gs://{BUCKET}/a%0b.bin").text
    assert "part-1.json" in page(filled, f"/objects?uri={ROOT}/folder").text
    assert '"deep": {\n    "er": 1' in page(filled, f"/objects?uri={ROOT}/folder/part-1.json").text


@pytest.mark.parametrize(
    "path",
    [
        f"{GOOD}0", "/runs/x/y/z", "/compare", f"/compare?a={KEYS[0]}&b=x", "/pages/routes.py", "/objects",
        "/raw?uri=x",
        "/objects?uri=gs://no-such-bucket/x", f"/objects?uri=gs://{BUCKET}/../x", "/raw?uri=/etc/passwd", "/raw?uri=gs://",
        f"/objects?uri=gs://{BUCKET}/%00",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_said_on_a_page(filled: Server, path: str) -> None:
    answer = look(filled, path)
    assert answer.status_code in (400, 404)
    assert Parsed(answer.text).all("h1")


@pytest.mark.parametrize(
    "path", ["/", GOOD, COMPARED, f"/objects?uri={ROOT}/note", f"/raw?uri={ROOT}/note", "/pages/style.css"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example.com"},
        {"host": "rebound.example.com:8123"},
        {"host": "127.0.0.1.example.com"},
        {"host": "[oops"},
        {"origin": "https://example.com"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-site", "sec-fetch-dest": "iframe"},
    ],
)
def test_another_page_gets_nothing(filled: Server, path: str, headers: dict[str, str]) -> None:
    answer = look(filled, path, **headers)
    assert answer.status_code == 403
    assert "__hacked" not in answer.text and "good" not in answer.text


def test_a_link_and_another_name_of_this_machine_lead_here(filled: Server) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    for headers in (followed, {"host": "localhost:9000"}, {"host": "[::1]:8123"}, {"origin": filled.url}):
        assert look(filled, "/", **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example.com"},
        {"origin": "https://example.com", "content-type": "text/plain"},  # what a form or a script may send unasked
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"},
    ],
)
def test_another_page_cannot_use_the_api(filled: Server, headers: dict[str, str]) -> None:
    """A pipeline job is code that runs on this machine."""
    jobs = f"/v1/{PARENT}/pipelineJobs"
    calls = [("POST", jobs), ("POST", "/storage/v1/b"), ("PUT", "/emulator/project"), ("DELETE", f"{jobs}/good")]
    for method, path in calls:
        answer = filled.http.request(method, path, headers=headers, content=b"{}")
        assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED"), path
    assert filled.http.get(f"{jobs}/good").status_code == 200


def test_the_sdks_find_the_metadata_server_at_the_same_address(filled: Server) -> None:
    for headers in ({"metadata-flavor": "Google", "accept": "text/html"}, {"metadata-flavor": "Google"}, {}):
        answer = filled.http.get("/", headers=headers)
        assert answer.headers["metadata-flavor"] == "Google" and answer.text == "computeMetadata/\n"


def test_a_schedule_and_a_job_need_not_say_much(server: Server) -> None:
    """What other clients leave out, and more runs than a page holds."""
    bare: dict[str, Any] = {"pipelineSpec": {"root": {"dag": {"tasks": {}}}}, "state": "PIPELINE_STATE_PENDING"}

    def put(database: Any) -> None:
        database.put("schedules", PARENT, {"name": SCHEDULE, "cron": "0 6 * * *"})
        database.put(
            "schedules", PARENT, schedule(f"{PARENT}/schedules/8", lastScheduledRunResponse={"runResponse": "quota"})
        )
        for number in range(60):
            name = f"{PARENT}/pipelineJobs/bare-{number}"
            database.put("pipelineJobs", PARENT, {"name": name, "createTime": "2026-01-01T00:00:00Z", **bare})

    def drop(database: Any) -> None:
        for kind in ("schedules", "pipelineJobs"):
            for document in database.list(kind):
                database.delete(document["name"])

    server.inside(put)
    try:
        first, second = page(server, "/").said, page(server, "/?skip=50").said
        assert "1 to 50 of 60" in first and " bare-59 " in first and " bare-9 " not in first
        assert "51 to 60 of 60" in second and " bare-9 " in second and " bare-10 " not in second
        assert "UTC" in first and "the last: quota" in first
        assert page(server, "/?skip=x").said == first
        assert "pending" in page(server, address("bare-1")).text
    finally:
        server.inside(drop)


def test_a_deleted_run_is_gone(filled: Server) -> None:
    filled.http.delete(f"/v1/{PARENT}/pipelineJobs/broken").raise_for_status()
    assert look(filled, BROKEN).status_code == 404
