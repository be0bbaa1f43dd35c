"""Asking a model, against the emulator with a set latency: `python -m benchmarks.predictions [speed] [quota]`.

speed: 1,000 predictions at 500 ms and concurrency 100, beside the tutorial's loop, which asks one after the other with
google-genai (20 of them are asked, and the time is multiplied).
quota: 50 requests a second, 429 beyond: what is answered and what is refused after the first 20 s.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.emulating import emulator
from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.experiment import Evaluation

_MODEL = "gemini-2.5-flash"
_PREDICTIONS = 1000
_SEQUENTIAL = 20
_LATENCY = 0.5
_CONCURRENCY = 100
_QUOTA = 50
_QUOTA_SECONDS = 70
_SETTLED_SECONDS = 20


def examples(number: int) -> list[Example]:
    """Returns so many short prompts."""
    records = [{"contents": [turn("user", f"Water boils. It is {n}."), turn("model", "a")]} for n in range(number)]
    return [Example(f"e{n}", record, "f", n, ("a",)) for n, record in enumerate(records)]


def engine(number: int, journal: Path) -> tuple[Any, float]:
    """Asks with this project; returns the answers and seconds of CPU of this process."""
    from gemini_sft.inference import Journal, Service, predict, render

    settings = Evaluation(max_concurrency=_CONCURRENCY)
    calls = [render(one, _MODEL, settings) for one in examples(number)]
    cpu = time.process_time()
    answers = predict(Service("local-project", "us-central1", _MODEL), calls, settings, Journal(str(journal), "run"))
    return answers, time.process_time() - cpu


def sequential() -> float:
    """Asks as Google's notebooks do; returns seconds for each prediction."""
    from google import genai

    client = genai.Client(vertexai=True, project="local-project", location="us-central1")
    started = time.perf_counter()
    for one in examples(_SEQUENTIAL):
        client.models.generate_content(model=_MODEL, contents=one.prompt_text)
    return (time.perf_counter() - started) / _SEQUENTIAL


def speed() -> None:
    """Prints how fast 1,000 predictions are."""
    with emulator([{"path": "generateContent", "latency": _LATENCY}]), tempfile.TemporaryDirectory() as folder:
        engine(10, Path(folder) / "warm-up")
        answers, cpu = engine(_PREDICTIONS, Path(folder) / "journal")
        one = sequential()
    seconds = answers.traffic.seconds
    ideal = _CONCURRENCY / _LATENCY
    print(f"{_PREDICTIONS:,} predictions at {_LATENCY * 1000:.0f} ms, concurrency {_CONCURRENCY}: {seconds:.1f} s")
    print(f"  {_PREDICTIONS * one / seconds:.0f} times as fast as one after the other (bound 50)")
    print(f"  {_PREDICTIONS / seconds:.0f} a second, {_PREDICTIONS / seconds / ideal:.0%} of {ideal:.0f} (bound 60 %)")
    print(f"  {cpu / _PREDICTIONS * 1000:.1f} ms of CPU a request, all in this process")


def quota() -> None:
    """Prints what becomes of a fixed quota."""
    rules = [{"path": "generateContent", "latency": _LATENCY, "quota": _QUOTA}]
    with emulator(rules), tempfile.TemporaryDirectory() as folder:
        settled = _settled(Path(folder))
    answered, refused, seconds = settled
    rate = answered / seconds
    print(f"quota of {_QUOTA} a second at {_LATENCY * 1000:.0f} ms, after {_SETTLED_SECONDS} s:")
    print(f"  {rate:.1f} answered a second, {rate / _QUOTA:.0%} (bound 85 %)")
    print(f"  {refused / (answered + refused):.1%} of requests refused (bound 5 %)")


def _settled(folder: Path) -> tuple[int, int, float]:
    """Returns answers, refusals and seconds from when it has settled to when the work begins to run out."""
    from gemini_sft.inference.limiter import Limiter

    events: list[tuple[float, bool]] = []
    for name, good in (("answered", True), ("refused", False)):
        _record(Limiter, name, good, events)
    started = time.monotonic()
    engine(_QUOTA * _QUOTA_SECONDS, folder / "journal")
    end = max(at for at, _ in events) - 2
    kept = [good for at, good in events if started + _SETTLED_SECONDS <= at <= end]
    return kept.count(True), kept.count(False), end - started - _SETTLED_SECONDS


def _record(cls: Any, name: str, good: bool, events: list[tuple[float, bool]]) -> None:
    inner = getattr(cls, name)

    def outer(self: Any, *arguments: Any) -> Any:
        events.append((time.monotonic(), good))
        return inner(self, *arguments)

    setattr(cls, name, outer)


if __name__ == "__main__":
    for part in sys.argv[1:] or ("speed", "quota"):
        {"speed": speed, "quota": quota}[part]()
