import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, ServiceUnavailable
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.aiplatform import initializer
from google.cloud.aiplatform_v1.types import PipelineJob
from requests import ConnectionError as NoConnection

from gemini_sft.errors import GeminiSftError, ServiceError, UserError
from launcher.submission import Run, RunView, api_errors, new_run_id
from launcher.target import Target
from launcher.tasks import plain, time_of

GOLDEN = Path(__file__).parents[2] / "golden"


def refusal(kind: Any, message: str) -> Exception:
    error: Exception = kind(message)
    return error


@pytest.mark.parametrize("name", ["a", "a" * 40, "support-replies-2"])
def test_a_run_is_named_after_its_experiment_andtime_of(name: str) -> None:
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
    assert (time_of(now), time_of(datetime.fromtimestamp(0, UTC)), time_of(None)) == (now, None, None)


def test_colours_are_no_part_of_a_message() -> None:
    assert plain(" \x1b[91mFAILURE\x1b[0m: \x1b[1;31mno\x1b[0m \n") == "FAILURE: no"


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


class TestTasks:
    """As Vertex AI lists them: the pipeline itself, loops and their turns are tasks too, and parents of others."""

    @pytest.fixture(autouse=True)
    def account(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Somebody's credentials, with which nothing is sent, and which the SDK forgets again."""
        person = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "x") | {"type": "authorized_user"}
        (tmp_path / "account.json").write_text(json.dumps(person))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        monkeypatch.setenv("VERTEX_API_ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.setenv("VERTEX_API_TRANSPORT", "rest")
        yield
        initializer.global_config.__init__()

    @staticmethod
    def artifacts(pipeline: str, details: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Returns the tasks that a run has, in their order, each with the URI of its output."""
        target = Target("p", "us-central1", "some-bucket")
        parameters = {"project": "p", "location": "us-central1", "experiment_uri": "gs://b/x.yaml"}
        run = Run(GOLDEN / f"{pipeline}.yaml", "demo-1", target, parameters)
        run._job._gca_resource = PipelineJob(name="projects/p/x", job_detail={"task_details": details})
        return {name: outputs["out"] for name, outputs in run.artifacts().items()}

    @staticmethod
    def detail(number: int, name: str, parent: int = 0, second: int | None = None) -> dict[str, Any]:
        started = {} if second is None else {"start_time": datetime(2026, 11, 26, 12, 0, second, tzinfo=UTC)}
        outputs = {"out": {"artifacts": [{"uri": f"gs://b/{number}"}]}}
        return {"task_id": number, "task_name": name, "parent_task_id": parent, "outputs": outputs} | started

    def sweep(self) -> list[dict[str, Any]]:
        """Two trials, of which the second has begun first, and a third that waits."""
        turns = [
            (20, "for-loop-2-iteration-0", 3),
            (30, "for-loop-2-iteration-1", 2),
            (40, "for-loop-2-iteration-2", None),
        ]
        made = [
            self.detail(1, "demo-1", second=0),
            self.detail(2, "prepare-data", 1, 1),
            self.detail(3, "for-loop-2", 1, 2),
            self.detail(4, "select-trial", 1),
        ]
        for number, name, second in turns:
            made.append(self.detail(number, name, 3, second))
            made.append(self.detail(number + 1, "tune-model", number, second))
            made.append(self.detail(number + 2, "select-checkpoint", number, second and second + 10))
        return made

    def test_what_is_in_a_loop_is_numbered_and_the_loop_hidden(self) -> None:
        assert self.artifacts("sweep", self.sweep()) == {
            "prepare data": "gs://b/2",
            "tune model": "gs://b/31",
            "tune model (2)": "gs://b/21",
            "select checkpoint": "gs://b/32",
            "select checkpoint (2)": "gs://b/22",
            "select trial": "gs://b/4",
            "tune model (3)": "gs://b/41",
            "select checkpoint (3)": "gs://b/42",
        }

    def test_the_order_in_which_they_are_listed_changes_nothing(self) -> None:
        listed = self.sweep()
        expected = self.artifacts("sweep", listed)
        started = [one for one in listed if "start_time" in one]
        for seed in range(3):
            random.Random(seed).shuffle(started)
            shuffled = [*(one for one in listed if "start_time" not in one), *started]
            assert self.artifacts("sweep", shuffled).items() == expected.items()

    def test_loop_and_turns_in_which_nothing_is_yet_are_hidden_too(self) -> None:
        listed = [
            self.detail(1, "demo-1", second=0),
            self.detail(2, "list-trials", 1, 1),
            self.detail(3, "for-loop-2", 1, 2),
        ]
        assert self.artifacts("sweep", listed) == {"list trials": "gs://b/2"}
        listed += [self.detail(4, "for-loop-2-iteration-0", 3, 3), self.detail(5, "for-loop-2-iteration-1", 3)]
        assert self.artifacts("sweep", listed) == {"list trials": "gs://b/2"}

    def test_what_stands_in_a_loop_without_turns_is_there(self) -> None:
        listed = [self.detail(1, "for-loop-2", second=0), self.detail(2, "tune-model", 1, 1)]
        assert self.artifacts("sweep", listed) == {"tune model": "gs://b/2"}

    def test_without_a_loop_every_task_is_there_once(self) -> None:
        names = ("evaluate-model", "evaluate-model-2", "evaluate-model-4", "prepare-data")
        listed = [self.detail(n, name, 1, n) for n, name in enumerate(names, 2)]
        assert [*self.artifacts("finetune", [self.detail(1, "demo-1", second=0), *listed])] == [
            "evaluate base model", "evaluate base with examples", "evaluate tuned model", "prepare data",
        ]  # fmt: skip

    @pytest.mark.parametrize(("name", "shown"), [("tune model", "tune model"), ("unheard-of", "unheard-of")])
    def test_a_name_for_display_or_of_nobody_is_as_it_is(self, name: str, shown: str) -> None:
        """Which of its two names Vertex AI gives a task, it does not say."""
        assert [*self.artifacts("finetune", [self.detail(1, "demo-1", second=0), self.detail(2, name, 1, 1)])] == [
            shown
        ]
