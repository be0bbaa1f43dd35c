"""Evaluations of model versions, through google-cloud-aiplatform and at their edges."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform import gapic
from google.protobuf import json_format

from tests.contract.conftest import Server
from tests.contract.resources.test_registry import PARENT, tuned

SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/{}_metrics_1.0.0.yaml"
SUMMARIES = {"metricsSchemaUri": SCHEMA.format("summarization"), "metrics": {"rougeLSum": 0.25}}


@pytest.fixture(scope="module")
def service(server: Server) -> Iterator[gapic.ModelServiceClient]:
    """The generated client, as Google's own components use it to import an evaluation."""
    options = ClientOptions(api_endpoint=server.url)
    yield gapic.ModelServiceClient(credentials=AnonymousCredentials(), transport="rest", client_options=options)


def imported(service: gapic.ModelServiceClient, model: str, name: str, **metrics: Any) -> gapic.ModelEvaluation:
    evaluation = gapic.ModelEvaluation(
        display_name=name, metrics_schema_uri=SCHEMA.format("general_text_generation"), metrics=metrics
    )
    return service.import_model_evaluation(parent=model, model_evaluation=evaluation)


def test_an_evaluation_is_imported_and_read(server: Server, service: gapic.ModelServiceClient) -> None:
    model = tuned(server, "evaluated")
    made = imported(service, model, "first", bleu=12.5, rougeLSum=0.5)
    assert made.name.startswith(f"{model}/evaluations/") and made.create_time
    assert service.get_model_evaluation(name=made.name) == made
    second = imported(service, model, "second", bleu=1)
    read = aiplatform.Model(model).list_model_evaluations()
    assert {each.resource_name for each in read} == {made.name, second.name}
    values = {each.display_name: json_format.MessageToDict(each.gca_resource._pb)["metrics"] for each in read}
    assert values == {"first": {"bleu": 12.5, "rougeLSum": 0.5}, "second": {"bleu": 1.0}}
    # google-cloud-aiplatform asks for one by its id below the model without a version, which is the default one.
    found = aiplatform.Model(model).get_model_evaluation(made.name.rpartition("/")[2])
    assert found is not None and found.display_name == "first"
    pages = service.list_model_evaluations(request={"parent": model, "page_size": 1}).pages
    assert [len(page.model_evaluations) for page in pages] == [1, 1]


def test_an_evaluation_belongs_to_one_version(server: Server, service: gapic.ModelServiceClient) -> None:
    model = tuned(server, "versions").partition("@")[0]
    second = tuned(server, "versions", model.rpartition("/")[2])
    made = imported(service, second, "of the second", bleu=1)
    assert made.name.startswith(f"{second}/")
    assert aiplatform.Model(model).list_model_evaluations() == []
    assert [each.display_name for each in aiplatform.Model(second).list_model_evaluations()] == ["of the second"]
    aiplatform.Model(model).versioning_registry.add_version_aliases(["champion"], version="2")
    assert imported(service, f"{model}@champion", "by alias", bleu=1).name.startswith(f"{second}/")


@pytest.mark.parametrize("whole", [True, False])
def test_it_goes_with_its_model_or_version(server: Server, service: gapic.ModelServiceClient, whole: bool) -> None:
    model = tuned(server, "leaving").partition("@")[0]
    second = tuned(server, "leaving", model.rpartition("/")[2])
    made = imported(service, second, "gone", bleu=1)
    if whole:
        aiplatform.Model(model).delete()
    else:
        aiplatform.Model(model).versioning_registry.delete_version("2")
    assert server.inside(lambda database: database.get(made.name)) is None
    with pytest.raises(exceptions.NotFound):
        service.get_model_evaluation(name=made.name)


def test_what_vertex_would_refuse_is_refused(server: Server, http: httpx.Client) -> None:
    model = tuned(server, "strict evaluations").removeprefix(PARENT)
    path = f"{model}/evaluations"

    def given(**changes: Any) -> httpx.Response:
        evaluation = {key: value for key, value in (SUMMARIES | changes).items() if value is not None}
        return http.post(f"{path}:import", json={"modelEvaluation": evaluation})

    answers = [
        (http.post(f"{path}:import", json={}), 400, "metrics_schema_uri"),
        (http.post(f"{path}:import", json={"modelEvaluation": SUMMARIES, "evaluation": {}}), 400, "evaluation"),
        (http.post(f"{path}:import?validateOnly=true", json={"modelEvaluation": SUMMARIES}), 400, "validateOnly"),
        (http.post(path, json=SUMMARIES), 404, "does not serve"),
        (given(metricsSchemaUri=None), 400, "metrics_schema_uri"),
        (given(metrics=None), 400, "model_evaluation.metrics"),
        (given(metricsSchemaUri=SCHEMA.format("chat")), 400, "metrics_schema_uri"),
        (given(metrics=[1]), 400, "must be an object"),
        (given(metrics={"rougeLSum": "0.5"}), 400, "model_evaluation.metrics.rougeLSum"),
        (given(metrics={"rougeLSum": True}), 400, "model_evaluation.metrics.rougeLSum"),
        (given(score=1), 400, "modelEvaluation"),
        (given(displayName="x" * 129), 400, "128"),
        (http.post("/models/123@1/evaluations:import", json={"modelEvaluation": SUMMARIES}), 404, "NOT_FOUND"),
        (http.get(f"{path}/123"), 404, "NOT_FOUND"),
        (http.get(path, params={"orderBy": "createTime"}), 400, "orderBy"),
        (http.get(path, params={"filter": "metrics=1"}), 400, "filter"),
    ]
    for answer, code, word in answers:
        assert answer.status_code == code, f"{answer.request.url} {answer.text}"
        assert word in answer.text, answer.text
    assert http.get(path).json() == {}, "nothing of all this was kept"
    named = given(name="projects/p/locations/l/models/1/evaluations/2", metadata={"pipeline_job_id": "run"}).json()
    assert named["name"].startswith(f"{PARENT}{path}/") and named["metadata"] == {"pipeline_job_id": "run"}
