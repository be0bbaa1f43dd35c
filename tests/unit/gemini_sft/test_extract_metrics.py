"""The step that reads the curves, on files and against a server."""

import logging
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.steps.extract_metrics import extract_metrics
from gemini_sft.tuning import Curves
from tests.unit.gemini_sft.report.sample import sample_quote, sample_record
from tests.unit.gemini_sft.tuning.test_curves import STORE, point, routes

ROOT = Path(__file__).parents[3]
EXPERIMENT = f"{STORE}/tuning-1"
TURNED = [point(60, 0.9), point(120, 0.42), point(180, 0.61)]

Serve = Callable[[Sequence[BaseRoute]], str]


@pytest.fixture
def uris(tmp_path: Path) -> dict[str, str]:
    uris = {f"{name}_uri": str(tmp_path / name) for name in ("tuning", "quote", "curves", "plot")}
    storage.write_json(uris["quote_uri"], sample_quote().model_dump(mode="json"))
    storage.write_json(uris["tuning_uri"], sample_record(experiment=EXPERIMENT).model_dump(mode="json"))
    return uris


def of_a_job_without_an_experiment(uris: dict[str, str]) -> None:
    storage.write_json(uris["tuning_uri"], sample_record(experiment="").model_dump(mode="json"))


def test_curves_and_over_fitting_become_metrics(uris: dict[str, str], serve: Serve) -> None:
    serve(routes(values={"timeSeriesData": [{"tensorboardTimeSeriesId": "2", "values": TURNED}]}))
    metrics = extract_metrics(**uris)
    wanted = {
        "final_validation_loss": 0.61,
        "best_validation_loss": 0.42,
        "overfits": 1,
        "best_validation_step": 120,
        "best_validation_epoch": 2,
        "steps": 180,
        "billed_tokens": 48_213,
    }
    assert {name: metrics[name] for name in wanted} == wanted
    assert Curves.model_validate(storage.read_json(uris["curves_uri"])).validation_loss
    assert "Over-fitting: validation loss was lowest" in storage.read_text(uris["plot_uri"])


def test_without_validation_nothing_is_said_of_over_fitting(uris: dict[str, str], serve: Serve) -> None:
    serve(routes(values={"timeSeriesData": [{"tensorboardTimeSeriesId": "1", "values": TURNED}]}))
    metrics = extract_metrics(**uris)
    assert metrics["final_train_loss"] == 0.61
    assert not {name for name in metrics if "validation" in name or name == "overfits"}


def test_a_loss_that_ran_away_leaves_only_finite_metrics(uris: dict[str, str], serve: Serve) -> None:
    values = [point(60, 0.9), {"step": "120", "scalar": {"value": "NaN"}}, {"scalar": {"value": "Infinity"}}]
    serve(routes(values={"timeSeriesData": [{"tensorboardTimeSeriesId": "2", "values": values}]}))
    metrics = extract_metrics(**uris)
    assert metrics["final_validation_loss"] == 0.9 and all(map(math.isfinite, metrics.values()))


def test_without_an_experiment_nothing_is_asked(
    uris: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gemini_sft.vertex.get", lambda *_, **__: pytest.fail("a request"))
    of_a_job_without_an_experiment(uris)
    metrics = extract_metrics(**uris)
    assert metrics["steps"] == 180 and "overfits" not in metrics
    curves = Curves.model_validate(storage.read_json(uris["curves_uri"]))
    assert curves.absent and curves == Curves(absent=curves.absent)
    assert "The service kept no curves of this tuning job" in storage.read_text(uris["plot_uri"])
    assert [one.levelno for one in caplog.records if "kept no curves" in one.message] == [logging.WARNING]


@pytest.mark.parametrize(
    ("served", "why"),
    [
        ([Route(f"/v1/{EXPERIMENT}", lambda _: JSONResponse({}, 404))], "answered 404"),
        (routes(experiment={}), "has no TensorBoard behind it"),
        (routes(runs={}), "has no run"),
        (routes(series={}), "holds no values"),
        (routes(values={}), "holds no values"),
        (routes(runs={"contexts": ["?"]}), "does not have the form"),
    ],
)
def test_a_run_does_not_fail_for_want_of_curves(
    uris: dict[str, str], serve: Serve, caplog: pytest.LogCaptureFixture, served: list[BaseRoute], why: str
) -> None:
    serve(served)
    metrics = extract_metrics(**uris)
    assert metrics["billed_tokens"] == 48_213
    curves = Curves.model_validate(storage.read_json(uris["curves_uri"]))
    assert curves == Curves(absent=curves.absent) and why in (curves.absent or "")
    assert why in storage.read_text(uris["plot_uri"])
    assert [one.levelno for one in caplog.records if why in one.message] == [logging.WARNING]


def test_the_step_does_without_the_large_library(uris: dict[str, str], serve: Serve) -> None:
    """google.cloud.aiplatform takes seconds to import, and hundreds of megabytes."""
    serve(routes())
    program = f"""
import sys
from gemini_sft.steps.extract_metrics import extract_metrics
print(extract_metrics(**{uris!r})["final_train_loss"])
print(sorted(name for name in sys.modules if name.startswith(("google.cloud.aiplatform", "vertexai", "kfp"))))
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["0.5", "[]"]
