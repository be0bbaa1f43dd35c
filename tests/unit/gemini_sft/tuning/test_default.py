"""Making a checkpoint the default one, with the real SDK."""

import logging
from collections.abc import Callable, Sequence

import pytest
from starlette.routing import BaseRoute

from gemini_sft.errors import ServiceError
from gemini_sft.tuning.default import set_default_checkpoint
from tests.unit.gemini_sft.tuning.registry import Defaults
from tests.unit.gemini_sft.tuning.tuner import Answer, Clock, page, refusal

MODEL = "projects/7/locations/europe-west4/models/3@2"


@pytest.fixture
def models(serve: Callable[[Sequence[BaseRoute]], str], clock: Clock) -> Defaults:
    fake = Defaults()
    serve(fake.routes())
    return fake


def test_it_is_set_on_the_version_and_nothing_else_is_changed(
    models: Defaults, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gemini_sft"):
        set_default_checkpoint("p", "us-central1", MODEL, "3")
    assert models.requests == [(MODEL, {"defaultCheckpointId": "3"})]
    assert clock.slept == [] and caplog.messages == [f"checkpoint 3 is the default one of {MODEL}"]


@pytest.mark.parametrize(
    "answers",
    [
        [refusal(429, "RESOURCE_EXHAUSTED")],
        [refusal(503, "UNAVAILABLE"), refusal(503, "RESOURCE_EXHAUSTED"), refusal(500, "INTERNAL")],
        [refusal(401, "UNAUTHENTICATED")],
        [page(502)],
    ],
    ids=["429", "5xx", "401", "html"],
)
def test_what_passes_is_waited_for(models: Defaults, clock: Clock, answers: list[Answer]) -> None:
    models.answers = [*answers]
    set_default_checkpoint("p", "us-central1", MODEL, "3")
    assert models.defaults == {MODEL: "3"}
    assert clock.slept == [1.0, 2.0, 4.0][: len(answers)]


@pytest.mark.parametrize(
    ("code", "status"), [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (400, "INVALID_ARGUMENT")]
)
def test_what_is_refused_for_good_is_not_asked_for_again(
    models: Defaults, clock: Clock, code: int, status: str
) -> None:
    models.answers = [refusal(code, status, "not you")]
    with pytest.raises(ServiceError) as caught:
        set_default_checkpoint("p", "us-central1", MODEL, "3")
    said = str(caught.value)
    assert said.startswith(f"checkpoint 3 could not be made the default one of {MODEL}: {code} {status}")
    assert "not you" in said
    assert len(models.requests) == 1 and clock.slept == []


def test_the_patience_ends(models: Defaults, clock: Clock) -> None:
    models.answers = [refusal(503, "UNAVAILABLE", "down")] * 99
    with pytest.raises(ServiceError, match=r"could not be made the default one of .*: 503 UNAVAILABLE.*down"):
        set_default_checkpoint("p", "us-central1", MODEL, "3")
    assert len(models.requests) == 6 and clock.monotonic() == 31
