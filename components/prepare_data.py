"""Component: the user's data become checked Gemini examples."""

from kfp import dsl

from components.image import component


@component
def prepare_data(
    experiment_uri: str,
    version: str,
    train: dsl.Output[dsl.Dataset],
    validation: dsl.Output[dsl.Dataset],
    test: dsl.Output[dsl.Dataset],
    findings: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Reads, checks, divides and converts the data that the experiment names.

    Args:
        experiment_uri: The experiment file.
        version: Of the data, as `find_data` found it. Nothing here reads it: it is there so that Vertex AI takes the
            outputs of an earlier run only while experiment and data are the same.
        train: Examples to tune on.
        validation: Examples for the loss during tuning; none if the experiment has none.
        test: Examples to compare models on.
        findings: JSONL with everything that the checks found.
        summary: JSON with what was made of the files: each split, and which rules were broken.
        report: The data report, a page.
        metrics: Counts and mean lengths of each split, and how often each rule was broken.
    """
    from gemini_sft.steps.prepare_data import numbers, prepare_data

    found = prepare_data(
        experiment_uri=experiment_uri,
        train_uri=train.uri,
        validation_uri=validation.uri,
        test_uri=test.uri,
        findings_uri=findings.uri,
        summary_uri=summary.uri,
        report_uri=report.uri,
    )
    metrics.metadata.update(numbers(found))
