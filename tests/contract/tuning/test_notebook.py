"""Google's two notebooks, on summarization and on question answering, with a model id that is not retired.

The same calls in the same order; uploads, printing, plotting and waiting are shortened.
"""

import time
from typing import Any

import pytest
from google import genai
from google.cloud import aiplatform
from google.cloud.aiplatform.metadata import context
from google.cloud.aiplatform.metadata import utils as metadata_utils
from google.genai import types

from tests.contract.tuning.conftest import EXAMPLES, VALIDATION, Upload

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

base_model = "gemini-2.5-flash"


def wait(client: genai.Client, sft_tuning_job: types.TuningJob) -> types.TuningJob:
    tuning_job = client.tunings.get(name=sft_tuning_job.name)  # type: ignore[arg-type]
    running_states = [
        "JOB_STATE_PENDING",
        "JOB_STATE_RUNNING",
    ]
    while tuning_job.state.name in running_states:  # type: ignore[union-attr]
        tuning_job = client.tunings.get(name=tuning_job.name)  # type: ignore[arg-type]
        time.sleep(0.1)
    found: types.TuningJob = tuning_job
    return found


def read_metrics(experiment_name: str | None) -> Any:
    # Locate Vertex AI Experiment and Vertex AI Experiment Run
    experiment = aiplatform.Experiment(experiment_name=experiment_name)
    filter_str = metadata_utils._make_filter_string(
        schema_title="system.ExperimentRun",
        parent_contexts=[experiment.resource_name],
    )
    experiment_run = context.Context.list(filter_str)[0]

    # Read data from Tensorboard
    tensorboard_run_name = f"{experiment.get_backing_tensorboard_resource().resource_name}/experiments/{experiment.name}/runs/{experiment_run.name.replace(experiment.name, '')[1:]}"  # noqa: E501
    tensorboard_run = aiplatform.TensorboardRun(tensorboard_run_name)
    return tensorboard_run.read_time_series_data()


def get_metrics(metrics: Any, metric: str = "/train_total_loss") -> tuple[list[int], list[float]]:
    loss_values = metrics[metric].values
    steps_loss = []
    steps = []
    for loss in loss_values:
        steps_loss.append(loss.scalar.value)
        steps.append(loss.step)
    return steps, steps_loss


def series(purpose: str) -> set[str]:
    return {f"/{purpose}_{name}" for name in ("total_loss", "fraction_of_correct_next_step_preds", "num_predictions")}


def test_summarization(client: genai.Client, upload: Upload) -> None:
    training_dataset = {"gcs_uri": upload("train/sft_train_samples.jsonl", EXAMPLES)}
    validation_dataset = types.TuningValidationDataset(gcs_uri=upload("val/sft_val_samples.jsonl", VALIDATION))
    prompt = VALIDATION[0]["contents"][0]["parts"][0]["text"]
    truth = VALIDATION[0]["contents"][1]["parts"][0]["text"]
    config: Any = {"temperature": 0.1, "max_output_tokens": 50}

    sft_tuning_job = client.tunings.tune(
        base_model=base_model,
        training_dataset=training_dataset,
        config=types.CreateTuningJobConfig(
            tuned_model_display_name="notebook",
            validation_dataset=validation_dataset,
        ),
    )
    tuning_job = wait(client, sft_tuning_job)
    assert tuning_job.tuned_model is not None
    tuned_model = tuning_job.tuned_model.endpoint
    experiment_name = tuning_job.experiment

    metrics = read_metrics(experiment_name)
    steps, losses = get_metrics(metrics, metric="/train_total_loss")
    eval_steps, eval_losses = get_metrics(metrics, metric="/eval_total_loss")
    assert set(metrics) == series("train") | series("eval")
    stats = tuning_job.tuning_data_stats and tuning_job.tuning_data_stats.supervised_tuning_data_stats
    assert stats and stats.tuning_step_count
    assert steps == list(range(1, stats.tuning_step_count + 1))
    assert losses[-1] < losses[0] / 10 and eval_losses[-1] < eval_losses[0] / 10
    assert eval_steps[0] == 0 and eval_steps[-1] == steps[-1]
    assert get_metrics(metrics, "/eval_fraction_of_correct_next_step_preds")[1][-1] == 1
    assert get_metrics(metrics, "/eval_num_predictions")[1][0] == len(VALIDATION)
    epochs = len(eval_steps) - 1
    assert sum(get_metrics(metrics, "/train_num_predictions")[1]) == len(EXAMPLES) * epochs

    assert client.models.generate_content(model=str(tuned_model), contents=prompt, config=config).text == truth
    assert client.models.generate_content(model=base_model, contents=prompt, config=config).text != truth

    # Cleaning up
    experiments_list = aiplatform.Experiment.list()
    for experiment in experiments_list:
        if experiment.resource_name == experiment_name:
            experiment.delete()
            break
    for endpoint in aiplatform.Endpoint.list():
        if endpoint.resource_name == tuned_model:
            endpoint.delete(force=True)
            break
    assert experiment_name not in [each.resource_name for each in aiplatform.Experiment.list()]
    assert tuned_model not in [each.resource_name for each in aiplatform.Endpoint.list()]


def test_question_answering(client: genai.Client, training: str) -> None:
    training_dataset = {
        "gcs_uri": training,
    }
    sft_tuning_job = client.tunings.tune(
        base_model=base_model,
        training_dataset=training_dataset,
        config=types.CreateTuningJobConfig(
            adapter_size="ADAPTER_SIZE_EIGHT",  # type: ignore[arg-type]
            epoch_count=1,  # set to one to keep time and cost low
            tuned_model_display_name="gemini-flash-1.5-qa",
        ),
    )
    tuning_job = wait(client, sft_tuning_job)

    metrics = read_metrics(tuning_job.experiment)
    assert set(metrics) == series("train")
    assert get_metrics(metrics, metric="/train_total_loss")[0] == list(range(1, 11))
    assert tuning_job.tuned_model and tuning_job.tuned_model.endpoint
    question = VALIDATION[0]["contents"][0]["parts"][0]["text"]
    response = client.models.generate_content(
        model=tuning_job.tuned_model.endpoint,
        contents=question,
        config={
            "system_instruction": "Extract the order id.",
            "temperature": 0.3,
        },
    )
    assert response.text
