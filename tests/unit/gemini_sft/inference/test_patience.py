"""How long is waited for what: room, a cold endpoint, a new token, the end of the stage."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from starlette.responses import JSONResponse, Response

from gemini_sft.errors import UserError
from gemini_sft.inference import Outcome, online
from gemini_sft.inference.retry import retry_after
from tests.unit.gemini_sft.inference.fake_gemini import ENDPOINT, Gemini, answered, ask, asked, examples, refused

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


def no_room(after: str | None = None, code: int = 429) -> Response:
    headers = {} if after is None else {"Retry-After": after}
    return JSONResponse({"error": {"code": code, "status": "RESOURCE_EXHAUSTED", "message": "m"}}, code, headers)


def in_seconds(seconds: float) -> str:
    # A date has no fractions of seconds: this one is at least so far away.
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds + 0.999), usegmt=True)


@pytest.mark.parametrize("after", [lambda: "1", lambda: in_seconds(1)], ids=["seconds", "date"])
def test_retry_after_is_honoured(gemini: Gemini, after: Callable[[], str]) -> None:
    sent: list[float] = []

    async def once(question: str, attempt: int) -> Response:
        sent.append(time.monotonic())
        return no_room(after()) if attempt == 1 else answered("a")

    gemini.answer = once
    (reply,) = asked(examples(1)).replies
    assert (reply.prediction.outcome, reply.requests, reply.refusals) == (Outcome.ANSWERED, 2, 1)
    assert 1 <= sent[1] - sent[0] < 4


def test_what_retry_after_can_say() -> None:
    def said(value: str) -> float | None:
        return retry_after({"Retry-After": value})

    assert said("120") == 120 and said("0") == 0
    assert said("Wed, 21 Oct 2015 07:28:00 GMT") == 0, "in the past"
    assert said(in_seconds(100)) == pytest.approx(100, abs=2)
    assert [said(value) for value in ("", "soon", "-1", "1.5", "١")] == [None] * 5
    assert retry_after({}) is None


@pytest.mark.parametrize("code", [429, 503])
def test_a_storm_of_refusals_is_sat_out(gemini: Gemini, code: int) -> None:
    async def nobody_for_a_while(question: str, attempt: int) -> Response:
        return answered("a") if gemini.asked.total() > 200 else no_room(code=code)

    gemini.answer = nobody_for_a_while
    answers = asked(examples(20), max_concurrency=20)
    assert [one.outcome for one in answers.predictions] == [Outcome.ANSWERED] * 20
    assert answers.traffic.refusals == 200 and answers.traffic.requests == 220


def test_thousands_of_refusals_are_refusals_and_no_crash(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_FIRST_PAUSE_SECONDS", 0.0)

    async def nobody_for_a_while(question: str, attempt: int) -> Response:
        return answered("a") if attempt > 1200 else no_room("0")

    gemini.answer = nobody_for_a_while
    (reply,) = asked(examples(1)).replies
    assert (reply.prediction.outcome, reply.refusals) == (Outcome.ANSWERED, 1200)


def test_a_token_server_that_stumbles_is_asked_again(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth.compute_engine import Credentials
    from google.auth.exceptions import RefreshError

    refresh, stumbles = Credentials.refresh, iter(range(2))

    def stumbling(self: Credentials, request: object) -> None:
        if next(stumbles, None) is not None:
            raise RefreshError("not now", retryable=True)
        refresh(self, request)

    monkeypatch.setattr(Credentials, "refresh", stumbling)
    assert {one.outcome for one in ask(3)} == {Outcome.ANSWERED}


def test_no_room_for_too_long_ends_in_errors(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_PATIENCE_SECONDS", 0.3)

    async def never(question: str, attempt: int) -> Response:
        return no_room()

    gemini.answer = never
    predictions = ask(5)
    assert {(one.outcome, one.error.partition(".")[0]) for one in predictions} == {
        (Outcome.ERROR, "ClientError: 429 RESOURCE_EXHAUSTED")
    }


@pytest.mark.parametrize(("code", "status"), [(404, "NOT_FOUND"), (503, "UNAVAILABLE")])
def test_a_new_endpoint_is_waited_for_with_one_request_at_a_time(gemini: Gemini, code: int, status: str) -> None:
    async def cold(question: str, attempt: int) -> Response:
        return refused(code, status) if gemini.asked.total() <= 15 else answered("a")

    gemini.answer = cold
    answers = asked(examples(30), model=ENDPOINT)
    assert {one.outcome for one in answers.predictions} == {Outcome.ANSWERED}
    assert gemini.asked["q0"] == 16 and answers.traffic.requests == 45


def test_an_endpoint_that_stays_cold_is_given_up(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "COLD_SECONDS", 0.2)

    async def never(question: str, attempt: int) -> Response:
        return refused(404, "NOT_FOUND")

    gemini.answer = never
    predictions = asked(examples(5), model=ENDPOINT, max_errors=0).predictions
    assert predictions[0].error.startswith("ClientError: 404 NOT_FOUND")
    assert {one.error for one in predictions[1:]} == {"not asked after 1 others had ended in errors"}
    assert set(gemini.asked) == {"q0"}


def test_an_endpoint_that_has_answered_is_not_cold(gemini: Gemini) -> None:
    async def gone(question: str, attempt: int) -> Response:
        return answered("a") if question == "q0" else refused(404, "NOT_FOUND")

    gemini.answer = gone
    ask(3, model=ENDPOINT)
    assert gemini.asked == {"q0": 1, "q1": 1, "q2": 1}


def test_a_token_that_has_expired_is_renewed_once_for_all(gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth.compute_engine import Credentials

    fetched: list[float] = []
    refresh = Credentials.refresh

    def counted(self: Credentials, request: object) -> None:
        fetched.append(time.monotonic())
        refresh(self, request)

    monkeypatch.setattr(Credentials, "refresh", counted)

    async def expired(question: str, attempt: int) -> Response:
        return refused(401, "UNAUTHENTICATED") if attempt == 1 else answered("a")

    gemini.answer = expired
    replies = asked(examples(10)).replies
    assert {(one.prediction.outcome, one.requests) for one in replies} == {(Outcome.ANSWERED, 2)}
    assert len(fetched) == 2, "the first token, and another"


def test_credentials_that_are_refused_are_not_shown_for_ever(gemini: Gemini) -> None:
    async def refuse(question: str, attempt: int) -> Response:
        return refused(401, "UNAUTHENTICATED")

    gemini.answer = refuse
    (reply,) = asked(examples(1)).replies
    assert (reply.prediction.outcome, reply.requests) == (Outcome.ERROR, 2)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth.exceptions import DefaultCredentialsError

    def none(scopes: list[str]) -> None:
        raise DefaultCredentialsError("nowhere")

    monkeypatch.setattr("google.auth.default", none)
    with pytest.raises(UserError, match="gcloud auth application-default login"):
        ask(1)


def test_the_stage_ends_and_every_example_is_accounted_for(gemini: Gemini) -> None:
    async def only_the_first(question: str, attempt: int) -> Response:
        await asyncio.sleep(0 if question == "q0" else 5)
        return answered("a")

    gemini.answer = only_the_first
    started = time.monotonic()
    first, *others = ask(40, timeout_minutes=0.02, max_concurrency=4)
    assert time.monotonic() - started < 4
    assert first.outcome is Outcome.ANSWERED
    assert {one.error for one in others} == {"not answered within the 0.02 minutes of evaluation.timeout_minutes"}
    assert [one.example_id for one in others] == [f"e{number}" for number in range(1, 40)]


def test_nothing_else_is_paid_for_when_all_is_lost(gemini: Gemini) -> None:
    async def refuse(question: str, attempt: int) -> Response:
        return refused(403, "PERMISSION_DENIED")

    gemini.answer = refuse
    predictions = asked(examples(50), max_concurrency=2, max_errors=4).predictions
    assert 5 <= gemini.asked.total() <= 6 and len(predictions) == 50
    many = asked(examples(400), max_concurrency=300, max_errors=0).predictions
    assert gemini.asked.total() <= 6 + 20 and len(many) == 400, "only what was under way already"
    assert {one.outcome for one in predictions} == {Outcome.ERROR}
    assert predictions[-1].error.startswith("not asked after ")
