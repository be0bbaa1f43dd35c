"""A sweep: tune with several settings, and take the best of them through the same evaluation and decision."""

from kfp import dsl

from components.list_trials import list_trials
from components.select_trial import select_trial
from pipelines.ending import telling
from pipelines.parts import begin, decide, tune


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
            trials = list_trials(experiment_uri=experiment_uri).after(begun.quote).set_display_name("list trials")
            trials.set_caching_options(enable_caching=False)
            with dsl.ParallelFor(trials.output, parallelism=concurrent_jobs) as trial:
                tuned = tune(begun, trial)
            best = select_trial(
                experiment_uri=experiment_uri,
                tunings=dsl.Collected(tuned.job.outputs["tuning"]),
                trial_curves=dsl.Collected(tuned.curves.outputs["curves"]),
                selections=dsl.Collected(tuned.selection.outputs["selection"]),
            )
            best.set_display_name("select trial").set_caching_options(enable_caching=False)
            decide(begun, best, best, best)

    return sweep


sweep = sweep_of(1)
