"""Component: the curves of the tuning job."""

from kfp import dsl

from components.image import component


@component
def extract_metrics(
    tuning: dsl.Input[dsl.Artifact],
    quote: dsl.Input[dsl.Artifact],
    curves: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    plot: dsl.Output[dsl.HTML],
) -> None:
    """Reads loss and accuracy of the job from its TensorBoard.

    Args:
        tuning: The job, as `tune_model` wrote it.
        quote: What was quoted before it.
        curves: JSON with the six series, or why there are none.
        metrics: Last and best values, whether the model over-fits, steps, tokens quoted and billed.
        plot: The curves as a page.
    """
    from gemini_sft.steps.extract_metrics import extract_metrics

    metrics.metadata.update(
        extract_metrics(tuning_uri=tuning.uri, quote_uri=quote.uri, curves_uri=curves.uri, plot_uri=plot.uri)
    )
