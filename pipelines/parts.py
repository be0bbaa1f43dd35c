"""What the pipelines have in common: how a run begins, and who is asked before and beside the tuning.

Plain functions that put tasks into the pipeline that is being built.
"""

from dataclasses import dataclass
from typing import Any, Literal

from kfp import dsl

from components.evaluate_model import evaluate_model
from components.find_data import find_data
from components.find_models import find_models
from components.prepare_data import prepare_data
from components.quote_cost import quote_cost
from components.recheck_champion import recheck_champion

OF_AN_ARM = ("predictions", "evaluation", "traffic")
"""What an evaluation gives that is compared."""

Purpose = Literal["run", "retrain", "recheck"]
"""What a run is there for: to tune, to tune if there is reason to, or to ask the champion again."""


@dataclass(frozen=True)
class Begun:
    """The tasks with which a run begins.

    Attributes:
        place: `project`, `location` and `experiment_uri`, which nearly every task takes.
        data: The three splits.
        models: The base model and the champion.
        quote: What it costs.
    """

    place: dict[str, Any]
    data: dsl.PipelineTask
    models: dsl.PipelineTask
    quote: dsl.PipelineTask

    @property
    def run(self) -> dict[str, Any]:
        """What tasks take that keep something for another attempt."""
        return {**self.place, "run_id": dsl.PIPELINE_JOB_NAME_PLACEHOLDER, "models": self.models.outputs["models"]}

    @property
    def splits(self) -> dict[str, Any]:
        """What tasks take that compare on test."""
        return {name: self.data.outputs[name] for name in ("train", "test")}


def begin(project: str, location: str, experiment_uri: str, purpose: Purpose = "run") -> Begun:
    """Prepares the data, unless that was done for the same data before, finds the models and quotes the cost."""
    place = {"project": project, "location": location, "experiment_uri": experiment_uri}
    run_id = dsl.PIPELINE_JOB_NAME_PLACEHOLDER
    version = fresh(find_data(experiment_uri=experiment_uri, run_id=run_id), "find data")
    data = prepare_data(experiment_uri=experiment_uri, version=version.output).set_display_name("prepare data")
    # The only task whose outputs follow from what it is given, and nothing else.
    data.set_caching_options(enable_caching=True)
    models = fresh(find_models(**place, purpose=purpose), "find models")
    quote = fresh(
        quote_cost(
            **place,
            run_id=run_id,
            purpose=purpose,
            models=models.outputs["models"],
            **{name: data.outputs[name] for name in ("train", "validation", "test")},
        ),
        "quote cost",
    )
    return Begun(place, data, models, quote)


@dataclass(frozen=True)
class Arms:
    """What there is before tuning, evaluated.

    Attributes:
        base: The base model.
        few_shot: The same with examples in its prompt.
        champion: The model that the experiment has promoted.
    """

    base: dsl.PipelineTask
    few_shot: dsl.PipelineTask
    champion: dsl.PipelineTask


def evaluate(begun: Begun) -> Arms:
    """Evaluates what there is before tuning, and does not wait for it."""
    return Arms(
        base=_evaluated(begun, "base", "evaluate base model"),
        # What one could have without tuning; nothing is done unless the experiment asks for it.
        few_shot=_evaluated(begun, "few_shot", "evaluate base with examples"),
        # What is in use already; nothing is done if nothing has been promoted.
        champion=_evaluated(begun, "champion", "evaluate champion"),
    )


def recheck(begun: Begun) -> None:
    """Asks the champion again, and holds what it scores against what it scored when it was promoted."""
    asked = _evaluated(begun, "recheck", "evaluate champion again")
    rechecked = recheck_champion(
        experiment_uri=begun.place["experiment_uri"],
        run_id=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
        models=begun.models.outputs["models"],
        test=begun.data.outputs["test"],
        **{f"champion_{name}": asked.outputs[name] for name in OF_AN_ARM},
    )
    fresh(rechecked, "recheck champion")


def _evaluated(begun: Begun, arm: str, name: str) -> dsl.PipelineTask:
    # Nothing is paid for before the quote has passed the budget.
    return resumable(evaluate_model(**begun.run, **begun.splits, arm=arm), name).after(begun.quote)


def fresh(task: dsl.PipelineTask, name: str) -> dsl.PipelineTask:
    """Data and models change behind their names, and a job or a decision of another day is not this run's."""
    return task.set_display_name(name).set_caching_options(enable_caching=False)


def resumable(task: dsl.PipelineTask, name: str) -> dsl.PipelineTask:
    """What was answered or tuned before a fault is kept, so a second attempt costs nothing twice."""
    return fresh(task, name).set_retry(num_retries=1)
