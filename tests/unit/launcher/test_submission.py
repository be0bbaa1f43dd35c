import re
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, ServiceUnavailable
from google.auth.exceptions import DefaultCredentialsError
from requests import ConnectionError as NoConnection

from gemini_sft.errors import GeminiSftError, ServiceError, UserError
from launcher.submission import RunView, _plain, _time, api_errors, new_run_id


def refusal(kind: Any, message: str) -> Exception:
    error: Exception = kind(message)
    return error


@pytest.mark.parametrize("name", ["a", "a" * 40, "support-replies-2"])
def test_a_run_is_named_after_its_experiment_and_time(name: str) -> None:
    """The name is also a job id, a display name and the value of a label: the strictest rule of the three holds."""
    before = datetime.now(UTC).replace(microsecond=0)
    ids = [new_run_id(name) for _ in range(20)]
    after = datetime.now(UTC)
    assert len({*ids}) > 15, "runs of the same second have different names"
    for id_ in ids:
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,62}", id_)
        stamp = re.fullmatch(re.escape(name) + r"-(\d{8}-\d{6})-[0-9a-f]{4}", id_)
        assert stamp and before <= datetime.strptime(f"{stamp[1]}+0000", "%Y%m%d-%H%M%S%z") <= after


@pytest.mark.parametrize(
    ("state", "ended", "succeeded"),
    [
        ("SUCCEEDED", True, True),
        ("FAILED", True, False),
        ("CANCELLED", True, False),
        ("CANCELLING", False, False),
        ("RUNNING", False, False),
        ("PENDING", False, False),
        ("QUEUED", False, False),
        ("PAUSED", False, False),
        ("UNSPECIFIED", False, False),
    ],
)
def test_when_a_run_is_over(state: str, ended: bool, succeeded: bool) -> None:
    view = RunView(state, "", ())
    assert (view.ended, view.succeeded) == (ended, succeeded)


def test_a_time_that_is_not_set_is_none() -> None:
    now = datetime.now(UTC)
    assert (_time(now), _time(datetime.fromtimestamp(0, UTC)), _time(None)) == (now, None, None)


def test_colours_are_no_part_of_a_message() -> None:
    assert _plain(" \x1b[91mFAILURE\x1b[0m: \x1b[1;31mno\x1b[0m \n") == "FAILURE: no"


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (refusal(BadRequest, "unknown field"), UserError, "Google refused to try: unknown field"),
        (refusal(Forbidden, "no right"), UserError, "Google refused to try: no right"),
        (refusal(ServiceUnavailable, "later"), ServiceError, "Google did not try: later"),
        (NoConnection("gone"), ServiceError, "Google did not try: gone"),
        (
            DefaultCredentialsError("none"),
            UserError,
            "no Google credentials: run `gcloud auth application-default login` (none)",
        ),
    ],
)
def test_errors_of_the_sdk_become_ours(error: Exception, kind: type[GeminiSftError], message: str) -> None:
    with pytest.raises(kind) as caught, api_errors("try"):
        raise error
    assert str(caught.value) == message and caught.value.__cause__ is error


def test_a_defect_stays_a_defect() -> None:
    with pytest.raises(KeyError), api_errors("try"):
        raise KeyError("x")
