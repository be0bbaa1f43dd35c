"""Component: a tuned model that is better becomes the champion."""

from typing import NamedTuple

from kfp import dsl

from components.image import component


@component
def promote_model(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    test: dsl.Input[dsl.Dataset],
    selection: dsl.Input[dsl.Artifact],
    evaluation: dsl.Input[dsl.Artifact],
    comparison: dsl.Input[dsl.Artifact],
) -> NamedTuple("Promoted", champion=str, previous=str):  # type: ignore[valid-type]
    """Attaches the evaluation to the model, labels it, and gives it the alias `champion`.

    Args:
        project: Google Cloud project.
        location: Region of the tuned model.
        experiment_uri: The experiment file.
        run_id: The run, which is put on the model.
        models: The champion that the tuned model was compared with, as `find_models` wrote it.
        test: The examples that were asked, of which only the prompt's fingerprint is read.
        selection: What was taken, as `select_checkpoint` or `select_trial` wrote it.
        evaluation: How that scored on test, as `evaluate_model` wrote it.
        comparison: The verdict, as `compare_models` wrote it; it must be `promote`.

    Returns:
        Resource names of the champion and of the one before it; empty if there was none.
    """
    from gemini_sft.steps.promote_model import promote_model

    found = promote_model(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        test_uri=test.uri,
        selection_uri=selection.uri,
        evaluation_uri=evaluation.uri,
        comparison_uri=comparison.uri,
    )
    return found.champion or "", found.previous or ""
