"""What a scheduled run does: tune on new data, or else ask the champion again, or say why it does neither."""

from kfp import dsl

from components.plan_retraining import plan_retraining
from pipelines.deciding import decide
from pipelines.ending import telling
from pipelines.parts import begin, evaluate, fresh, recheck
from pipelines.tuning import tune


def retrain_of(concurrent_jobs: int = 0) -> dsl.base_component.BaseComponent:
    """Returns the pipeline for one tuning job, or for a sweep with so many at once."""
    name = "gemini-retrain-sweep" if concurrent_jobs else "gemini-retrain"

    @dsl.pipeline(name=name, description="Tune a Gemini model anew if there is reason to, or recheck the one in use.")
    def retrain(project: str, location: str, experiment_uri: str) -> None:
        """Looks at today's data, models and budget, and then does what the main pipeline does, or rechecks, or neither.

        Args:
            project: Google Cloud project.
            location: Region of the tuning jobs and of the base model.
            experiment_uri: The experiment file, with data at `gs://` URIs.
        """
        with telling(project, location, experiment_uri):
            begun = begin(project, location, experiment_uri, "retrain")
            planned = plan_retraining(**begun.run, **begun.splits, quote=begun.quote.outputs["quote"])
            path = fresh(planned, "plan retraining").outputs["Output"]
            with dsl.If(path == "tune", name="tune"):
                decide(begun, evaluate(begun), tune(begun, concurrent_jobs))
            with dsl.If(path == "recheck", name="recheck"):
                recheck(begun)

    return retrain


retrain = retrain_of()
