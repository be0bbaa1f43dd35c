"""The main pipeline: tune a Gemini model, and tell whether that made it better."""

from google_cloud_pipeline_components.types.artifact_types import VertexEndpoint, VertexModel
from kfp import dsl

from components.compare_models import compare_models
from components.evaluate_model import evaluate_model
from components.extract_metrics import extract_metrics
from components.judge_answers import judge_answers
from components.prepare_data import prepare_data
from components.quote_cost import quote_cost
from components.tune_model import tune_model


@dsl.pipeline(name="gemini-finetune", description="Tune a Gemini model and compare it with its base.")
def finetune(project: str, location: str, experiment_uri: str) -> None:
    """Evaluates the base model, tunes it, evaluates the tuned model on the same examples, and compares.

    If the experiment asks for it, the base model is evaluated with examples in its prompt as well, and a judge compares
    the answers.

    Args:
        project: Google Cloud project.
        location: Region of the tuning job and of the base model.
        experiment_uri: The experiment file, with data at `gs://` URIs.
    """
    run_id = dsl.PIPELINE_JOB_NAME_PLACEHOLDER

    data = prepare_data(experiment_uri=experiment_uri).set_display_name("prepare data")

    # Nothing is paid for before the quote has passed the budget.
    quote = quote_cost(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        train=data.outputs["train"],
        validation=data.outputs["validation"],
        test=data.outputs["test"],
    ).set_display_name("quote cost")

    base = (
        evaluate_model(
            project=project,
            location=location,
            experiment_uri=experiment_uri,
            run_id=run_id,
            train=data.outputs["train"],
            test=data.outputs["test"],
        )
        .set_display_name("evaluate base model")
        .after(quote)
    )

    # What one could have without tuning; nothing is done unless the experiment asks for it.
    few_shot = (
        evaluate_model(
            project=project,
            location=location,
            experiment_uri=experiment_uri,
            run_id=run_id,
            train=data.outputs["train"],
            test=data.outputs["test"],
            few_shot=True,
        )
        .set_display_name("evaluate base with examples")
        .after(quote)
    )

    tuned = (
        tune_model(
            project=project,
            location=location,
            experiment_uri=experiment_uri,
            run_id=run_id,
            train=data.outputs["train"],
            validation=data.outputs["validation"],
        )
        .set_display_name("tune model")
        .after(quote)
    )
    dsl.importer(
        artifact_uri=tuned.outputs["model_uri"],
        artifact_class=VertexModel,
        metadata={"resourceName": tuned.outputs["model"]},
    ).set_display_name("register tuned model")
    dsl.importer(
        artifact_uri=tuned.outputs["endpoint_uri"],
        artifact_class=VertexEndpoint,
        metadata={"resourceName": tuned.outputs["endpoint"]},
    ).set_display_name("register tuned endpoint")

    curves = extract_metrics(tuning=tuned.outputs["tuning"], quote=quote.outputs["quote"]).set_display_name(
        "extract metrics"
    )

    candidate = evaluate_model(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        train=data.outputs["train"],
        test=data.outputs["test"],
        model=tuned.outputs["endpoint"],
    ).set_display_name("evaluate tuned model")

    judgement = judge_answers(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        test=data.outputs["test"],
        base_predictions=base.outputs["predictions"],
        candidate_predictions=candidate.outputs["predictions"],
    ).set_display_name("judge answers")

    decision = compare_models(
        experiment_uri=experiment_uri,
        run_id=run_id,
        train=data.outputs["train"],
        test=data.outputs["test"],
        base_predictions=base.outputs["predictions"],
        base_evaluation=base.outputs["evaluation"],
        candidate_predictions=candidate.outputs["predictions"],
        candidate_evaluation=candidate.outputs["evaluation"],
        few_shot_predictions=few_shot.outputs["predictions"],
        few_shot_evaluation=few_shot.outputs["evaluation"],
        judgement=judgement.outputs["judgement"],
        tuning=tuned.outputs["tuning"],
        curves=curves.outputs["curves"],
        quote=quote.outputs["quote"],
    ).set_display_name("compare models")

    # Data and models change behind their names, and a tuning job or a decision of another day is not this run's.
    for task in (data, quote, base, few_shot, tuned, curves, candidate, judgement, decision):
        task.set_caching_options(enable_caching=False)

    # What was answered before a fault is kept, so a second attempt costs nothing twice.
    for task in (base, few_shot, candidate, judgement):
        task.set_retry(num_retries=1)
