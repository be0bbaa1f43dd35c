"""Component: the run among others of its experiment."""

from kfp import dsl

from components.image import component


@component
def log_evaluation(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    comparison: dsl.Input[dsl.Artifact],
    tuning: dsl.Input[dsl.Artifact],
    selection: dsl.Input[dsl.Artifact],
    quote: dsl.Input[dsl.Artifact],
) -> None:
    """Logs what was tuned and what came of it to Vertex AI Experiments; what it does not take ends no run.

    Args:
        project: Google Cloud project.
        location: Region of the experiment.
        experiment_uri: The experiment file.
        run_id: Names the run in the experiment.
        comparison: Base and tuned model, as `compare_models` wrote it.
        tuning: The job, as `tune_model` or `select_trial` wrote it.
        selection: The checkpoint that was taken.
        quote: What was quoted.
    """
    from gemini_sft.steps.log_evaluation import log_evaluation

    log_evaluation(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        comparison_uri=comparison.uri,
        tuning_uri=tuning.uri,
        selection_uri=selection.uri,
        quote_uri=quote.uri,
    )
