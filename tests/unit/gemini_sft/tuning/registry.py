"""A small model registry."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tests.unit.gemini_sft.tuning.tuner import Answer

PLACE = "projects/p/locations/us-central1"
ROOT = "gemini-2.5-flash"


class Registry:
    """Holds versions of models, and gives them by number, alias or neither; `labels` are those of a model.

    It lists its models one on a page, each as its default version, which is the first.
    """

    def __init__(self) -> None:
        self.models: dict[str, dict[str, dict[str, Any]]] = {}
        self.filters: list[str] = []
        self.refused: dict[str, int] = {}

    def add(self, model: str, version: str = "1", *aliases: str, checkpoints: str = "12", **changes: Any) -> None:
        """Adds a version, each of whose checkpoints has an endpoint; the last is the default one."""
        made = {
            "name": f"{PLACE}/models/{model}",
            "versionId": version,
            "versionAliases": [*aliases, *(["default"] if version == "1" else [])],
            "labels": {"experiment": "demo"},
            "baseModelSource": {"genieSource": {"baseModelUri": f"publishers/google/models/{ROOT}"}},
            "checkpoints": [{"checkpointId": one, "epoch": one, "step": f"{one}0"} for one in checkpoints],
            "defaultCheckpointId": checkpoints[-1:],
            "deployedModels": [
                {"endpoint": f"{PLACE}/endpoints/{model}{version}{one}", "deployedModelId": "1", "checkpointId": one}
                for one in checkpoints
            ],
        }
        self.models.setdefault(model, {})[version] = {
            name: value for name, value in (made | changes).items() if value not in ([], "", None)
        }

    def routes(self) -> list[BaseRoute]:
        return [Route(f"/v1/{PLACE}/models", self.list), Route(f"/v1/{PLACE}/models/{{name}}", self.get)]

    async def list(self, request: Request) -> Response:
        self.filters.append(request.query_params["filter"])
        key, _, value = request.query_params["filter"].removeprefix("labels.").partition("=")
        defaults = [versions["1"] for versions in self.models.values()]
        found = [one for one in defaults if one.get("labels", {}).get(key) == value.strip('"')]
        at = int(request.query_params.get("pageToken", 0))
        more = {"nextPageToken": f"{at + 1}"} if at + 1 < len(found) else {}
        return JSONResponse({"models": found[at : at + 1]} | more if found else {})

    async def get(self, request: Request) -> Response:
        model, _, version = request.path_params["name"].partition("@")
        if model.endswith(":listVersions"):
            return JSONResponse({"models": [*self.models[model.partition(":")[0]].values()]})
        if model in self.refused:
            return JSONResponse({"error": {"code": self.refused[model], "message": "no"}}, self.refused[model])
        for number, one in self.models.get(model, {}).items():
            if (version or "default") in (number, *one.get("versionAliases", [])):
                return JSONResponse(one)
        return JSONResponse({"error": {"code": 404, "message": "not found"}}, 404)


class Defaults:
    """Keeps the default checkpoint of every model; `answers` come before."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.defaults: dict[str, str] = {}

    def routes(self) -> list[BaseRoute]:
        return [Route("/v1beta1/{name:path}", self.update, methods=["PATCH"])]

    async def update(self, request: Request) -> Response:
        body, name = await request.json(), request.path_params["name"]
        self.requests.append((name, body))
        if self.answers:
            return self.answers.pop(0)()
        self.defaults[name] = body["defaultCheckpointId"]
        return JSONResponse({"name": name.partition("@")[0], "versionId": "2"} | body)
