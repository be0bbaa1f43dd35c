"""What is said while a model answers."""

import asyncio
import io
import logging
import sys
import threading
import time
from pathlib import Path

import pytest
from starlette.responses import Response

from gemini_sft import storage
from gemini_sft.inference import progress
from gemini_sft.inference.progress import Progress
from gemini_sft.telling import lines
from tests.unit.gemini_sft.inference.fake_gemini import Gemini, answered, asked, examples


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_says_done_rate_concurrency_failures_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    shown = Progress("answers of m", total=1000, kept=100, concurrency=lambda: 7)
    for number in range(50):
        shown.count(failed=number < 2)
    now += 5
    assert shown.line() == "answers of m: 150 of 1,000, 10.0 a second, 7 under way, 2 failures, 85 s left"
    now += 15
    assert shown.line() == "answers of m: 150 of 1,000, 2.5 a second, 7 under way, 2 failures, 6 min left"
    now += 1000
    assert shown.line() == "answers of m: 150 of 1,000, 0.0 a second, 7 under way, 2 failures"


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_it_is_logged_and_left_where_others_find_it_and_taken_away_at_the_end(
    gemini: Gemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "_FILE_SECONDS", 0.02)
    monkeypatch.setattr(progress, "_LOG_SECONDS", 0.05)
    folder = tmp_path / "answers"
    seen: list[str] = []

    async def slow(question: str, attempt: int) -> Response:
        await asyncio.sleep(0.1)
        seen.extend(lines(str(folder)))
        return answered("a")

    gemini.answer = slow
    with caplog.at_level(logging.INFO, "gemini_sft"):
        asked(examples(6), progress_uri=f"{folder}/abc.json", max_concurrency=2)
    assert seen and all(one.startswith("answers of gemini-2.5-flash: ") and " of 6, " in one for one in seen)
    assert any(" of 6, " in message for message in caplog.messages)
    assert not any("q0" in message for message in caplog.messages), "a prompt in a log"
    assert lines(str(folder)) == []


def test_a_line_that_comes_late_is_not_left_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_FILE_SECONDS", 0.0)
    writing, ended = threading.Event(), threading.Event()
    shown = Progress("answers of m", total=1, kept=0, concurrency=lambda: 1, uri=f"{tmp_path}/a.json")
    leave = shown._leave

    def late(line: str) -> None:
        writing.set()
        ended.wait(5)
        leave(line)

    monkeypatch.setattr(shown, "_leave", late)

    async def cancelled() -> None:
        task = asyncio.create_task(shown.show())
        await asyncio.to_thread(writing.wait, 5)
        task.cancel()
        shown.end()
        ended.set()

    asyncio.run(cancelled())  # waits for its threads
    assert lines(str(tmp_path)) == []


def test_on_a_terminal_it_is_one_line_that_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Terminal()
    monkeypatch.setattr(sys, "stderr", file)
    for name, value in {"TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(progress, "_LIVE_SECONDS", 0.01)
    shown = Progress("answers of m", total=3, kept=0, concurrency=lambda: 1)

    async def watched() -> None:
        task = asyncio.create_task(shown.show())
        for _ in range(3):
            await asyncio.sleep(0.03)
            shown.count(failed=False)
        await asyncio.sleep(0.03)
        task.cancel()

    asyncio.run(watched())
    drawn = file.getvalue()
    assert all(f"answers of m: {done} of 3" in drawn for done in range(4))
    assert drawn.count("\n") == 1, "each time in the same line, which the end takes away"


def test_what_a_killed_task_has_left_is_not_shown_for_ever(tmp_path: Path) -> None:
    storage.write_json(str(tmp_path / "a.json"), {"until": time.time() - 1, "line": "old"})
    storage.write_json(str(tmp_path / "b.json"), {"until": time.time() + 9, "line": "new"})
    assert lines(str(tmp_path)) == ["new"]
