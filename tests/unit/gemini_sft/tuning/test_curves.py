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
        "final_validation_loss": 1.75,
        "best_validation_loss": 1.25,
    }
    assert Curves.model_validate(curves.model_dump(mode="json")) == curves


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
