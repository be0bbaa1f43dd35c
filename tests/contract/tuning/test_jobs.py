"""What a tuning job shows and leaves, through google-genai."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.contract.tuning.conftest import EXAMPLES, VALIDATION, Upload, wait, wait_for
from vertex_emulator.environment import PROJECT
from vertex_emulator.names import project_number

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

PARENT = f"projects/{project_number(PROJECT)}/locations"
CANCELLED, INVALID, INTERNAL = 1, 3, 13


def tune(client: genai.Client, uri: str, base_model: str = "gemini-2.5-flash", **config: Any) -> types.TuningJob:
    job: types.TuningJob = client.tunings.tune(
        base_model=base_model,
        training_dataset=types.TuningDataset(gcs_uri=uri),
        config=types.CreateTuningJobConfig(**config),
    )
    return job


def answer(client: genai.Client, endpoint: str | None) -> str | None:
    assert endpoint
    text = VALIDATION[0]["contents"][0]["parts"][0]["text"]
    return client.models.generate_content(model=endpoint, contents=text).text


def test_a_job_from_its_creation_to_its_models(client: genai.Client, upload: Upload) -> None:
    lines = [*EXAMPLES, {"contents": []}]
    config: dict[str, Any] = {"tuned_model_display_name": "whole", "description": "d", "labels": {"team": "x"}}
    created = tune(client, upload("whole.jsonl", lines), **config)
    assert created.name and created.name.startswith(f"{PARENT}/us-central1/tuningJobs/")
    assert created.state == types.JobState.JOB_STATE_PENDING
    assert created.supervised_tuning_spec
    assert created.supervised_tuning_spec.hyper_parameters is None
    assert (created.experiment, created.tuned_model, created.start_time, created.tuning_data_stats) == (None,) * 4

    job = wait(client, created)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED and job.error is None
    assert (job.base_model, job.description, job.labels) == ("gemini-2.5-flash", "d", {"team": "x"})
    assert job.create_time and job.start_time and job.end_time and job.update_time
    assert job.create_time <= job.start_time < job.end_time <= job.update_time
    assert job.supervised_tuning_spec and job.supervised_tuning_spec.hyper_parameters
    chosen = job.supervised_tuning_spec.hyper_parameters
    epochs = chosen.epoch_count
    assert epochs and chosen.learning_rate_multiplier == 1
    assert chosen.adapter_size == types.AdapterSize.ADAPTER_SIZE_FOUR
    assert job.tuning_job_state is None and job.tuning_job_metadata
    assert job.tuning_job_metadata.completed_epoch_count == epochs
    assert job.tuning_job_metadata.completed_step_count == epochs * 10

    stats = job.tuning_data_stats and job.tuning_data_stats.supervised_tuning_data_stats
    assert stats and stats.tuning_dataset_example_count == len(EXAMPLES) + 1
    assert (stats.total_truncated_example_count, stats.truncated_example_indices) == (1, [len(EXAMPLES) + 1])
    assert stats.dropped_example_reasons and stats.dropped_example_reasons[0].startswith("contents: must be")
    assert stats.tuning_step_count == epochs * 10
    assert stats.user_dataset_examples and stats.user_dataset_examples[0].role == "user"
    inputs, outputs = stats.user_input_token_distribution, stats.user_output_token_distribution
    assert inputs and outputs and inputs.sum and outputs.sum
    assert stats.total_billable_token_count == inputs.sum + outputs.sum
    assert inputs.buckets and sum(bucket.count or 0 for bucket in inputs.buckets) == len(EXAMPLES)

    assert job.tuned_model and job.tuned_model.checkpoints and job.tuned_model.model
    checkpoints = job.tuned_model.checkpoints
    assert [each.checkpoint_id for each in checkpoints] == [str(number) for number in range(1, epochs + 1)]
    assert [(each.epoch, each.step) for each in checkpoints] == [(n, n * 10) for n in range(1, epochs + 1)]
    assert len({each.endpoint for each in checkpoints}) == epochs
    assert job.tuned_model.endpoint == checkpoints[-1].endpoint
    assert job.tuned_model.model.startswith(f"{PARENT}/us-central1/models/")
    assert job.tuned_model.model.endswith("@1")
    assert answer(client, job.tuned_model.endpoint) == VALIDATION[0]["contents"][1]["parts"][0]["text"]
    assert answer(client, checkpoints[0].endpoint)

    model = client.models.get(model=job.tuned_model.model)
    assert (model.display_name, model.description, model.default_checkpoint_id) == ("whole", "d", str(epochs))
    assert model.labels and model.labels["team"] == "x" and model.checkpoints
    assert [each.checkpoint_id for each in model.checkpoints] == [each.checkpoint_id for each in checkpoints]
    assert model.endpoints and {each.name for each in model.endpoints} == {each.endpoint for each in checkpoints}
    tuned = client.models.list(config={"query_base": False})
    assert "whole" in [each.display_name for each in tuned]


def test_only_the_last_checkpoint(client: genai.Client, training: str) -> None:
    config: dict[str, Any] = {"epoch_count": 2, "adapter_size": "ADAPTER_SIZE_ONE", "learning_rate_multiplier": 0.5}
    job = wait(client, tune(client, training, export_last_checkpoint_only=True, **config))
    assert job.tuned_model and job.tuned_model.model and job.name
    assert job.tuned_model.checkpoints is None and answer(client, job.tuned_model.endpoint)
    model = client.models.get(model=job.tuned_model.model)
    assert model.display_name == f"gemini-2.5-flash-{job.name.rpartition('/')[2]}"
    assert model.checkpoints and [(each.epoch, each.step) for each in model.checkpoints] == [(2, 20)]


@pytest.mark.parametrize(("region", "served"), [("us-central1", "us"), ("europe-west4", "eu")])
def test_gemini_3_is_served_from_a_multi_region(region: str, served: str, server: Any, training: str) -> None:
    client = genai.Client(vertexai=True, project=PROJECT, location=region)
    job = wait(client, tune(client, training, "gemini-3.5-flash", epoch_count=1))
    assert job.tuned_model and job.tuned_model.model and job.tuned_model.endpoint
    assert job.tuned_model.model.startswith(f"{PARENT}/{region}/models/")
    assert job.tuned_model.endpoint.startswith(f"{PARENT}/{served}/endpoints/")
    assert answer(genai.Client(vertexai=True, project=PROJECT, location=served), job.tuned_model.endpoint)
    wrong = job.tuned_model.endpoint.replace(f"/{served}/", f"/{region}/")
    with pytest.raises(errors.ClientError) as refused:
        answer(client, wrong)
    assert refused.value.code == 404


def test_tuning_goes_on_from_a_tuned_model(client: genai.Client, training: str, upload: Upload) -> None:
    first = wait(client, tune(client, training, epoch_count=2, tuned_model_display_name="chain"))
    assert first.tuned_model and first.tuned_model.model
    model = first.tuned_model.model
    validation = types.TuningValidationDataset(gcs_uri=upload("chain.jsonl", VALIDATION))

    second = wait(client, tune(client, training, model, epoch_count=1, validation_dataset=validation))
    assert second.pre_tuned_model and second.base_model is None
    assert second.pre_tuned_model.base_model == "gemini-2.5-flash"
    assert (second.pre_tuned_model.tuned_model_name, second.pre_tuned_model.checkpoint_id) == (model, "2")
    assert second.tuned_model and second.tuned_model.model == model.replace("@1", "@2")
    assert answer(client, second.tuned_model.endpoint) == VALIDATION[0]["contents"][1]["parts"][0]["text"]

    config: dict[str, Any] = {
        "pre_tuned_model_checkpoint_id": "1",
        "tuned_model_display_name": "branch",
        "epoch_count": 1,
    }
    branch = wait(client, tune(client, training, second.tuned_model.model, **config))
    assert branch.tuned_model and branch.tuned_model.model and branch.tuned_model.model.endswith("@1")
    assert branch.tuned_model.model.partition("@")[0] != model.partition("@")[0]
    assert client.models.get(model=branch.tuned_model.model).display_name == "branch"


def test_a_second_job_waits_for_quota_and_both_can_be_cancelled(
    client: genai.Client, slow_training: str, tmp_path: Path
) -> None:
    running = tune(client, slow_training, epoch_count=100)
    waiting = tune(client, slow_training, epoch_count=100)
    running = wait_for(client, running, lambda job: bool(job.experiment))
    assert running.state == types.JobState.JOB_STATE_RUNNING
    assert running.tuning_job_state == types.TuningJobState.TUNING_JOB_STATE_TUNING
    waiting = wait_for(client, waiting, lambda job: job.tuning_job_state is not None)
    assert waiting.state == types.JobState.JOB_STATE_PENDING and waiting.start_time is None
    assert waiting.tuning_job_state == types.TuningJobState.TUNING_JOB_STATE_WAITING_FOR_QUOTA
    for job in (waiting, running):
        assert job.name
        client.tunings.cancel(name=job.name)
        ended = wait(client, job)
        assert ended.state == types.JobState.JOB_STATE_CANCELLED
        assert ended.error and ended.error.code == CANCELLED and ended.error.message
        assert ended.end_time and ended.tuned_model is None and ended.tuning_job_state is None
    assert not workers()
    with pytest.raises(errors.ClientError) as refused:
        client.tunings.cancel(name=str(running.name))
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")


def test_a_job_cancelled_at_once(client: genai.Client, training: str) -> None:
    job = tune(client, training)
    client.tunings.cancel(name=str(job.name))
    assert wait(client, job).state == types.JobState.JOB_STATE_CANCELLED


def workers() -> list[int]:
    """Returns the training processes that this process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"vertex_emulator.tuning.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_a_crash_of_the_training_process_fails_the_job(client: genai.Client, slow_training: str) -> None:
    job = wait_for(client, tune(client, slow_training, epoch_count=100), lambda job: bool(job.experiment))
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    job = wait(client, job)
    assert job.state == types.JobState.JOB_STATE_FAILED and job.error
    assert job.error.code == INTERNAL
    assert job.error.message == "Internal error encountered: the training process ended with code -9"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [*EXAMPLES[:8], {}],
            "1 of the 9 examples of The training dataset gs://tuning-data/bad.jsonl were dropped",
        ),
        ("", "The training dataset gs://tuning-data/bad.jsonl is empty."),
    ],
)
def test_bad_data_fails_the_job_before_training(client: genai.Client, upload: Upload, lines: Any, message: str) -> None:
    job = wait(client, tune(client, upload("bad.jsonl", lines)))
    assert job.state == types.JobState.JOB_STATE_FAILED and job.error
    assert job.error.code == INVALID and job.error.message and message in job.error.message
    assert job.end_time and job.experiment is None and job.tuned_model is None
    if lines:
        stats = job.tuning_data_stats and job.tuning_data_stats.supervised_tuning_data_stats
        assert stats and stats.truncated_example_indices == [9]


def test_bad_validation_data_fails_the_job(client: genai.Client, training: str, upload: Upload) -> None:
    large = upload("large.jsonl", EXAMPLES[:1] * 1001)
    config = types.TuningValidationDataset(gcs_uri=large)
    job = wait(client, tune(client, training, validation_dataset=config))
    assert job.error and job.error.message and "gs://tuning-data/large.jsonl has 1001 examples" in job.error.message


def test_a_dataset_that_is_missing_is_found_out_by_the_job(client: genai.Client) -> None:
    job = wait(client, tune(client, "gs://tuning-data/none.jsonl"))
    assert job.state == types.JobState.JOB_STATE_FAILED and job.error and job.error.message
    assert job.error.code == INVALID and "gs://tuning-data/none.jsonl cannot be read" in job.error.message


def test_list_is_newest_first_in_pages_and_filtered(client: genai.Client) -> None:
    made = [tune(client, "gs://tuning-data/none.jsonl", labels={"set": "list", "n": str(n)}) for n in range(3)]
    for job in made:
        wait(client, job)
    newest = [job.name for job in reversed(made)]
    assert [job.name for job in client.tunings.list(config={"page_size": 2})][:3] == newest
    pager = client.tunings.list(config={"filter": "labels.set=list", "page_size": 2})
    assert len(pager.page) == 2 and [job.name for job in pager] == newest
    chosen = client.tunings.list(config={"filter": 'state="JOB_STATE_FAILED" AND labels.n=1'})
    assert [job.name for job in chosen] == [made[1].name]
    assert not list(client.tunings.list(config={"filter": "labels.set=none"}))


def test_refusals_reach_the_client(client: genai.Client, training: str) -> None:
    with pytest.raises(errors.ClientError) as refused:
        tune(client, training, "gemini-2.0-flash-001")
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert "was retired on 2026-06-01" in str(refused.value.message)
    with pytest.raises(errors.ClientError) as refused:
        client.tunings.get(name="tuningJobs/1")
    assert refused.value.code == 404
    elsewhere = genai.Client(vertexai=True, project=PROJECT, location="global")
    with pytest.raises(errors.ClientError) as refused:
        tune(elsewhere, training)
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")
