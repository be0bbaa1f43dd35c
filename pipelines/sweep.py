"""A sweep: tune with several settings, and take the best of them through the same evaluation and decision."""

from kfp import dsl

from pipelines.deciding import decide
from pipelines.ending import telling
from pipelines.parts import begin, evaluate
from pipelines.tuning import tune


def sweep_of(concurrent_jobs: int) -> dsl.base_component.BaseComponent:
    """Returns the pipeline for so many tuning jobs at once, which a compiled pipeline cannot be told when it runs."""

    @dsl.pipeline(name="gemini-sweep", description="Tune a Gemini model with several settings and compare the best.")
    def sweep(project: str, location: str, experiment_uri: str) -> None:
        """Evaluates the base model, tunes each trial, and compares the trial that is best on validation with the base.

        Args:
            project: Google Cloud project.
            location: Region of the tuning jobs and of the base model.
            experiment_uri: The experiment file, with a sweep and with data at `gs://` URIs.
        """
        with telling(project, location, experiment_uri):
            begun = begin(project, location, experiment_uri)
            decide(begun, evaluate(begun), tune(begun, concurrent_jobs))

    return sweep


sweep = sweep_of(1)
