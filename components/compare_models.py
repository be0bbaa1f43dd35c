"""Component: the decision and the report."""

from kfp import dsl

from components.image import component


@component
def compare_models(
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    data: dsl.Input[dsl.Artifact],
    base_predictions: dsl.Input[dsl.Artifact],
    base_evaluation: dsl.Input[dsl.Artifact],
    base_traffic: dsl.Input[dsl.Artifact],
    candidate_predictions: dsl.Input[dsl.Artifact],
    candidate_evaluation: dsl.Input[dsl.Artifact],
    candidate_traffic: dsl.Input[dsl.Artifact],
    few_shot_predictions: dsl.Input[dsl.Artifact],
    few_shot_evaluation: dsl.Input[dsl.Artifact],
    few_shot_traffic: dsl.Input[dsl.Artifact],
    champion_predictions: dsl.Input[dsl.Artifact],
    champion_evaluation: dsl.Input[dsl.Artifact],
    champion_traffic: dsl.Input[dsl.Artifact],
    judgement: dsl.Input[dsl.Artifact],
    tuning: dsl.Input[dsl.Artifact],
    curves: dsl.Input[dsl.Artifact],
    selection: dsl.Input[dsl.Artifact],
    quote: dsl.Input[dsl.Artifact],
    comparison: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Compares the tuned model with base model and champion example by example, and decides.

    Args:
        experiment_uri: The experiment file, with the gate.
        run_id: Stands on the report.
        models: Base model and champion, as `find_models` wrote them.
        train: The examples tuned on, for the sources of those that the job left out.
        test: The examples compared on.
        data: What was made of the user's files.
        base_predictions: The base model's answers.
        base_evaluation: Their scores.
        base_traffic: How they came about.
        candidate_predictions: The tuned model's answers.
        candidate_evaluation: Their scores.
        candidate_traffic: How they came about.
        few_shot_predictions: The base model's answers with examples in its prompt, if the experiment asks for them.
        few_shot_evaluation: Their scores.
        few_shot_traffic: How they came about.
        champion_predictions: The answers of the model in use, if there is one.
        champion_evaluation: Their scores.
        champion_traffic: How they came about.
        judgement: What the judge said, if the experiment has one.
        tuning: The tuning job.
        curves: Its curves.
        selection: Which checkpoint was taken, and why.
        quote: What was quoted before it.
        comparison: JSON with verdict, reasons and differences.
        report: One self-contained page.
        summary: The same in short.
        metrics: Verdict and the primary metric's difference with its interval.

    Returns:
        `promote`, `reject` or `inconclusive`.
    """
    from gemini_sft.steps.compare_models import compare_models
    from gemini_sft.steps.evidence import ArmUris

    outcome = compare_models(
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        train_uri=train.uri,
        test_uri=test.uri,
        data_uri=data.uri,
        arms={
            "base": ArmUris(base_predictions.uri, base_evaluation.uri, base_traffic.uri),
            "candidate": ArmUris(candidate_predictions.uri, candidate_evaluation.uri, candidate_traffic.uri),
            "few_shot": ArmUris(few_shot_predictions.uri, few_shot_evaluation.uri, few_shot_traffic.uri),
            "champion": ArmUris(champion_predictions.uri, champion_evaluation.uri, champion_traffic.uri),
        },
        judgement_uri=judgement.uri,
        tuning_uri=tuning.uri,
        curves_uri=curves.uri,
        selection_uri=selection.uri,
        quote_uri=quote.uri,
        comparison_uri=comparison.uri,
        report_uri=report.uri,
        summary_uri=summary.uri,
    )
    metrics.metadata.update(outcome.headline())
    return outcome.verdict.value
