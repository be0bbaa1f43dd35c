"""Component: which trial of a sweep is taken."""

from typing import List, NamedTuple  # noqa: UP035

from kfp import dsl

from components.image import component


@component
def select_trial(
    experiment_uri: str,
    tunings: dsl.Input[List[dsl.Artifact]],  # noqa: UP006
    trial_curves: dsl.Input[List[dsl.Artifact]],  # noqa: UP006
    selections: dsl.Input[List[dsl.Artifact]],  # noqa: UP006
    tuning: dsl.Output[dsl.Artifact],
    curves: dsl.Output[dsl.Artifact],
    selection: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    page: dsl.Output[dsl.HTML],
) -> NamedTuple("Taken", model=str, model_uri=str, endpoint=str, endpoint_uri=str):  # type: ignore[valid-type]
    """Takes the best checkpoint of all trials.

    Args:
        experiment_uri: The experiment file.
        tunings: Of each trial the job, as `tune_model` wrote it.
        trial_curves: Of each trial its curves, as `extract_metrics` wrote them.
        selections: Of each trial its checkpoints, as `select_checkpoint` wrote them.
        tuning: The job of the trial that is taken.
        curves: Its curves.
        selection: JSON with all candidates of all trials, the one that was taken, and why.
        metrics: What was taken, and of how many.
        page: All trials as a table and a plot.

    Returns:
        Resource names of the tuned model and of the endpoint of the checkpoint, and the HTTPS addresses of both.
    """
    from gemini_sft.steps.sweep import select_trial

    found = select_trial(
        experiment_uri=experiment_uri,
        tuning_uris=[one.uri for one in tunings],
        curves_uris=[one.uri for one in trial_curves],
        selection_uris=[one.uri for one in selections],
        tuning_uri=tuning.uri,
        curves_uri=curves.uri,
        selection_uri=selection.uri,
        page_uri=page.uri,
    )
    metrics.metadata.update(found.summary())
    return found.taken.resources()
