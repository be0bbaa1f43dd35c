"""Component: whoever is told how the run ended."""

from kfp import dsl

from components.image import component


@component
def notify(project: str, location: str, experiment_uri: str, run_id: str, status: dsl.PipelineTaskFinalStatus) -> None:
    """Posts to the experiment's webhook how the run ended; its own failure is a warning and no more.

    Args:
        project: Google Cloud project.
        location: Region of the run.
        experiment_uri: The experiment file; if it has no `notification.webhook`, nothing is done.
        run_id: The run that has ended.
        status: How it did; Vertex AI gives it to the exit task of a pipeline.
    """
    from gemini_sft.steps.notify import notify

    notify(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        state=status.state or "",
        error=status.error_message or "",
    )
