"""Component: which checkpoint of a tuning job is taken."""

from typing import NamedTuple

from kfp import dsl

from components.image import component


@component
def select_checkpoint(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    validation: dsl.Input[dsl.Dataset],
    tuning: dsl.Input[dsl.Artifact],
    curves: dsl.Input[dsl.Artifact],
    selection: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    page: dsl.Output[dsl.HTML],
) -> NamedTuple("Taken", model=str, model_uri=str, endpoint=str, endpoint_uri=str):  # type: ignore[valid-type]
    """Scores the checkpoints on validation, takes the best, and makes it the model's default one.

    Args:
        project: Google Cloud project.
        location: Region of the job.
        experiment_uri: The experiment file.
        run_id: Under which answers are kept until the run has ended.
        models: The base model, as `find_models` wrote it.
        validation: The examples to be asked.
        tuning: The job, as `tune_model` wrote it.
        curves: Its curves, as `extract_metrics` wrote them.
        selection: JSON with all candidates, the one that was taken, and why.
        metrics: What was taken, and of how many.
        page: All candidates as a page.

    Returns:
        Resource names of the tuned model and of the endpoint of the checkpoint, and the HTTPS addresses of both.
    """
    from gemini_sft.steps.select_checkpoint import select_checkpoint

    found = select_checkpoint(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        validation_uri=validation.uri,
        tuning_uri=tuning.uri,
        curves_uri=curves.uri,
        selection_uri=selection.uri,
        page_uri=page.uri,
    )
    metrics.metadata.update(found.summary())
    return found.taken.resources()
