"""The decision and the report."""

from typing import Any

from gemini_sft import storage
from gemini_sft.cost import Quote, reconcile
from gemini_sft.data import read_split
from gemini_sft.data.dataset import read_sources
from gemini_sft.decision import Comparison, compare, few_shot_arm, judged
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import read_predictions
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.inference.journal import sweep
from gemini_sft.judging import Judgement
from gemini_sft.report import ReportInput, report_page
from gemini_sft.steps.absent import why_absent
from gemini_sft.steps.places import ANSWERS, beside
from gemini_sft.tuning import Curves, Selection, TuningRecord


def compare_models(
    *,
    experiment_uri: str,
    run_id: str,
    train_uri: str,
    test_uri: str,
    base_predictions_uri: str,
    base_evaluation_uri: str,
    candidate_predictions_uri: str,
    candidate_evaluation_uri: str,
    few_shot_predictions_uri: str,
    few_shot_evaluation_uri: str,
    judgement_uri: str,
    tuning_uri: str,
    curves_uri: str,
    selection_uri: str,
    quote_uri: str,
    comparison_uri: str,
    report_uri: str,
) -> Comparison:
    """Compares base and candidate, and writes the comparison and the report.

    What the experiment does not ask for, few-shot examples or a judge, is not read: nobody has written it.

    Raises:
        EvaluationError: The models were not asked the same examples.
    """
    experiment = load_experiment(experiment_uri)
    base = EvaluationResult.model_validate(storage.read_json(base_evaluation_uri))
    candidate = EvaluationResult.model_validate(storage.read_json(candidate_evaluation_uri))
    predictions = {
        "base": read_predictions(base_predictions_uri),
        "candidate": read_predictions(candidate_predictions_uri),
    }
    comparison = compare(experiment.task, experiment.gate, base, candidate)
    extras: dict[str, Any] = {"absent": []}
    if shots := experiment.evaluation.few_shot:
        document = storage.read_json(few_shot_evaluation_uri)
        if why := why_absent(document):
            extras["absent"].append(why)
        else:
            extras["few_shot"] = few_shot_arm(
                experiment.task,
                experiment.gate,
                shots,
                EvaluationResult.model_validate(document),
                candidate,
                {**predictions, "few_shot": read_predictions(few_shot_predictions_uri)},
            )
    if experiment.evaluation.judge.model:
        document = storage.read_json(judgement_uri)
        if why := why_absent(document):
            extras["absent"].append(why)
        else:
            extras["judge"] = judged(Judgement.model_validate(document), experiment.gate.confidence)
    comparison = comparison.model_copy(update=extras)
    storage.write_json(comparison_uri, comparison.model_dump(mode="json"))
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    quote = Quote.model_validate(storage.read_json(quote_uri))
    selection = Selection.model_validate(storage.read_json(selection_uri))
    sources = [(one["source"], one["line"]) for one in read_sources(train_uri)]
    page = report_page(
        ReportInput(
            run_id=run_id,
            experiment=experiment,
            comparison=comparison,
            base=base,
            candidate=candidate,
            base_predictions=predictions["base"],
            candidate_predictions=predictions["candidate"],
            train_examples=len(sources),
            dropped_sources={n: sources[n - 1] for n in record.dropped.indices if 0 < n <= len(sources)},
            test=read_split(test_uri),
            tuning=record,
            curves=Curves.model_validate(storage.read_json(curves_uri)),
            selection=selection,
            quote=quote,
            cost=reconcile(quote, selection.bills),
        )
    )
    storage.write_text(report_uri, page, "text/html; charset=utf-8")
    # The run has come to its end: nothing of it will be asked again.
    sweep(beside(experiment_uri, ANSWERS), run_id)
    return comparison
