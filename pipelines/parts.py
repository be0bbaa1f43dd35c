"""What the pipelines have in common: how a run begins, how one job is tuned, and how a run ends.

Plain functions that put tasks into the pipeline that is being built.
"""

from dataclasses import dataclass
from typing import Any

from google_cloud_pipeline_components.types.artifact_types import VertexEndpoint, VertexModel
from kfp import dsl

from components.compare_models import compare_models
from components.evaluate_model import evaluate_model
from components.extract_metrics import extract_metrics
from components.find_models import find_models
from components.judge_answers import judge_answers
from components.log_evaluation import log_evaluation
from components.prepare_data import prepare_data
from components.promote_model import promote_model
from components.quote_cost import quote_cost
from components.select_checkpoint import select_checkpoint
from components.tune_model import tune_model

_OF_AN_ARM = ("predictions", "evaluation", "traffic")


@dataclass(frozen=True)
class Begun:
    """The tasks with which a run begins.

    Attributes:
        place: `project`, `location` and `experiment_uri`, which nearly every task takes.
        data: The three splits.
        models: The base model and the champion.
        quote: What it costs; it has passed the budget.
        base: The base model, evaluated.
        few_shot: The same with examples in its prompt.
        champion: The model that the experiment has promoted, evaluated.
    """

    place: dict[str, Any]
    data: dsl.PipelineTask
    models: dsl.PipelineTask
    quote: dsl.PipelineTask
    base: dsl.PipelineTask
    few_shot: dsl.PipelineTask
    champion: dsl.PipelineTask

    @property
    def run(self) -> dict[str, Any]:
        """What tasks take that keep something for another attempt."""
        return {**self.place, "run_id": dsl.PIPELINE_JOB_NAME_PLACEHOLDER, "models": self.models.outputs["models"]}


def begin(project: str, location: str, experiment_uri: str) -> Begun:
    """Prepares data, finds the models, quotes the cost, and evaluates what there is before tuning."""
    place = {"project": project, "location": location, "experiment_uri": experiment_uri}
    data = _fresh(prepare_data(experiment_uri=experiment_uri), "prepare data")
    models = _fresh(find_models(**place), "find models")
    # Nothing is paid for before the quote has passed the budget.
    quote = _fresh(
        quote_cost(
            **place,
            models=models.outputs["models"],
            train=data.outputs["train"],
            validation=data.outputs["validation"],
            test=data.outputs["test"],
        ),
        "quote cost",
    )
    asked = {
        **place,
        "run_id": dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
        "models": models.outputs["models"],
        "train": data.outputs["train"],
        "test": data.outputs["test"],
    }
    base = _resumable(evaluate_model(**asked, arm="base"), "evaluate base model").after(quote)
    # What one could have without tuning; nothing is done unless the experiment asks for it.
    few_shot = _resumable(evaluate_model(**asked, arm="few_shot"), "evaluate base with examples").after(quote)
    # What is in use already; nothing is done if nothing has been promoted.
    champion = _resumable(evaluate_model(**asked, arm="champion"), "evaluate champion").after(quote)
    return Begun(place, data, models, quote, base, few_shot, champion)


@dataclass(frozen=True)
class Tuned:
    """One tuning job: itself, its curves, and which of its checkpoints is taken."""

    job: dsl.PipelineTask
    curves: dsl.PipelineTask
    selection: dsl.PipelineTask


def tune(begun: Begun, trial: Any = "") -> Tuned:
    """Tunes a model, with the settings of a trial if there is a sweep, and takes its best checkpoint."""
    data = begun.data
    job = _resumable(
        tune_model(**begun.run, train=data.outputs["train"], validation=data.outputs["validation"], trial=trial).after(
            begun.quote
        ),
        "tune model",
    )
    curves = _fresh(
        extract_metrics(tuning=job.outputs["tuning"], quote=begun.quote.outputs["quote"]), "extract metrics"
    )
    selection = _resumable(
        select_checkpoint(
            **begun.run,
            validation=data.outputs["validation"],
            tuning=job.outputs["tuning"],
            curves=curves.outputs["curves"],
        ),
        "select checkpoint",
    )
    return Tuned(job, curves, selection)


def decide(begun: Begun, tuning: dsl.PipelineTask, curves: dsl.PipelineTask, taken: dsl.PipelineTask) -> None:
    """Registers the model, asks it the test split, compares, and promotes it if it is better.

    Args:
        begun: The tasks with which the run began.
        tuning: Gives the job, as `tuning`.
        curves: Gives its curves, as `curves`.
        taken: Gives what is taken: `selection`, and the names of model and endpoint.
    """
    dsl.importer(
        artifact_uri=taken.outputs["model_uri"],
        artifact_class=VertexModel,
        metadata={"resourceName": taken.outputs["model"]},
    ).set_display_name("register tuned model")
    dsl.importer(
        artifact_uri=taken.outputs["endpoint_uri"],
        artifact_class=VertexEndpoint,
        metadata={"resourceName": taken.outputs["endpoint"]},
    ).set_display_name("register tuned endpoint")
    train, test = begun.data.outputs["train"], begun.data.outputs["test"]
    candidate = _resumable(
        evaluate_model(**begun.run, train=train, test=test, arm="candidate", endpoint=taken.outputs["endpoint"]),
        "evaluate tuned model",
    )
    predictions = {
        "base_predictions": begun.base.outputs["predictions"],
        "candidate_predictions": candidate.outputs["predictions"],
    }
    run_id = dsl.PIPELINE_JOB_NAME_PLACEHOLDER
    judgement = _resumable(judge_answers(**begun.place, run_id=run_id, test=test, **predictions), "judge answers")
    asked = {"base": begun.base, "candidate": candidate, "few_shot": begun.few_shot, "champion": begun.champion}
    compared = _fresh(
        compare_models(
            experiment_uri=begun.place["experiment_uri"],
            run_id=run_id,
            models=begun.models.outputs["models"],
            train=train,
            test=test,
            data=begun.data.outputs["summary"],
            **{f"{arm}_{name}": task.outputs[name] for arm, task in asked.items() for name in _OF_AN_ARM},
            judgement=judgement.outputs["judgement"],
            tuning=tuning.outputs["tuning"],
            curves=curves.outputs["curves"],
            selection=taken.outputs["selection"],
            quote=begun.quote.outputs["quote"],
        ),
        "compare models",
    )
    logged = log_evaluation(
        **begun.place,
        run_id=run_id,
        comparison=compared.outputs["comparison"],
        tuning=tuning.outputs["tuning"],
        selection=taken.outputs["selection"],
        quote=begun.quote.outputs["quote"],
    )
    _resumable(logged, "log evaluation")
    with dsl.If(compared.outputs["Output"] == "promote", name="promote"):
        promoted = promote_model(
            **begun.run,
            test=test,
            selection=taken.outputs["selection"],
            evaluation=candidate.outputs["evaluation"],
            comparison=compared.outputs["comparison"],
        )
        _resumable(promoted, "promote model")


def _fresh(task: dsl.PipelineTask, name: str) -> dsl.PipelineTask:
    """Data and models change behind their names, and a job or a decision of another day is not this run's."""
    return task.set_display_name(name).set_caching_options(enable_caching=False)


def _resumable(task: dsl.PipelineTask, name: str) -> dsl.PipelineTask:
    """What was answered or tuned before a fault is kept, so a second attempt costs nothing twice."""
    return _fresh(task, name).set_retry(num_retries=1)
