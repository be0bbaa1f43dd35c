"""Each fault that the service can have, met by the engine with the real SDK: every example accounted for."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Answers, Journal, Prediction, Service, online, predict, render
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-2.5-flash"
COUNT = 40


@pytest.fixture(autouse=True)
def no_faults_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(online, "_FIRST_PAUSE_SECONDS", 0.02)
    yield
    server.http.put("/emulator/faults", json=[])


def meet(server: Server, journal: Path, *rules: dict[str, Any], **settings: Any) -> Answers:
    put = server.http.put("/emulator/faults", json=[{"path": "generateContent"} | rule for rule in rules])
    assert put.status_code == 200, put.text
    evaluation = Evaluation(max_output_tokens=40, **settings)
    records = [
        {"contents": [turn("user", f"Water boils at {n} degrees. It is hot."), turn("model", "a")]}
        for n in range(COUNT)
    ]
    calls = [render(Example(f"e{n}", one, "f", n, ("a",)), MODEL, evaluation) for n, one in enumerate(records)]
    answers = predict(Service(PROJECT, LOCATION, MODEL), calls, evaluation, Journal(str(journal), "run"))
    assert [one.example_id for one in answers.predictions] == [f"e{n}" for n in range(COUNT)]
    return answers


def outcomes(answers: Answers) -> dict[str, int]:
    return dict(Counter(one.outcome.value for one in answers.predictions))


PASSING = {
    "429": {"status": 429, "times": 20},
    "429 with Retry-After": {"status": 429, "retry_after": "1", "times": 3},
    "429 with a date": {"status": 429, "retry_after_date": 1, "times": 3},
    "a storm of 429": {"status": 429, "times": 150},
    "a quota": {"quota": 10},
    "503 for want of room": {"status": 503, "status_name": "RESOURCE_EXHAUSTED", "times": 20},
    "503": {"status": 503, "every": 3},
    "500": {"status": 500, "every": 3},
    "a page of a proxy": {"status": 502, "body": "html", "every": 3},
    "a page instead of JSON": {"body": "html", "every": 3},
    "a connection cut in the body": {"body": "cut", "every": 3},
    "JSON that ends early": {"body": "truncated", "every": 3},
    "an expired token": {"status": 401, "times": 1},
    "no answer at all": {"hang": True, "times": 2},
}


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Prediction]:
    """What is answered where there is no fault."""
    return meet(server, tmp_path_factory.mktemp("undisturbed")).predictions


@pytest.mark.parametrize("rule", PASSING.values(), ids=PASSING)
def test_what_passes_costs_nothing_but_requests(
    server: Server, tmp_path: Path, undisturbed: list[Prediction], rule: dict[str, Any]
) -> None:
    answers = meet(server, tmp_path, rule, request_timeout_seconds=1.0)
    assert answers.predictions == undisturbed
    assert answers.traffic.requests > COUNT


def test_all_of_them_together(
    server: Server, tmp_path: Path, undisturbed: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "_ATTEMPTS", 30)  # half of all requests fail: some do so many times
    rules = (
        {"status": 401, "times": 1},
        {"quota": 60},
        {"every": 4, "status": 503},
        {"every": 5, "body": "cut"},
        {"every": 7, "body": "html"},
        {"every": 11, "body": "truncated"},
        {"hang": True, "times": 1},
    )
    answers = meet(server, tmp_path, *rules, request_timeout_seconds=1.0)
    assert answers.predictions == undisturbed


WRONG = {
    "no_candidates": "empty",
    "safety": "blocked",
    "recitation": "blocked",
    "max_tokens": "truncated",
    "thinking": "empty",
    "malformed": "malformed",
    "other": "malformed",
    "empty": "empty",
}


@pytest.mark.parametrize(("answer", "outcome"), WRONG.items(), ids=WRONG)
def test_wrong_answers_have_their_outcomes(server: Server, tmp_path: Path, answer: str, outcome: str) -> None:
    answers = meet(server, tmp_path, {"answer": answer, "every": 4})
    assert outcomes(answers)[outcome] == COUNT // 4 and sum(outcomes(answers).values()) == COUNT
    assert answers.traffic.requests == COUNT, "an answer is an answer"


def test_a_blocked_prompt_says_so(server: Server, tmp_path: Path) -> None:
    rule = {"answer": "no_candidates", "block_reason": "SAFETY", "every": 4}
    answers = meet(server, tmp_path, rule)
    assert outcomes(answers)["blocked"] == COUNT // 4
    assert {one.finish_reason for one in answers.predictions if one.outcome == "blocked"} == {"SAFETY"}


@pytest.mark.parametrize("status", [400, 403])
def test_what_is_refused_is_asked_once_and_harms_no_other(server: Server, tmp_path: Path, status: int) -> None:
    answers = meet(server, tmp_path, {"status": status, "every": 4, "message": "told you"})
    assert outcomes(answers)["error"] == COUNT // 4 and answers.traffic.requests == COUNT
    (again,) = {one.error for one in answers.predictions if one.outcome == "error"}
    assert "told you" in again
