"""The sum of all requests for one model, each number of the right examples."""

import pytest

from gemini_sft.inference.prediction import Outcome, Prediction, Reply
from gemini_sft.inference.traffic import traffic


def reply(seconds: float | None = 1.0, requests: int = 1, refusals: int = 0, tokens: int = 0) -> Reply:
    prediction = Prediction(
        example_id="e",
        outcome=Outcome.ANSWERED if requests else Outcome.ERROR,
        prompt_tokens=3 * tokens,
        output_tokens=tokens,
        thought_tokens=tokens,
    )
    return Reply(prediction=prediction, seconds=seconds, requests=requests, refusals=refusals)


@pytest.mark.parametrize(
    ("seconds", "median", "p95"),
    [
        ([7], 7, 7),
        ([100, 1], 50.5, 100),
        (range(1, 20), 10, 19),
        (range(20, 0, -1), 10.5, 19),
        (range(1, 22), 11, 20),
        (range(1, 101), 50.5, 95),
    ],
)
def test_latencies(seconds: list[float], median: float, p95: float) -> None:
    """Of twenty, nineteen are 95 %; of fewer, all are needed."""
    made = traffic([reply(one) for one in seconds], kept=0, seconds=1)
    assert (made.latency_median, made.latency_p95) == (median, p95)


def test_latencies_that_nobody_measured_are_left_out() -> None:
    made = traffic([reply(None), reply(2)], kept=0, seconds=1)
    assert (made.latency_median, made.latency_p95) == (2, 2)
    assert traffic([reply(None)], kept=0, seconds=1).latency_p95 is None


def test_the_pace_is_that_of_what_was_sent() -> None:
    """Two were kept, four asked, and four given up without having been asked."""
    replies = [reply()] * 2 + [reply(requests=3, refusals=1)] * 4 + [reply(None, requests=0)] * 4
    made = traffic(replies, kept=2, seconds=2)
    assert (made.examples, made.kept, made.per_second) == (10, 2, 2)
    assert (made.requests, made.refusals) == (14, 4)


@pytest.mark.parametrize(
    ("replies", "kept", "seconds"),
    [([], 0, 1), ([reply()] * 3, 3, 1), ([reply(), reply(None, requests=0)], 1, 1), ([reply()], 0, 0)],
)
def test_without_anything_sent_there_is_no_pace(replies: list[Reply], kept: int, seconds: float) -> None:
    made = traffic(replies, kept=kept, seconds=seconds)
    assert made.per_second is None and "per_second" not in made.summary()


def test_thoughts_are_output() -> None:
    made = traffic([reply(tokens=2), reply(tokens=5)], kept=0, seconds=1)
    assert (made.prompt_tokens, made.output_tokens) == (21, 14)
