"""Endpoints, through google-cloud-aiplatform and at their edges."""

from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform

from vertex_emulator.endpoints import create_endpoint
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number
from vertex_emulator.registry import add_version, link_endpoint

NUMBER = project_number(PROJECT)
PARENT = f"projects/{NUMBER}/locations/{LOCATION}"


def tuned_model(server: Any, name: str = "tuned") -> str:
    model: str = server.inside(
        add_version,
        PARENT,
        model_id=None,
        display_name=name,
        labels={},
        base_model="gemini-2.5-flash",
        checkpoints=[{"checkpointId": "1", "epoch": 1, "step": 5}, {"checkpointId": "2", "epoch": 2, "step": 10}],
        default_checkpoint_id="2",
    )
    return model


def served(server: Any, model: str, name: str, location: str = LOCATION, **more: Any) -> str:
    place = f"projects/{NUMBER}/locations/{location}"
    endpoint: str = server.inside(create_endpoint, place, display_name=name, model=model, **more)
    server.inside(link_endpoint, model, endpoint)
    return endpoint


def test_an_endpoints_life(server: Any) -> None:
    made = aiplatform.Endpoint.create(display_name="made", labels={"suite": "life"}, endpoint_id="made-1")
    assert made.resource_name == f"{PARENT}/endpoints/made-1"
    with pytest.raises(exceptions.Conflict):
        aiplatform.Endpoint.create(display_name="again", endpoint_id="made-1")
    aiplatform.Endpoint.create(display_name="another", labels={"suite": "life"})
    ours = aiplatform.Endpoint.list(filter="labels.suite=life", order_by="display_name")
    assert [each.display_name for each in ours] == ["another", "made"]
    assert aiplatform.Endpoint.list(filter='display_name="nobody"') == []
    assert [each.name for each in aiplatform.Endpoint.list(filter="endpoint=made-1")] == ["made-1"]
    made.update(display_name="changed", description="d", labels={"suite": "other"})
    read = aiplatform.Endpoint("made-1")
    assert (read.display_name, read.gca_resource.description, read.labels) == ("changed", "d", {"suite": "other"})
    for each in (*ours, made):
        if each.display_name != "made":
            each.delete()
    with pytest.raises(exceptions.NotFound):
        aiplatform.Endpoint("made-1").gca_resource  # noqa: B018


def test_a_deployed_model_holds_its_endpoint_and_its_model(server: Any) -> None:
    model = tuned_model(server)
    endpoint = aiplatform.Endpoint(served(server, model, "serving", checkpoint_id="1", labels={"team": "red"}))
    (deployed,) = endpoint.list_models()
    assert (deployed.model, deployed.model_version_id, deployed.checkpoint_id) == (model, "1", "1")
    assert endpoint.traffic_split == {deployed.id: 100}
    with pytest.raises(exceptions.BadRequest, match=deployed.id):
        endpoint.delete()
    registered = aiplatform.Model(model)
    (reference,) = registered.gca_resource.deployed_models
    assert (reference.endpoint, reference.deployed_model_id) == (endpoint.resource_name, deployed.id)
    with pytest.raises(exceptions.BadRequest, match="undeploy it first"):
        registered.delete()
    endpoint.delete(force=True)
    assert not aiplatform.Model(model).gca_resource.deployed_models
    registered.delete()


def test_an_endpoint_in_a_multi_region(server: Any) -> None:
    name = served(server, tuned_model(server), "far", location="us")
    answer = httpx.get(f"{server.url}/v1beta1/{name}").json()
    assert answer["name"] == f"projects/{NUMBER}/locations/us/endpoints/{name.rpartition('/')[2]}"
    by_id = httpx.get(f"{server.url}/v1/projects/{PROJECT}/locations/us/endpoints").json()
    assert name in [each["name"] for each in by_id["endpoints"]]


def test_traffic_between_two_models(server: Any, http: httpx.Client) -> None:
    first, second = tuned_model(server, "one"), tuned_model(server, "two")
    name = served(server, first, "split")
    path = name.removeprefix(PARENT)
    old = http.get(path).json()["deployedModels"][0]["id"]
    body = {
        "deployedModel": {"model": second.partition("@")[0], "displayName": "two"},
        "trafficSplit": {old: 90, "0": 10},
    }
    new = http.post(f"{path}:deployModel", json=body).json()["response"]["deployedModel"]
    assert new["model"] == second
    assert http.get(path).json()["trafficSplit"] == {old: 90, new["id"]: 10}
    for split in ({old: 50}, {old: 50, "7": 50}, {old: -1, new["id"]: 101}):
        assert http.patch(f"{path}?updateMask=trafficSplit", json={"trafficSplit": split}).status_code == 400
    endpoint = aiplatform.Endpoint(name)
    endpoint.update(traffic_split={old: 40, new["id"]: 60})
    refused = http.post(f"{path}:undeployModel", json={"deployedModelId": old})
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    endpoint.undeploy(old)
    assert http.get(path).json()["trafficSplit"] == {new["id"]: 100}


def test_what_vertex_would_refuse_is_refused(server: Any, http: httpx.Client) -> None:
    model = tuned_model(server)
    path = served(server, model, "strict").removeprefix(PARENT)
    deploy, undeploy = f"{path}:deployModel", f"{path}:undeployModel"
    answers = [
        (http.post("/endpoints", json={}), 400, "display_name"),
        (http.post("/endpoints", json={"display_name": "x", "model": "y"}), 400, "model"),
        (http.post("/endpoints", json={"displayName": 7}), 400, "endpoint.displayName"),
        (http.post("/endpoints?endpointId=0123", json={"displayName": "x"}), 400, "endpoint_id"),
        (http.get("/endpoints/0"), 404, "NOT_FOUND"),
        (http.get("/endpoints", params={"filter": "colour=red"}), 400, "colour"),
        (http.patch(f"{path}?updateMask=deployedModels", json={}), 400, "update_mask"),
        (http.patch(path, json={"etag": "1", "displayName": "y"}), 409, "ABORTED"),
        (http.post(deploy, json={}), 400, "deployed_model.model"),
        (http.post(deploy, json={"deployedModel": {"model": f"{PARENT}/models/1"}}), 404, "NOT_FOUND"),
        (http.post(deploy, json={"deployedModel": {"model": model, "checkpointId": "9"}}), 400, "checkpoint"),
        (http.post(undeploy, json={"deployedModelId": "1"}), 404, "NOT_FOUND"),
    ]
    for answer, code, word in answers:
        assert answer.status_code == code, answer.request.url
        assert word in answer.text, answer.text
