"""Evaluation inside a tuning job, through google-genai, and its results where Google's notebook reads them."""

import json
from typing import Any

import pytest
from google import genai
from google.cloud import aiplatform, storage
from google.cloud.aiplatform_v1beta1.types import TuningJob
from google.genai import errors, types
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from tests.contract.conftest import Server
from tests.contract.tuning.conftest import BUCKET, EXAMPLES, VALIDATION, Upload, wait
from vertex_emulator.environment import PROJECT

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

SPEC = "tuning_job.supervised_tuning_spec"
FIELD = f"{SPEC}.evaluation_config"
ROUGE = types.UnifiedMetric(rouge_spec=types.RougeSpec(rouge_type="rougeL", use_stemmer=True))
BLEU_SPEC = types.UnifiedMetric(bleu_spec=types.BleuSpec(use_effective_order=True))


def computed(kind: str, **parameters: Any) -> types.UnifiedMetric:
    spec = types.ComputationBasedMetricSpec(type=types.ComputationBasedMetricType(kind), parameters=parameters or None)
    return types.UnifiedMetric(computation_based_metric_spec=spec)


def tune(
    client: genai.Client,
    uris: tuple[str, str | None],
    metrics: list[Any],
    prefix: str = f"gs://{BUCKET}/evaluation",
    base_model: str = "gemini-2.5-flash",
    **more: Any,
) -> types.TuningJob:
    training, validation = uris
    evaluation = types.EvaluationConfig(
        metrics=metrics,
        output_config=types.OutputConfig(gcs_destination=types.GcsDestination(output_uri_prefix=prefix)),
        **more,
    )
    job: types.TuningJob = client.tunings.tune(
        base_model=base_model,
        training_dataset=types.TuningDataset(gcs_uri=training),
        config=types.CreateTuningJobConfig(
            epoch_count=2,
            validation_dataset=types.TuningValidationDataset(gcs_uri=validation) if validation else None,
            evaluation_config=evaluation,
        ),
    )
    return job


@pytest.fixture(scope="module")
def uris(upload: Upload) -> tuple[str, str]:
    return upload("evaluated.jsonl", EXAMPLES[:40]), upload("evaluated-on.jsonl", VALIDATION)


def lines(uri: str) -> list[dict[str, Any]]:
    blob = storage.Client(project=PROJECT).bucket(BUCKET).blob(uri.removeprefix(f"gs://{BUCKET}/"))
    return [json.loads(line) for line in blob.download_as_text().splitlines()]


def test_every_checkpoint_is_evaluated(client: genai.Client, server: Server, uris: tuple[str, str]) -> None:
    metrics = [types.Metric(name="exact_match"), BLEU_SPEC, ROUGE, computed("ROUGE", rouge_type="rouge1")]
    made = tune(client, uris, metrics)
    job = wait(client, made)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED, job.error
    document = server.http.get(f"/v1beta1/{job.name}").json()
    known = {name: value for name, value in document.items() if name not in ("tuningJobState", "tuningJobMetadata")}
    assert len(TuningJob.from_json(json.dumps(known)).evaluate_dataset_runs) == 2
    runs = job.evaluate_dataset_runs
    assert runs and job.tuned_model and job.tuned_model.checkpoints
    assert [run.checkpoint_id for run in runs] == [each.checkpoint_id for each in job.tuned_model.checkpoints]
    folders = []
    for run, checkpoint in zip(runs, job.tuned_model.checkpoints, strict=True):
        assert run.error is None and run.operation_name and run.evaluate_dataset_response
        response = run.evaluate_dataset_response
        assert response.output_info and response.output_info.gcs_output_directory and response.aggregation_output
        folder = response.output_info.gcs_output_directory
        folders.append(folder)
        assert folder.startswith(f"gs://{BUCKET}/evaluation/evaluation_")
        results = lines(f"{folder}/evaluation_results.jsonl")
        instances = [json.loads(result["jsonInstance"]) for result in results]
        assert [each["reference"] for each in instances] == [
            each["contents"][-1]["parts"][0]["text"] for each in VALIDATION
        ]
        # The responses are the checkpoint's own.
        answer = server.http.post(
            f"/v1/{checkpoint.endpoint}:generateContent", json=json.loads(instances[3]["request"])
        )
        assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == instances[3]["response"]
        scores = [[next(iter(each.values()))["score"] for each in result["evaluationResults"]] for result in results]
        rouge, bleu = RougeScorer(["rougeL", "rouge1"], use_stemmer=True), BLEU(effective_order=True)
        for instance, row in zip(instances, scores, strict=True):
            prediction, reference = instance["response"], instance["reference"]
            expected = rouge.score(reference, prediction)
            assert row == pytest.approx(
                [
                    float(prediction == reference),
                    bleu.sentence_score(prediction, [reference]).score / 100,
                    expected["rougeL"].fmeasure,
                    expected["rouge1"].fmeasure,
                ]
            )
        kinds = ["exact_match", "bleu", "rouge", "rouge"]
        aggregates = response.aggregation_output.aggregation_results
        assert (
            aggregates
            and [each.aggregation_metric.value for each in aggregates if each.aggregation_metric]
            == [
                "AVERAGE",
                "STANDARD_DEVIATION",
            ]
            * 4
        )
        for number, kind in enumerate(kinds):
            column = [row[number] for row in scores]
            average, deviation = aggregates[2 * number : 2 * number + 2]
            mean = sum(column) / len(column)
            assert getattr(average, f"{kind}_metric_value").score == pytest.approx(mean)
            variance = sum((value - mean) ** 2 for value in column) / len(column)
            assert getattr(deviation, f"{kind}_metric_value").score == pytest.approx(variance**0.5)
        written = lines(f"{folder}/aggregation_results.jsonl")
        assert [types.AggregationResult.model_validate(each) for each in written] == aggregates
        dataset = response.aggregation_output.dataset
        assert dataset and dataset.gcs_source and dataset.gcs_source.uris
        assert lines(dataset.gcs_source.uris[0]) == instances
    assert folders[0] < folders[1]

    # As the notebook reads them.
    found = {}
    for run in aiplatform.ExperimentRun.list(experiment=str(job.experiment).rpartition("/")[2]):
        if "-evaluation-" in run.name:
            found[run.name] = run.get_metrics()
    assert set(found) == {"tuning-evaluation-checkpoint-1", "tuning-evaluation-checkpoint-2"}
    last = found["tuning-evaluation-checkpoint-2"]
    assert last["gcsDestination"] == folders[1]
    assert last["4-rouge-AVERAGE"] == pytest.approx(written[4]["rougeMetricValue"]["score"])


def test_answers_keep_the_generation_config(client: genai.Client, uris: tuple[str, str]) -> None:
    short = types.GenerationConfig(max_output_tokens=1, temperature=0)
    job = wait(client, tune(client, uris, [computed("EXACT_MATCH")], inference_generation_config=short))
    assert job.evaluate_dataset_runs and job.evaluate_dataset_runs[1].evaluate_dataset_response
    output = job.evaluate_dataset_runs[1].evaluate_dataset_response.output_info
    assert output
    results = lines(f"{output.gcs_output_directory}/evaluation_results.jsonl")
    assert {json.loads(result["jsonInstance"])["response"] for result in results} == {"AA"}


def test_an_evaluation_that_cannot_be_written_has_an_error(client: genai.Client, uris: tuple[str, str]) -> None:
    job = wait(client, tune(client, uris, [BLEU_SPEC], prefix="gs://no-such-bucket/e"))
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    for run in job.evaluate_dataset_runs or []:
        assert run.evaluate_dataset_response is None
        assert run.error and run.error.code == 5 and "gs://no-such-bucket/e" in str(run.error.message)
    assert len(job.evaluate_dataset_runs or []) == 2


def test_data_that_are_not_only_text_fail_the_job_once_there_is_a_checkpoint(
    client: genai.Client, upload: Upload, uris: tuple[str, str]
) -> None:
    image = {"fileData": {"mimeType": "image/png", "fileUri": f"gs://{BUCKET}/x.png"}}
    turns = [{"role": "user", "parts": [{"text": "What is it?"}, image]}, {"role": "model", "parts": [{"text": "x"}]}]
    mixed = upload("mixed.jsonl", [*VALIDATION, {"contents": turns}])
    job = wait(client, tune(client, (uris[0], mixed), [BLEU_SPEC]))
    assert job.state == types.JobState.JOB_STATE_FAILED and job.error
    assert job.error.code == 3 and "Multimodal is not supported" in str(job.error.message)
    assert job.tuning_data_stats and job.experiment and job.tuned_model is None


@pytest.mark.parametrize(
    ("metrics", "status", "field"),
    [
        (
            [types.Metric(name="fluency", prompt_template="{response}")],
            "UNIMPLEMENTED",
            "metrics[0].pointwise_metric_spec",
        ),
        (
            [
                ROUGE,
                types.UnifiedMetric(predefined_metric_spec=types.PredefinedMetricSpec(metric_spec_name="safety_v1")),
            ],
            "UNIMPLEMENTED",
            "metrics[1].predefined_metric_spec",
        ),
        (
            [types.UnifiedMetric(llm_based_metric_spec=types.LLMBasedMetricSpec(metric_prompt_template="{response}"))],
            "UNIMPLEMENTED",
            "metrics[0].llm_based_metric_spec",
        ),
        (
            [
                types.UnifiedMetric(
                    custom_code_execution_spec=types.CustomCodeExecutionSpec(evaluation_function="def evaluate(x): ...")
                )
            ],
            "UNIMPLEMENTED",
            "metrics[0].custom_code_execution_spec",
        ),
        ([types.UnifiedMetric()], "INVALID_ARGUMENT", "metrics[0]"),
        # google-genai turns the name into lower case; the service's types are written otherwise.
        ([types.Metric(name="rouge_l")], "INVALID_ARGUMENT", "metrics[0].rouge_spec.rouge_type"),
        (
            [computed("ROUGE", rouge_type="rougeX")],
            "INVALID_ARGUMENT",
            "metrics[0].computation_based_metric_spec.rouge_type",
        ),
        (
            [computed("BLEU", effective=True)],
            "INVALID_ARGUMENT",
            "metrics[0].computation_based_metric_spec.parameters.effective",
        ),
        (
            [computed("BLEU", use_effective_order="yes")],
            "INVALID_ARGUMENT",
            "metrics[0].computation_based_metric_spec.parameters.use_effective_order",
        ),
        (
            [types.UnifiedMetric(computation_based_metric_spec=types.ComputationBasedMetricSpec())],
            "INVALID_ARGUMENT",
            "metrics[0].computation_based_metric_spec.type",
        ),
    ],
)
def test_metrics_that_cannot_be_computed_are_refused(
    client: genai.Client, uris: tuple[str, str], metrics: list[Any], status: str, field: str
) -> None:
    with pytest.raises(errors.APIError) as refused:
        tune(client, uris, metrics)
    assert refused.value.status == status
    assert refused.value.details["error"]["details"][0]["fieldViolations"][0]["field"] == f"{FIELD}.{field}"


@pytest.mark.parametrize(
    ("config", "validation", "base_model", "field"),
    [
        ({}, True, "gemini-2.5-flash", f"{FIELD}.metrics"),
        ({"metrics": []}, True, "gemini-2.5-flash", f"{FIELD}.metrics"),
        (
            {"metrics": [{"bleuSpec": {}}]},
            True,
            "gemini-2.5-flash",
            f"{FIELD}.output_config.gcs_destination.output_uri_prefix",
        ),
        (
            {"metrics": [{"bleuSpec": {}}], "outputConfig": {"gcsDestination": {"outputUriPrefix": "s3://bucket/x"}}},
            True,
            "gemini-2.5-flash",
            f"{FIELD}.output_config.gcs_destination.output_uri_prefix",
        ),
        (
            {"metrics": [{"bleuSpec": {}}], "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://bucket/x"}}},
            False,
            "gemini-2.5-flash",
            f"{SPEC}.validation_dataset_uri",
        ),
        (
            {"metrics": [{"bleuSpec": {}}], "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://bucket/x"}}},
            True,
            "gemini-3.5-flash",
            FIELD,
        ),
        ({"metrics": [{"bleuScore": {}}]}, True, "gemini-2.5-flash", "evaluationConfig.metrics[0]"),
        ({"metrics": [{"bleuSpec": {}, "rougeSpec": {}}]}, True, "gemini-2.5-flash", "evaluationConfig.metrics"),
        (
            {"metrics": [{"bleuSpec": {}}], "inferenceGenerationConfig": {"temperature": 9}},
            True,
            "gemini-2.5-flash",
            "generation_config.temperature",
        ),
    ],
)
def test_a_config_that_the_service_refuses(
    server: Server, uris: tuple[str, str], config: dict[str, Any], validation: bool, base_model: str, field: str
) -> None:
    spec = {"trainingDatasetUri": uris[0], "evaluationConfig": config}
    if validation:
        spec["validationDatasetUri"] = uris[1]
    body = {"baseModel": base_model, "supervisedTuningSpec": spec}
    refused = server.http.post(f"/v1beta1/projects/{PROJECT}/locations/us-central1/tuningJobs", json=body)
    assert refused.status_code == 400
    assert field in refused.json()["error"]["details"][0]["fieldViolations"][0]["field"], refused.text
