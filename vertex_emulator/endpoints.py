"""Endpoints: deployed models, and how traffic is split between them."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator import registry
from vertex_emulator.collection import Collection
from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid, not_found
from vertex_emulator.names import canonical, new_name
from vertex_emulator.protobuf import types
from vertex_emulator.resources import Document, fetch, item_path, name_of, operation
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import now, parse, read_json


class _Endpoints(Collection):
    path = ("endpoints",)
    message = types.Endpoint
    list_key = "endpoints"
    id_parameter = "endpointId"
    id_pattern = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}"
    required = ("displayName",)
    output_only = frozenset(
        {"deployedModels", "modelDeploymentMonitoringJob", "dedicatedEndpointDns", "satisfiesPzs", "satisfiesPzi"}
    )
    mutable = frozenset({"displayName", "description", "labels", "trafficSplit"})
    filterable = frozenset({"display_name", "labels"})
    derived = {"endpoint": lambda document: document["name"].rpartition("/")[2]}  # noqa: RUF012
    slow = frozenset({"create"})

    def prepare(self, database: Database, document: Document) -> None:
        """Checks the traffic split: percentages of deployed models that add up to 100, or nothing."""
        split = document.get("trafficSplit", {})
        deployed = {each["id"] for each in document.get("deployedModels", [])}
        if not set(split) <= deployed:
            message = f"Traffic is split to models that are not deployed: {', '.join(sorted(set(split) - deployed))}."
            raise invalid(message, "traffic_split")
        if split and (sum(split.values()) != 100 or min(split.values()) < 0):
            raise invalid(f"The traffic split must add up to 100, not {sum(split.values())}.", "traffic_split")

    def remove(self, database: Database, document: Document) -> None:
        """Refuses to delete an endpoint with deployed models."""
        if document.get("deployedModels"):
            ids = ", ".join(each["id"] for each in document["deployedModels"])
            raise ApiError(
                "FAILED_PRECONDITION",
                f"Endpoint `{document['name']}` has deployed models ({ids}): undeploy them before you delete it.",
            )
        super().remove(database, document)


_endpoints = _Endpoints()


def create_endpoint(
    database: Database,
    location: str,
    *,
    display_name: str,
    model: str,
    checkpoint_id: str = "",
    labels: Mapping[str, str] | None = None,
) -> str:
    """Makes an endpoint with one deployed model, that takes all traffic.

    Args:
        database: Where it is kept.
        location: Canonical name of the endpoint's location, which may differ from the model's.
        display_name: Its name for people, and the deployed model's.
        model: Canonical `projects/../models/ID@VERSION`.
        checkpoint_id: The checkpoint to serve; the version's default one if empty.
        labels: Its labels.

    Returns:
        Its full resource name.
    """
    deployed = _deployed(database, model, display_name, checkpoint_id)
    fields: Document = {
        "displayName": display_name,
        "deployedModels": [deployed],
        "trafficSplit": {deployed["id"]: 100},
        "labels": dict(labels or {}),
    }
    name = new_name(database, location, "endpoints")
    _endpoints.add(database, name, {key: value for key, value in fields.items() if value})
    return name


def _deployed(database: Database, model: str, display_name: str, checkpoint_id: str) -> Document:
    deployed = {
        "id": database.next_id("deployedModels"),
        "model": model,
        "modelVersionId": model.rpartition("@")[2],
        "displayName": display_name,
        "createTime": now(),
    }
    return deployed | ({"checkpointId": checkpoint_id} if checkpoint_id else {})


async def _deploy(request: Request) -> Response:
    given = parse(await read_json(request), types.DeployModelRequest)
    database = emulator_of(request).database
    endpoint = fetch(database, name_of(request))
    wanted = given.get("deployedModel", {})
    if not wanted.get("model"):
        raise invalid("Required field is not set: deployed_model.model.", "deployed_model.model")
    version = registry.fetch_version(database, canonical(wanted["model"]))
    checkpoint = wanted.get("checkpointId", "")
    if checkpoint and checkpoint not in {each["checkpointId"] for each in version.get("checkpoints", [])}:
        message = f"Model `{version['name']}` has no checkpoint {checkpoint!r}."
        raise invalid(message, "deployed_model.checkpoint_id")
    deployed = {**wanted, **_deployed(database, version["name"], wanted.get("displayName", ""), checkpoint)}
    endpoint["deployedModels"] = [*endpoint.get("deployedModels", []), deployed]
    if "trafficSplit" in given:
        # In the request the model to be deployed has no id yet: "0" stands for it.
        split = {deployed["id"] if key == "0" else key: share for key, share in given["trafficSplit"].items()}
        endpoint["trafficSplit"] = split
    _endpoints.prepare(database, endpoint)
    _endpoints.save(database, endpoint)
    registry.link_endpoint(database, version["name"], endpoint["name"])
    return operation(request, {"deployedModel": deployed}, "DeployModelResponse")


async def _undeploy(request: Request) -> Response:
    given = parse(await read_json(request), types.UndeployModelRequest)
    database = emulator_of(request).database
    endpoint = fetch(database, name_of(request))
    wanted = given.get("deployedModelId", "")
    deployed = next((each for each in endpoint.get("deployedModels", []) if each["id"] == wanted), None)
    if deployed is None:
        raise not_found(f"Deployed model `{wanted}` of endpoint `{endpoint['name']}`")
    endpoint["deployedModels"].remove(deployed)
    if not endpoint["deployedModels"]:
        del endpoint["deployedModels"]
        endpoint.pop("trafficSplit", None)
    elif "trafficSplit" in given:
        endpoint["trafficSplit"] = given["trafficSplit"]
    if endpoint.get("trafficSplit", {}).get(wanted):
        message = f"Deployed model `{wanted}` still has traffic: give a traffic split without it."
        raise ApiError("FAILED_PRECONDITION", message)
    endpoint.get("trafficSplit", {}).pop(wanted, None)
    _endpoints.prepare(database, endpoint)
    _endpoints.save(database, endpoint)
    registry.unlink_endpoint(database, deployed["model"], endpoint["name"], wanted)
    return operation(request, {}, "UndeployModelResponse")


_ENDPOINT = item_path("endpoints")

routes = [
    *vertex("POST", f"{_ENDPOINT}:deployModel", _deploy),
    *vertex("POST", f"{_ENDPOINT}:undeployModel", _undeploy),
    *_endpoints.routes,
]
