"""Waiting for a job's end: every state, every answer, the deadline, the run's own end."""

import dataclasses
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.genai.types import JobState, TuningJob
from starlette.responses import Response

from gemini_sft import telling
from gemini_sft.errors import ServiceError, TuningError
from gemini_sft.tuning import following, service, states, tune
from gemini_sft.vertex import genai_client
from tests.unit.gemini_sft.tuning.tuner import NAME, TUNED, Answer, Clock, Tuner, page, refusal, request

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")


def hang() -> Response:
    time.sleep(0.5)
    return Response("")


def cut() -> Response:
    return Response('{"name": "proj', 200, media_type="application/json")


@pytest.mark.parametrize(
    "answers",
    [
        [refusal(401, "UNAUTHENTICATED")],
        [refusal(404, "NOT_FOUND")] * 3,
        [refusal(429, "RESOURCE_EXHAUSTED")] * 3,
        [refusal(500, "INTERNAL"), refusal(502), refusal(503, "UNAVAILABLE"), refusal(504)],
        [refusal(503, "RESOURCE_EXHAUSTED")],
        [page(502), page(200), page(404)],
        [cut],
    ],
    ids=["401", "404", "429", "5xx", "503-quota", "html", "cut"],
)
def test_no_answer_on_the_way_loses_the_job(tuner: Tuner, answers: list[Answer]) -> None:
    tuner.answers = [*answers, *answers]
    assert tune(request()).job == NAME
    assert tuner.answers == [] and tuner.cancelled == [] and len(tuner.posted) == 1


def test_an_answer_that_hangs_is_given_up(tuner: Tuner, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = genai_client
    monkeypatch.setattr(service, "genai_client", lambda *given, **named: inner(*given, **named, timeout_seconds=0.1))
    tuner.answers = [hang, hang]
    assert tune(request()).job == NAME
    assert tuner.answers == []


def test_half_an_hour_without_a_word_ends_the_step_and_not_the_job(tuner: Tuner, clock: Clock) -> None:
    tuner.answers = [refusal(503, "UNAVAILABLE", "down")] * 1000
    with pytest.raises(ServiceError, match=r"Vertex AI did not say how the tuning job is: .*down"):
        tune(request())
    assert tuner.cancelled == [], "another attempt goes on with it"
    assert service.UNHEARD_SECONDS <= clock.monotonic() < service.UNHEARD_SECONDS + 120


def test_what_is_refused_for_good_ends_the_step_and_not_the_job(tuner: Tuner) -> None:
    tuner.answers = [refusal(403, "PERMISSION_DENIED", "not any more")]
    with pytest.raises(ServiceError, match="not any more"):
        tune(request())
    assert tuner.cancelled == [] and tuner.looks == 1


def test_it_is_asked_every_ten_to_thirty_seconds_and_more_often_at_first(tuner: Tuner, clock: Clock) -> None:
    tuner.states = ["JOB_STATE_RUNNING"] * 200 + ["JOB_STATE_SUCCEEDED"]
    tune(request())
    at, pauses = 0.0, []
    for pause in clock.slept:
        pauses.append((at, pause))
        at += pause
    assert all(10 <= pause <= 30 for since, pause in pauses if since > 30)
    assert clock.slept[0] < 1, "what fails at once is seen at once"
    assert len([since for since, _ in pauses if since < 30]) < 16


def test_a_job_that_takes_too_long_is_cancelled(tuner: Tuner, clock: Clock) -> None:
    tuner.states = ["JOB_STATE_RUNNING"]
    with pytest.raises(TuningError) as caught:
        tune(request(timeout_minutes=60))
    assert str(caught.value) == (
        f"tuning job {NAME} was cancelled: not done after 60 minutes (tuning.timeout_minutes); at last it runs"
    )
    assert tuner.cancelled == [NAME]
    assert 3600 <= clock.monotonic() < 3600 + 31


def test_a_job_that_cannot_be_cancelled_is_named(tuner: Tuner) -> None:
    tuner.cancellations = [refusal(503, "UNAVAILABLE"), refusal(403, "PERMISSION_DENIED")]
    tuner.states = ["JOB_STATE_RUNNING"]
    with pytest.raises(TuningError, match="could not be cancelled: cancel it in the console: not done after 1 minutes"):
        tune(request(timeout_minutes=1))


def test_a_paused_job_is_cancelled_for_nothing_can_resume_it(tuner: Tuner) -> None:
    tuner.states[-1] = "JOB_STATE_PAUSED"
    with pytest.raises(TuningError, match="was cancelled: it was paused, and nothing can resume it"):
        tune(request())
    assert tuner.cancelled == [NAME]


@pytest.mark.filterwarnings("ignore:JOB_STATE_OF_TOMORROW is not a valid JobState")
@pytest.mark.parametrize("state", [*JobState, "JOB_STATE_OF_TOMORROW"])
def test_every_state_is_the_end_or_is_waited_out(tuner: Tuner, state: JobState | str) -> None:
    word = state.value if isinstance(state, JobState) else state
    tuner.states = [word]
    tuner.extra = {}
    with pytest.raises(TuningError):
        tune(request(timeout_minutes=1))
    ends = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"}
    assert (tuner.cancelled == []) is (word.removeprefix("JOB_STATE_") in ends)


def stats(count: int, *named: tuple[int, str]) -> dict[str, Any]:
    said = {
        "tuningDatasetExampleCount": "100",
        "totalTruncatedExampleCount": str(count),
        "truncatedExampleIndices": [str(index) for index, _ in named],
        "droppedExampleReasons": [reason for _, reason in named],
    }
    return {"tuningDataStats": {"supervisedTuningDataStats": said}}


def test_too_many_dropped_examples_end_the_job_while_it_runs(tuner: Tuner) -> None:
    tuner.states = ["JOB_STATE_PENDING", "JOB_STATE_RUNNING"]
    tuner.extra = stats(6, (5, "too long"), (9, "no model turn"))
    with pytest.raises(TuningError) as caught:
        tune(request())
    assert str(caught.value) == (
        f"tuning job {NAME} was cancelled: it left out 6 of 100 training examples, more than the 0.05 that"
        " tuning.max_dropped_rate allows; nothing was evaluated. Mend or remove them:\n"
        "  train.csv:6: too long\n  train.csv:10: no model turn\n  and 4 more that it does not name"
    )
    assert tuner.cancelled == [NAME]


def test_too_many_dropped_examples_of_a_job_that_has_ended(tuner: Tuner) -> None:
    tuner.states = ["JOB_STATE_SUCCEEDED"]
    tuner.extra |= stats(20, *((n, "bad") for n in range(1, 21)))
    with pytest.raises(TuningError) as caught:
        tune(request(max_dropped_rate=0.19))
    assert str(caught.value).endswith("train.csv:11: bad\n  and 10 more")
    assert tuner.cancelled == [], "there is nothing to cancel"


@pytest.mark.parametrize(("count", "allowed"), [(5, 0.05), (0, 0.0), (20, 0.2), (100, 1.0)])
def test_as_many_dropped_examples_as_are_allowed(tuner: Tuner, count: int, allowed: float) -> None:
    tuner.extra |= stats(count)
    assert tune(request(max_dropped_rate=allowed)).dropped.count == count


def job(**fields: Any) -> TuningJob:
    return TuningJob.model_validate(fields)


@pytest.mark.parametrize(
    ("state", "detail", "words"),
    [
        ("JOB_STATE_QUEUED", None, "waits in the queue"),
        ("JOB_STATE_PENDING", None, "waits to be started"),
        ("JOB_STATE_PENDING", "WAITING_FOR_QUOTA", "waits for quota: other tuning jobs of the project are running"),
        ("JOB_STATE_RUNNING", "PROCESSING_DATASET", "reads and checks the data"),
        ("JOB_STATE_RUNNING", "WAITING_FOR_CAPACITY", "waits for machines to tune on"),
        ("JOB_STATE_RUNNING", "POST_PROCESSING", "registers the model and makes its endpoints"),
        ("JOB_STATE_RUNNING", None, "runs"),
        ("JOB_STATE_RUNNING", "TUNING", "tunes: epoch 1, step 0"),
        ("JOB_STATE_UPDATING", "TUNING", "is being changed, and goes on after that"),
        ("JOB_STATE_CANCELLING", None, "is being cancelled"),
        ("JOB_STATE_UNSPECIFIED", None, "is in the state JOB_STATE_UNSPECIFIED"),
    ],
)
def test_what_a_job_waits_for(state: str, detail: str | None, words: str) -> None:
    found = job(state=state, tuning_job_state=detail and f"TUNING_JOB_STATE_{detail}")
    assert states.Pace().words(found).removeprefix("tunes: ") == words.removeprefix("tunes: ")


def test_how_far_a_job_is_and_how_long_it_will_take(clock: Clock) -> None:
    pace = states.Pace()

    def said(epochs: int, steps: int) -> str:
        return pace.words(
            job(
                state="JOB_STATE_RUNNING",
                tuning_job_state="TUNING_JOB_STATE_TUNING",
                tuning_job_metadata={"completed_epoch_count": epochs, "completed_step_count": steps},
                tuning_data_stats={"supervised_tuning_data_stats": {"tuning_step_count": 1200}},
                supervised_tuning_spec={"hyper_parameters": {"epoch_count": 3}},
            )
        )

    assert said(0, 100) == "tunes: epoch 1 of 3, step 100 of 1,200"
    clock.sleep(60)
    assert said(1, 400) == "tunes: epoch 2 of 3, step 400 of 1,200, about 3 min left"
    clock.sleep(160)
    assert said(3, 1200) == "tunes: epoch 3 of 3, step 1,200 of 1,200"


def test_the_log_and_the_follower_are_told(
    tuner: Tuner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(following, "_tell", lambda request, line, pause: told.append(line))
    tuner.states = [*["JOB_STATE_PENDING"] * 3, *["JOB_STATE_RUNNING"] * 50, "JOB_STATE_SUCCEEDED"]
    with caplog.at_level(logging.INFO, "gemini_sft.tuning"):
        tune(request())
    said = [one.message for one in caplog.records]
    assert said[:3] == [
        f"tuning job {NAME} is made",
        f"tuning job {NAME} waits to be started",
        f"tuning job {NAME} runs",
    ]
    assert 3 < len(said) < 12, "again now and then, not at every look"
    assert told[0] == "waits to be started" and len(told) == 53


def test_the_line_for_the_follower_goes_when_the_job_has_ended(
    tuner: Tuner, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    inner: Callable[..., None] = telling.tell

    def tell(uri: str, line: str, fresh: float) -> None:
        inner(uri, line, fresh)
        seen.extend(telling.lines(str(tmp_path)))

    monkeypatch.setattr(following, "tell", tell)
    wish = dataclasses.replace(request(), trial="epochs=2", progress_uri=str(tmp_path / "tuning.json"))
    tune(wish)
    assert seen[0] == "tuning job epochs=2 waits to be started"
    assert telling.lines(str(tmp_path)) == []


@pytest.mark.parametrize("where", ["create", "get"])
def test_cancelling_the_run_cancels_the_job(tuner: Tuner, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    tuner.states = ["JOB_STATE_RUNNING"]
    if where == "get":
        monkeypatch.setattr(states.Pace, "words", interrupt)
    else:
        monkeypatch.setattr("gemini_sft.tuning.making._let_it_show", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tune(request())
    assert NAME in tuner.cancelled


def test_success_is_seen_whatever_it_lacks(tuner: Tuner) -> None:
    tuner.extra = {"tunedModel": {name: TUNED[name] for name in ("model", "endpoint")}}
    record = tune(request())
    assert (record.checkpoints, record.experiment, record.steps, record.seconds) == ([], "", 0, 0.0)


RUN = "/v1/projects/p/locations/us-central1/pipelineJobs/run-0".removeprefix("/v1/")


@pytest.mark.parametrize(
    ("state", "ended"), [("RUNNING", False), ("PENDING", False), ("FAILED", True), ("CANCELLED", True), (None, True)]
)
def test_a_job_of_another_run_is_ended_only_when_that_run_is_over(
    tuner: Tuner, monkeypatch: pytest.MonkeyPatch, state: str | None, ended: bool
) -> None:
    """`None`: Vertex AI knows of no such run."""
    mine = request(timeout_minutes=1)
    labels = {"run": "run-0", "intent": mine.intent}
    tuner.there = [{"name": NAME, "state": "JOB_STATE_RUNNING", "labels": labels}]
    tuner.states, tuner.extra = ["JOB_STATE_RUNNING"], {"labels": labels}
    tuner.resources = {RUN: {"state": f"PIPELINE_STATE_{state}"}}
    tuner.gone = set() if state else {RUN}
    with pytest.raises(TuningError, match="was cancelled" if ended else "goes on for run run-0, which has made it"):
        tune(mine)
    assert tuner.cancelled == ([NAME] if ended else []) and tuner.posted == []


def test_the_time_of_a_job_is_counted_from_its_making_by_the_run_that_made_it(tuner: Tuner, clock: Clock) -> None:
    begun = (datetime.now(UTC) - timedelta(minutes=40)).isoformat().replace("+00:00", "Z")
    tuner.states = ["JOB_STATE_RUNNING"]
    tuner.extra = {"createTime": begun}
    with pytest.raises(TuningError, match="not done after 60 minutes"):
        tune(request(timeout_minutes=60))
    assert 19 * 60 < clock.monotonic() < 21 * 60


def test_what_is_said_of_the_job_of_a_trial_names_the_trial(tuner: Tuner) -> None:
    tuner.states, tuner.extra = ["JOB_STATE_FAILED"], {}
    with pytest.raises(TuningError) as caught:
        tune(dataclasses.replace(request(), trial="epochs=2"))
    assert str(caught.value).startswith(f"the tuning job of epochs=2, {NAME} ended as FAILED")
    assert "what other trials have tuned is kept, and a new run adopts it" in str(caught.value)
