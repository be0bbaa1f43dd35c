"""Component: the tuning job."""

from kfp import dsl

from components.image import component


@component
def tune_model(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    tuning: dsl.Output[dsl.Artifact],
    trial: str = "",
) -> None:
    """Tunes the base model and waits for the end of the job; a job that was made for the same already is adopted.

    Args:
        project: Google Cloud project.
        location: Region of the job.
        experiment_uri: The experiment file.
        run_id: Names the tuned model.
        models: What is tuned, as `find_models` wrote it.
        train: Examples to tune on.
        validation: Examples for the loss during tuning.
        tuning: JSON with the job, its settings as run, its model, endpoints and what it left out.
        trial: Which settings of a sweep; empty for those of `tuning`.
    """
    from gemini_sft.steps.tune_model import tune_model

    record = tune_model(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        train_uri=train.uri,
        validation_uri=validation.uri,
        trial=trial,
        tuning_uri=tuning.uri,
    )
    tuning.metadata.update(record.lineage())
