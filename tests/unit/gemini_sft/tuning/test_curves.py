from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.errors import ServiceError
from gemini_sft.tuning import Curves, read_curves
from gemini_sft.tuning.curves import Curve

STORE = "projects/7/locations/us-central1/metadataStores/default/contexts"
BOARD = "projects/7/locations/us-central1/tensorboards/5"
RUN = f"{BOARD}/experiments/tuning-1/runs/run-9"

Serve = Callable[[Sequence[BaseRoute]], str]


def point(step: int, value: float) -> dict[str, Any]:
    """As JSON of protobuf: a zero is left out."""
    scalar = {"value": value} if value else {}
    return {"scalar": scalar} | ({"step": str(step)} if step else {})


def answers(document: dict[str, Any]) -> Callable[[Request], Response]:
    return lambda _: JSONResponse(document)


def routes(**replaced: dict[str, Any]) -> list[BaseRoute]:
    documents: dict[str, Any] = {
        "experiment": {"metadata": {"backing_tensorboard_resource": BOARD}},
        "runs": {"contexts": [{"name": f"{STORE}/tuning-1-run-9"}]},
        "series": {
            "tensorboardTimeSeries": [
                {"name": f"{RUN}/timeSeries/1", "displayName": "/train_total_loss"},
                {"name": f"{RUN}/timeSeries/2", "displayName": "/eval_total_loss"},
                {"name": f"{RUN}/timeSeries/3", "displayName": "/something_new"},
            ]
        },
        "values": {
            "timeSeriesData": [
                {"tensorboardTimeSeriesId": "1", "values": [point(2, 0.5), point(0, 2.0), point(1, 0.0)]},
                {"tensorboardTimeSeriesId": "2", "values": [point(1, 1.5), point(2, 1.25), point(3, 1.75)]},
            ]
        },
        **replaced,
    }
    return [
        Route(f"/v1/{STORE}/tuning-1", answers(documents["experiment"])),
        Route(f"/v1/{STORE}", answers(documents["runs"])),
        Route(f"/v1/{RUN}/timeSeries", answers(documents["series"])),
        Route(f"/v1/{BOARD}:batchRead", answers(documents["values"])),
    ]


def test_points_come_in_the_order_of_their_steps(serve: Serve) -> None:
    serve(routes())
    curves = read_curves(f"{STORE}/tuning-1")
    assert curves == Curves(
        train_loss=Curve(steps=[0, 1, 2], values=[2.0, 0.0, 0.5]),
        validation_loss=Curve(steps=[1, 2, 3], values=[1.5, 1.25, 1.75]),
    )
    assert curves.summary() == {
        "final_train_loss": 0.5,
        "best_train_loss": 0.0,
        "final_validation_loss": 1.75,
        "best_validation_loss": 1.25,
    }
    assert Curves.model_validate(curves.model_dump(mode="json")) == curves


def test_the_best_loss_is_the_lowest_and_the_best_accuracy_the_highest() -> None:
    one = Curve(steps=[1, 2, 3, 4], values=[0.5, 0.25, 0.75, float("nan")])
    kinds = ("loss", "accuracy", "predictions")
    curves = Curves.model_validate({f"{split}_{kind}": one for split in ("train", "validation") for kind in kinds})
    for split in ("train", "validation"):
        assert {name: value for name, value in curves.summary().items() if split in name} == {
            f"final_{split}_loss": 0.75,
            f"best_{split}_loss": 0.25,
            f"final_{split}_accuracy": 0.75,
            f"best_{split}_accuracy": 0.75,
            f"final_{split}_predictions": 0.75,
        }


def test_a_series_without_a_number_has_no_last_and_no_best() -> None:
    assert Curves(train_loss=Curve(steps=[1], values=[float("inf")])).summary() == {}


def test_runs_that_evaluate_checkpoints_are_passed_over(serve: Serve) -> None:
    names = ("tuning-evaluation-checkpoint-1", "run-9")
    serve(routes(runs={"contexts": [{"name": f"{STORE}/tuning-1-{name}"} for name in names]}))
    assert read_curves(f"{STORE}/tuning-1").train_loss


def test_of_a_step_that_was_written_twice_the_later_value_holds(serve: Serve) -> None:
    values = [point(1, 1.5), point(2, 9.0), point(2, 1.25), {"step": "3"}]
    serve(routes(values={"timeSeriesData": [{"tensorboardTimeSeriesId": "1", "values": values}]}))
    assert read_curves(f"{STORE}/tuning-1").train_loss == Curve(steps=[1, 2], values=[1.5, 1.25])


@pytest.mark.parametrize(
    "replaced",
    [
        {"experiment": {"metadata": "none"}},
        {"runs": {"contexts": [{}]}},
        {"series": {"tensorboardTimeSeries": [{"displayName": "/train_total_loss"}]}},
        {"values": {"timeSeriesData": [{"tensorboardTimeSeriesId": "1", "values": [{"scalar": {"value": "many"}}]}]}},
    ],
)
def test_an_unknown_form_is_said_and_nothing_worse(serve: Serve, replaced: dict[str, Any]) -> None:
    serve(routes(**replaced))
    with pytest.raises(ServiceError, match="does not have the form of a tuning job's experiment"):
        read_curves(f"{STORE}/tuning-1")


def test_a_job_without_series_has_no_curves(serve: Serve) -> None:
    serve(routes(series={}))
    curves = read_curves(f"{STORE}/tuning-1")
    assert curves == Curves() and curves.summary() == {}


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"experiment": {}}, f"{STORE}/tuning-1 has no TensorBoard behind it"),
        ({"runs": {}}, f"{STORE}/tuning-1 has no run"),
    ],
)
def test_what_is_missing_is_named(serve: Serve, replaced: dict[str, Any], message: str) -> None:
    serve(routes(**replaced))
    with pytest.raises(ServiceError) as caught:
        read_curves(f"{STORE}/tuning-1")
    assert str(caught.value) == message
