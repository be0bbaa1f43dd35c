"""What a batch job is asked of a tuned model: it cannot name a checkpoint, so only the default one will do."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.errors import UserError
from gemini_sft.inference.batch import _model_of
from gemini_sft.inference.call import Service

PLACE = "projects/7/locations/us"
MODEL = "projects/7/locations/us-central1/models/3"
ENDPOINT = f"{PLACE}/endpoints/4"


def asked(serve: Callable[[Sequence[BaseRoute]], str], deployed: dict[str, Any], default: str | None) -> str:
    found = {
        ENDPOINT: {"deployedModels": [{"model": MODEL, "modelVersionId": "2"} | deployed]},
        f"{MODEL}@2": {"defaultCheckpointId": default} if default else {},
    }

    async def get(request: Request) -> Response:
        return JSONResponse(found[request.path_params["name"]])

    serve([Route("/v1/{name:path}", get)])
    return _model_of(Service("p", "us-central1", ENDPOINT))


@pytest.mark.parametrize(
    ("deployed", "default"), [({"checkpointId": "3"}, "3"), ({}, "3"), ({"checkpointId": "3"}, None)]
)
def test_the_version_that_the_endpoint_serves(
    serve: Callable[[Sequence[BaseRoute]], str], deployed: dict[str, Any], default: str | None
) -> None:
    assert asked(serve, deployed, default) == f"{MODEL}@2"


def test_another_checkpoint_than_the_default_one_is_refused(serve: Callable[[Sequence[BaseRoute]], str]) -> None:
    """And then it is asked one by one, which `predict` does of a tuned model that no batch job takes."""
    with pytest.raises(UserError, match=r"no batch job can ask checkpoint 1 of .*/models/3@2: .* default one, 3"):
        asked(serve, {"checkpointId": "1"}, "3")
