"""Component: what the experiment's base model stands for, and which model is in use."""

from kfp import dsl

from components.image import component


@component
def find_models(
    project: str, location: str, experiment_uri: str, purpose: str, models: dsl.Output[dsl.Artifact]
) -> None:
    """Looks up the base model and the champion, and refuses what cannot be tuned if the run is there to tune.

    Args:
        project: Google Cloud project.
        location: Region of the tuning job.
        experiment_uri: The experiment file.
        purpose: What the run is there for: run, retrain (it tunes if there is reason to) or recheck.
        models: JSON with the base model: its id and, if it was tuned before, its version, checkpoint and endpoint; and
            the same of the champion, if there is one.
    """
    from gemini_sft.steps.find_models import find_models

    base = find_models(
        project=project, location=location, experiment_uri=experiment_uri, purpose=purpose, models_uri=models.uri
    )
    models.metadata.update(base.model_dump(mode="json", exclude_none=True))
