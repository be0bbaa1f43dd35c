"""Component: the decision and the report."""

from kfp import dsl

from components.image import component


@component
def compare_models(
    experiment_uri: str,
    run_id: str,
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    base_predictions: dsl.Input[dsl.Artifact],
    base_evaluation: dsl.Input[dsl.Artifact],
    candidate_predictions: dsl.Input[dsl.Artifact],
    candidate_evaluation: dsl.Input[dsl.Artifact],
    few_shot_predictions: dsl.Input[dsl.Artifact],
    few_shot_evaluation: dsl.Input[dsl.Artifact],
    judgement: dsl.Input[dsl.Artifact],
    tuning: dsl.Input[dsl.Artifact],
    curves: dsl.Input[dsl.Artifact],
    selection: dsl.Input[dsl.Artifact],
    quote: dsl.Input[dsl.Artifact],
    comparison: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Compares base and tuned model example by example, and decides.

    Args:
        experiment_uri: The experiment file, with the gate.
        run_id: Stands on the report.
        train: The examples tuned on, for the sources of those that the job left out.
        test: The examples compared on.
        base_predictions: The base model's answers.
        base_evaluation: Their scores.
        candidate_predictions: The tuned model's answers.
        candidate_evaluation: Their scores.
        few_shot_predictions: The base model's answers with examples in its prompt, if the experiment asks for them.
        few_shot_evaluation: Their scores.
        judgement: What the judge said, if the experiment has one.
        tuning: The tuning job.
        curves: Its curves.
        selection: Which checkpoint was taken, and why.
        quote: What was quoted before it.
        comparison: JSON with verdict, reasons and differences.
        report: One self-contained page.
        metrics: Verdict and the primary metric's difference with its interval.

    Returns:
        `promote`, `reject` or `inconclusive`.
    """
    from gemini_sft.steps.compare_models import compare_models

    outcome = compare_models(
        experiment_uri=experiment_uri,
        run_id=run_id,
        train_uri=train.uri,
        test_uri=test.uri,
        base_predictions_uri=base_predictions.uri,
        base_evaluation_uri=base_evaluation.uri,
        candidate_predictions_uri=candidate_predictions.uri,
        candidate_evaluation_uri=candidate_evaluation.uri,
        few_shot_predictions_uri=few_shot_predictions.uri,
        few_shot_evaluation_uri=few_shot_evaluation.uri,
        judgement_uri=judgement.uri,
        tuning_uri=tuning.uri,
        curves_uri=curves.uri,
        selection_uri=selection.uri,
        quote_uri=quote.uri,
        comparison_uri=comparison.uri,
        report_uri=report.uri,
    )
    metrics.metadata.update(outcome.headline())
    return outcome.verdict.value
