"""A run in Vertex AI Experiments, as google-cloud-aiplatform reads it back."""

import logging
import math
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform.metadata.context import Context
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gemini_sft import storage, vertex
from gemini_sft.release import writing
from gemini_sft.steps.log_evaluation import log_evaluation, metrics, run_name
from tests.contract.conftest import Server
from tests.unit.gemini_sft.report.sample import sample_input, sample_quote, sample_record
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen
from vertex_emulator.environment import LOCATION, PROJECT

Log = Callable[..., None]
PLACE = "metadataStores/default/contexts"


@pytest.fixture(scope="module")
def comparison() -> Any:
    return sample_input().comparison


@pytest.fixture
def name() -> str:
    """Of an experiment that no other test has."""
    return f"tickets-{secrets.token_hex(4)}"


@pytest.fixture
def log(server: Server, tmp_path: Path, name: str, comparison: Any) -> Log:
    """Logs a run of it, whose endpoint has labels."""
    endpoint = aiplatform.Endpoint.create(display_name=name, labels={"data": "d4ta", "prompt": "0123456789abcdef"})
    taken = candidate(2, 0.41, endpoint=endpoint.resource_name)
    files: dict[str, Any] = {
        "experiment": {
            "name": name,
            "task": "summarization",
            "base_model": "gemini-2.5-flash",
            "data": {"train": "t.csv"},
        },
        "comparison": comparison.model_dump(mode="json"),
        "tuning": sample_record().model_dump(mode="json"),
        "selection": chosen([taken]).model_dump(mode="json"),
        "quote": sample_quote().model_dump(mode="json"),
    }

    def write(run_id: str = f"{name}-20261126-1", **changes: Any) -> None:
        for file, document in (files | changes).items():
            storage.write_json(f"{tmp_path}/{file}", document)
        uris = {f"{file}_uri": f"{tmp_path}/{file}" for file in files}
        log_evaluation(project=PROJECT, location=LOCATION, run_id=run_id, **uris)

    return write


@pytest.fixture
def trouble(server: Server) -> Iterator[Any]:
    yield lambda *rules: server.http.put("/emulator/faults", json=list(rules)).raise_for_status()
    server.http.put("/emulator/faults", json=[])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What meets trouble gives up soon."""
    monkeypatch.setattr(vertex, "_ATTEMPTS", 1)
    monkeypatch.setattr(writing, "PAUSES", (0.0,) * len(writing.PAUSES))


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aiplatform.get_experiment_df(f"gemini-sft-{name}").to_dict("records")
    return found


def test_the_sdk_reads_what_was_logged_however_often(log: Log, name: str, comparison: Any) -> None:
    boards = len(aiplatform.Tensorboard.list())
    log()
    (row,) = rows(name)
    assert (row["run_name"], row["state"]) == (f"{name}-20261126-1", "COMPLETE")
    assert {key.removeprefix("param."): value for key, value in row.items() if key.startswith("param.")} == {
        "base_model": "gemini-2.5-flash-lite",
        "epochs": 3,
        "adapter_size": "ADAPTER_SIZE_FOUR",
        "learning_rate_multiplier": 1.0,
        "checkpoint": "2",
        "tuned_model": "projects/482915530187/locations/us-central1/models/2718281828459045235@1",
        "data": "d4ta",
        "prompt": "0123456789abcdef",
        "test_examples": 60,
        "primary_metric": "rougeL_f",
        "verdict": comparison.verdict.value,
    }
    logged = {key.removeprefix("metric."): value for key, value in row.items() if key.startswith("metric.")}
    assert logged == pytest.approx(metrics(comparison, sample_quote()))
    assert logged["difference"] == pytest.approx(logged["candidate_rougeL_f"] - logged["base_rougeL_f"])
    assert logged["difference_low"] < logged["difference"] < logged["difference_high"]
    assert (logged["base_failures"], logged["candidate_failures"]) == (
        comparison.base.failures,
        comparison.candidate.failures,
    )
    assert logged["quoted_usd"] == 0.9
    log()
    assert rows(name) == [row]
    assert len(aiplatform.Tensorboard.list()) == boards


def test_runs_stand_side_by_side(log: Log, name: str) -> None:
    log()
    log(f"{name}-20261126-2", quote=sample_quote().model_copy(update={"usd": None}).model_dump(mode="json"))
    found = {row["run_name"][-1]: row["metric.quoted_usd"] for row in rows(name)}
    assert found["1"] == 0.9 and math.isnan(found["2"])


@pytest.mark.parametrize("path", [f"{PLACE}$", "addContextChildren", f"{PLACE}/.*-1$"])
@pytest.mark.parametrize("served", [False, True])
def test_another_attempt_finishes_what_one_has_begun(
    log: Log, name: str, trouble: Any, impatient: None, caplog: pytest.LogCaptureFixture, path: str, served: bool
) -> None:
    """Whichever call it is whose answer never came, whether or not it was served."""
    run = f"{name}-20261126-1"
    if path.endswith("-1$"):  # one that made the run and wrote nothing into it
        aiplatform.ExperimentRun.create(run, experiment=aiplatform.Experiment.create(f"gemini-sft-{name}"))
        assert rows(name)[0]["state"] == "RUNNING"
    trouble(*({"path": path, "method": method, "status": 500, "served": served} for method in ("POST", "PATCH")))
    log()
    trouble()
    # What was made all the same is found.
    assert ("the run is not in Vertex AI Experiments" in caplog.text) is not (served and path.endswith("contexts$"))
    log()
    (row,) = rows(name)
    assert (row["state"], row["param.checkpoint"], row["metric.quoted_usd"]) == ("COMPLETE", "2", 0.9)


def test_a_lost_answer_is_no_lost_run(log: Log, name: str, trouble: Any, impatient: None) -> None:
    trouble({"path": PLACE, "method": "POST", "status": 500, "served": True, "times": 3})
    log()
    assert [row["state"] for row in rows(name)] == ["COMPLETE"]


def test_a_name_that_something_else_has_is_a_warning(log: Log, name: str, caplog: pytest.LogCaptureFixture) -> None:
    Context.create("system.Pipeline", resource_id=f"gemini-sft-{name}")
    log()
    assert f"/contexts/gemini-sft-{name} is a system.Pipeline, and not a system.Experiment" in caplog.text


@pytest.mark.parametrize("status", [403, 500])
def test_a_service_that_refuses_is_a_warning(
    log: Log, trouble: Any, impatient: None, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    trouble({"path": "metadataStores", "status": status, "message": "no room"})
    with caplog.at_level(logging.WARNING, "gemini_sft"):
        log()
    (message,) = [one.getMessage() for one in caplog.records if one.name.startswith("gemini_sft")]
    assert message.startswith("the run is not in Vertex AI Experiments: ")
    assert f"{status}" in message and "no room" in message


def test_so_is_one_that_cannot_be_reached(
    log: Log, impatient: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("VERTEX_API_ENDPOINT", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING, "gemini_sft"):
        log()
    assert "the run is not in Vertex AI Experiments: UnansweredError: http://127.0.0.1:9" in caplog.text


def test_a_file_that_is_none_of_ours_is_no_warning(log: Log) -> None:
    with pytest.raises(ValidationError):
        log(selection={"by": "moon"})


def test_an_endpoint_that_is_gone_leaves_its_labels_out(log: Log, name: str) -> None:
    log(selection=chosen([candidate(2, 0.41)]).model_dump(mode="json"))
    (row,) = rows(name)
    assert "param.data" not in row and row["param.checkpoint"] == "2"


def test_numbers_that_are_none_are_left_out(comparison: Any) -> None:
    base = comparison.base.model_copy(update={"metrics": comparison.base.metrics | {"own": math.nan}})
    found = metrics(comparison.model_copy(update={"base": base}), sample_quote())
    assert "base_own" not in found and "base_rougeL_f" in found


@given(st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True), st.text(max_size=300))
def test_any_run_has_a_name_that_vertex_takes(experiment: str, run_id: str) -> None:
    made = run_name(run_id, f"gemini-sft-{experiment}")
    assert len(f"gemini-sft-{experiment}-{made}") <= 128
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert run_name(f"{experiment}-20261126-141503-ab12", f"gemini-sft-{experiment}") == (
        f"{experiment}-20261126-141503-ab12"
    )
