"""Component: the tuning job."""

from typing import NamedTuple

from kfp import dsl

from components.image import component


@component
def tune_model(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    tuning: dsl.Output[dsl.Artifact],
) -> NamedTuple("TunedModel", model=str, model_uri=str, endpoint=str, endpoint_uri=str):  # type: ignore[valid-type]
    """Tunes the experiment's base model and waits for the end of the job.

    Args:
        project: Google Cloud project.
        location: Region of the job.
        experiment_uri: The experiment file.
        run_id: Names the tuned model.
        train: Examples to tune on.
        validation: Examples for the loss during tuning.
        tuning: JSON with the job, its settings as run, its model, endpoints and what it left out.

    Returns:
        Resource names of the tuned model and of its endpoint, and the HTTPS addresses of both.
    """
    from gemini_sft.steps.tune_model import resource_uri, tune_model

    record = tune_model(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        train_uri=train.uri,
        validation_uri=validation.uri,
        tuning_uri=tuning.uri,
    )
    return (record.model, resource_uri(record.model), record.endpoint, resource_uri(record.endpoint))
