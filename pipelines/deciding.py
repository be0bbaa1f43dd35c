"""How the pipelines decide: what was tuned is asked the test split, compared, and promoted if it is better."""

from google_cloud_pipeline_components.types.artifact_types import VertexEndpoint, VertexModel
from kfp import dsl

from components.compare_models import compare_models
from components.evaluate_model import evaluate_model
from components.judge_answers import judge_answers
from components.log_evaluation import log_evaluation
from components.promote_model import promote_model
from pipelines.parts import OF_AN_ARM, Arms, Begun, fresh, resumable
from pipelines.tuning import Tuned


def decide(begun: Begun, arms: Arms, tuned: Tuned) -> None:
    """Registers the model, asks it the test split, compares, and promotes it if it is better."""
    taken = tuned.taken
    for what, artifact_class in (("model", VertexModel), ("endpoint", VertexEndpoint)):
        registered = dsl.importer(
            artifact_uri=taken.outputs[f"{what}_uri"],
            artifact_class=artifact_class,
            metadata={"resourceName": taken.outputs[what]},
        )
        fresh(registered, f"register tuned {what}")
    candidate = resumable(
        evaluate_model(**begun.run, **begun.splits, arm="candidate", endpoint=taken.outputs["endpoint"]),
        "evaluate tuned model",
    )
    predictions = {
        "base_predictions": arms.base.outputs["predictions"],
        "candidate_predictions": candidate.outputs["predictions"],
    }
    run_id = dsl.PIPELINE_JOB_NAME_PLACEHOLDER
    test = begun.data.outputs["test"]
    judgement = resumable(judge_answers(**begun.place, run_id=run_id, test=test, **predictions), "judge answers")
    asked = {"base": arms.base, "candidate": candidate, "few_shot": arms.few_shot, "champion": arms.champion}
    compared = fresh(
        compare_models(
            experiment_uri=begun.place["experiment_uri"],
            run_id=run_id,
            models=begun.models.outputs["models"],
            **begun.splits,
            data=begun.data.outputs["summary"],
            **{f"{arm}_{name}": task.outputs[name] for arm, task in asked.items() for name in OF_AN_ARM},
            judgement=judgement.outputs["judgement"],
            tuning=tuned.job.outputs["tuning"],
            curves=tuned.curves.outputs["curves"],
            selection=taken.outputs["selection"],
            quote=begun.quote.outputs["quote"],
        ),
        "compare models",
    )
    logged = log_evaluation(
        **begun.place,
        run_id=run_id,
        comparison=compared.outputs["comparison"],
        tuning=tuned.job.outputs["tuning"],
        selection=taken.outputs["selection"],
        quote=begun.quote.outputs["quote"],
    )
    resumable(logged, "log evaluation")
    with dsl.If(compared.outputs["Output"] == "promote", name="promote"):
        promoted = promote_model(
            **begun.run,
            test=test,
            selection=taken.outputs["selection"],
            evaluation=candidate.outputs["evaluation"],
            comparison=compared.outputs["comparison"],
        )
        resumable(promoted, "promote model")
