"""Component: a judge's comparison of what two models answered."""

from kfp import dsl

from components.image import component


@component
def judge_answers(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    test: dsl.Input[dsl.Dataset],
    base_predictions: dsl.Input[dsl.Artifact],
    candidate_predictions: dsl.Input[dsl.Artifact],
    judgement: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Asks a Gemini model which of two answers is better, for every example in both orders.

    Args:
        project: Google Cloud project.
        location: Where the judge is asked.
        experiment_uri: The experiment file; if it has no `evaluation.judge.model`, nothing is done.
        run_id: Under which verdicts are kept until the run has ended.
        test: The examples, with their references.
        base_predictions: The base model's answers.
        candidate_predictions: The tuned model's answers.
        judgement: JSON with the counts and each example's verdicts.
        metrics: Wins, ties and losses of the tuned model, win rate, position bias, unreadable verdicts, mean grades.
    """
    from gemini_sft.steps.judge_answers import judge_answers

    metrics.metadata.update(
        judge_answers(
            project=project,
            location=location,
            experiment_uri=experiment_uri,
            run_id=run_id,
            test_uri=test.uri,
            base_predictions_uri=base_predictions.uri,
            candidate_predictions_uri=candidate_predictions.uri,
            judgement_uri=judgement.uri,
        )
    )
