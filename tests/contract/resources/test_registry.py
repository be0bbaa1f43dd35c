"""The model registry, through google-cloud-aiplatform and google-genai, and at its edges."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from google import genai
from google.api_core import exceptions
from google.cloud import aiplatform
from google.genai import errors

from vertex_emulator.database import Database
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.names import project_number
from vertex_emulator.registry import add_version, fetch_version, find_by_display_name

PARENT = f"projects/{project_number(PROJECT)}/locations/{LOCATION}"
CHECKPOINTS = [{"checkpointId": "1", "epoch": 1, "step": 5}, {"checkpointId": "2", "epoch": 2, "step": 10}]


def tuned(server: Any, display_name: str, model_id: str | None = None, **labels: str) -> str:
    """Returns the name of a model's new version."""
    version: str = server.inside(
        add_version,
        PARENT,
        model_id=model_id,
        display_name=display_name,
        labels=labels,
        base_model="gemini-2.5-flash",
        checkpoints=CHECKPOINTS,
        default_checkpoint_id="2",
    )
    return version


def two_versions(server: Any, display_name: str) -> tuple[str, aiplatform.models.ModelRegistry]:
    model = tuned(server, display_name).partition("@")[0]
    assert tuned(server, display_name, model.rpartition("/")[2]) == f"{model}@2"
    return model, aiplatform.Model(model).versioning_registry


def test_models_and_versions_are_read(server: Any) -> None:
    model, registry = two_versions(server, "reading")
    assert aiplatform.Model(model).version_id == "1"
    assert aiplatform.Model(f"{model}@2").version_id == "2"
    (listed,) = aiplatform.Model.list(filter='display_name="reading" AND labels.tune-type=sft')
    assert (listed.resource_name, listed.version_aliases) == (model, ["default"])
    assert [each.version_id for each in registry.list_versions()] == ["1", "2"]
    assert registry.get_version_info("default").version_id == "1"
    assert server.inside(find_by_display_name, PARENT, "reading") == model.rpartition("/")[2]
    assert server.inside(find_by_display_name, PARENT, "nobody") is None
    with pytest.raises(exceptions.NotFound):
        registry.get_version_info("3")
    with pytest.raises(exceptions.NotFound):
        registry.get_version_info("champion")


def test_an_alias_belongs_to_one_version(server: Any) -> None:
    _, registry = two_versions(server, "aliases")
    registry.add_version_aliases(["champion", "candidate"], version="1")
    registry.add_version_aliases(["champion"], version="2")
    assert registry.get_version_info("champion").version_id == "2"
    assert [each.version_aliases for each in registry.list_versions()] == [["candidate", "default"], ["champion"]]
    registry.remove_version_aliases(["candidate"], version="1")
    with pytest.raises(exceptions.NotFound):
        registry.get_version_info("candidate")
    with pytest.raises(exceptions.BadRequest, match="cannot be removed"):
        registry.remove_version_aliases(["default"], version="1")
    registry.add_version_aliases(["default"], version="2")
    assert aiplatform.Model(registry.model_resource_name).version_id == "2"


def test_updates_reach_the_model_or_one_version(server: Any) -> None:
    model, registry = two_versions(server, "before")
    aiplatform.Model(model).update(display_name="after", description="all versions", labels={"team": "red"})
    registry.update_version("2", version_description="only this", labels={"stage": "new"})
    first, second = aiplatform.Model(f"{model}@1"), aiplatform.Model(f"{model}@2")
    assert (first.display_name, second.display_name) == ("after", "after")
    assert (first.version_description, second.version_description) == ("", "only this")
    assert first.labels == {
        "team": "red",
        "tune-type": "sft",
        "google-vertex-llm-tuning-base-model-id": "gemini-2.5-flash",
    }
    assert second.labels == {"team": "red", "stage": "new"}


def test_versions_are_deleted_by_googles_rules(server: Any, http: httpx.Client) -> None:
    model, registry = two_versions(server, "deleting")
    with pytest.raises(exceptions.BadRequest, match="default version"):
        registry.delete_version("1")
    registry.add_version_aliases(["old"], version="2")
    registry.delete_version("old")
    with pytest.raises(exceptions.NotFound):
        registry.get_version_info("2")
    with pytest.raises(exceptions.BadRequest, match="only version"):
        registry.delete_version("1")
    # A version's number is never given again.
    assert tuned(server, "deleting", model.rpartition("/")[2]) == f"{model}@3"
    aiplatform.Model(model).delete()
    assert [http.get(f"/models/{model.rpartition('/')[2]}{at}").status_code for at in ("", "@1", "@3")] == [404] * 3


def test_tuned_models_in_genai(server: Any, client: genai.Client) -> None:
    version = tuned(server, "for genai", team="red")
    model = version.partition("@")[0]
    read = client.models.get(model=version)
    assert (read.name, read.version, read.default_checkpoint_id) == (version, "1", "2")
    assert [(each.checkpoint_id, each.epoch, each.step) for each in read.checkpoints or []] == [
        ("1", 1, 5),
        ("2", 2, 10),
    ]
    assert read.tuned_model_info is not None
    assert read.tuned_model_info.base_model == "gemini-2.5-flash"
    listed = client.models.list(config={"query_base": False, "page_size": 2})
    assert model in [each.name for each in listed]

    changed = client.models.update(model=version, config={"default_checkpoint_id": "1"})
    assert changed.default_checkpoint_id == "1"
    # What serving.py reads.
    assert server.inside(fetch_version, version)["defaultCheckpointId"] == "1"
    renamed = client.models.update(model=model, config={"display_name": "new", "description": "d"})
    assert (renamed.name, renamed.display_name, renamed.description) == (model, "new", "d")
    client.models.update(model=model, config={"description": "e", "default_checkpoint_id": "2"})
    assert client.models.get(model=model).default_checkpoint_id == "2"
    with pytest.raises(errors.ClientError, match="FAILED_PRECONDITION"):
        client.models.update(model=version, config={"display_name": "of all"})
    with pytest.raises(errors.ClientError, match="no checkpoint '3'"):
        client.models.update(model=version, config={"default_checkpoint_id": "3"})

    client.models.delete(model=model)
    with pytest.raises(errors.ClientError, match="NOT_FOUND"):
        client.models.get(model=version)


def test_base_models_in_genai(client: genai.Client) -> None:
    assert client.models.get(model="gemini-2.5-flash").name == "publishers/google/models/gemini-2.5-flash"
    names = [each.name for each in client.models.list(config={"page_size": 1})]
    assert {"publishers/google/models/gemini-2.5-flash", "publishers/google/models/gemini-3.5-flash"} < set(names)
    assert len(names) == len(set(names))
    for missing in ("gemini-2.0-flash", "nobody/gemini-2.5-flash"):
        with pytest.raises(errors.ClientError, match="404"):
            client.models.get(model=missing)


def test_what_vertex_would_refuse_is_refused(server: Any, client: genai.Client, http: httpx.Client) -> None:
    version = tuned(server, "strict").removeprefix(PARENT)
    model = version.partition("@")[0]

    def merge(*aliases: Any, at: str = version) -> httpx.Response:
        return http.post(f"{at}:mergeVersionAliases", json={"versionAliases": list(aliases)})

    answers = [
        (merge("1st"), 400, "1st"),
        (merge("a"), 400, "version_aliases"),
        (merge("Champion"), 400, "Champion"),
        (merge("under_score"), 400, "under_score"),
        (merge("-champion"), 400, "champion"),
        (merge(), 400, "version_aliases"),
        (merge(7), 400, "versionAliases"),
        (merge("champion", at=model), 400, "which version"),
        (merge("champion", at=f"{model}@5"), 404, "NOT_FOUND"),
        (http.get("/models/gemini-2.5-flash"), 400, "INVALID_ARGUMENT"),
        (http.get("/models/123"), 404, "NOT_FOUND"),
        (http.delete(version), 400, "deleteVersion"),
        (http.patch(f"{model}?updateMask=checkpoints", json={}), 400, "update_mask"),
        (http.patch(f"{model}?updateMask=versionDescription", json={"versionDescription": "x"}), 400, "FAILED_PRECOND"),
        (http.patch(model, json={"display_nam": "x"}), 400, "display_nam"),
        (http.patch(model, json={"labels": {"a": "B"}}), 400, "labels"),
        (http.patch(model, json={"displayName": "x", "etag": "1"}), 409, "ABORTED"),
        (http.get("/models", params={"filter": "state=LIVE"}), 400, "filter"),
        (http.get("/models?readMask=nothing"), 400, "read_mask"),
        (http.get(f"{model}:listVersions", params={"orderBy": "version_id"}), 400, "order_by"),
    ]
    for answer, code, word in answers:
        assert answer.status_code == code, answer.request.url
        assert word in answer.text, answer.text
    with pytest.raises(errors.ClientError, match="more than once"):
        client.models.list(config={"query_base": False, "filter": 'display_name="strict"'})
    # Adding and removing one alias cancel each other out.
    assert merge("kept").status_code == merge("-kept", "kept").status_code == 200
    assert http.get(version).json()["versionAliases"] == ["default", "kept"]
    masked = http.get("/models", params={"filter": 'displayName="strict"', "readMask": "name,display_name"}).json()
    assert masked["models"] == [{"name": PARENT + model, "displayName": "strict"}]
    assert http.get(f"{version}:listCheckpoints?pageSize=1").json()["checkpoints"] == [
        {"checkpointId": "1", "epoch": "1", "step": "5"}
    ]


def test_everything_is_in_the_database(tmp_path: Path) -> None:
    first = Database(tmp_path / "vertex.db")
    name = add_version(
        first,
        PARENT,
        model_id=None,
        display_name="kept",
        labels={},
        base_model="gemini-2.5-flash",
        checkpoints=CHECKPOINTS,
        default_checkpoint_id="1",
        encryption={"kmsKeyName": "k"},
    )
    first.close()
    second = Database(tmp_path / "vertex.db")
    document = second.get(name)
    assert document is not None
    assert document["defaultCheckpointId"] == "1"
    assert find_by_display_name(second, PARENT, "kept") == name.rpartition("/")[2].partition("@")[0]
    second.close()
