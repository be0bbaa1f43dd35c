"""Google's own models, as the Model Garden lists them."""

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.errors import not_found
from vertex_emulator.resources import Document, parameters
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import Json, page

_PUBLISHER = "google"


def _publisher_model(model_id: str) -> Document:
    return {
        "name": f"publishers/{_PUBLISHER}/models/{model_id}",
        "versionId": "default",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "GA",
        "versionState": "VERSION_STATE_STABLE",
    }


async def _get(request: Request) -> Response:
    publisher, model_id = request.path_params["publisher"], request.path_params["model"]
    if publisher != _PUBLISHER or not emulator_of(request).serving.is_served(model_id):
        raise not_found(f"Publisher Model `publishers/{publisher}/models/{model_id}`")
    return Json(_publisher_model(model_id))


async def _list(request: Request) -> Response:
    parameters(request, "pageSize", "pageToken", "view", "languageCode", "listAllVersions")
    serving = emulator_of(request).serving
    served = [model_id for model_id in serving.base_models if serving.is_served(model_id)]
    known = served if request.path_params["publisher"] == _PUBLISHER else []
    return Json(page(request, "publisherModels", [_publisher_model(model_id) for model_id in known]))


routes = [
    *vertex("GET", "publishers/{publisher}/models/{model}", _get),
    *vertex("GET", "publishers/{publisher}/models", _list),
]
