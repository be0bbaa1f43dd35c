"""The decision and the report."""

from collections.abc import Mapping
from typing import Any

from gemini_sft import storage
from gemini_sft.cost import Quote, reconcile
from gemini_sft.data import read_split
from gemini_sft.data.dataset import read_fingerprint, read_sources
from gemini_sft.data.example import digest_of
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision import Comparison, compare, few_shot_arm
from gemini_sft.decision.deciding import corrected
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.inference.journal import sweep
from gemini_sft.metrics import metrics_for
from gemini_sft.report import ReportInput, report_markdown, report_page
from gemini_sft.steps.evidence import (
    ArmUris,
    clusters_of,
    find_arm,
    find_judge,
    gather,
    in_use,
    other_gates,
    read_arm,
    tries_of,
)
from gemini_sft.steps.places import ANSWERS, COMMANDS, OUTCOMES, beside
from gemini_sft.tuning import Candidate, Curves, Selection, TuningRecord


def compare_models(
    *,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    train_uri: str,
    test_uri: str,
    data_uri: str,
    arms: Mapping[str, ArmUris],
    judgement_uri: str,
    tuning_uri: str,
    curves_uri: str,
    selection_uri: str,
    quote_uri: str,
    comparison_uri: str,
    report_uri: str,
    summary_uri: str,
) -> Comparison:
    """Compares the tuned model with base model and champion, and writes the comparison, the report and the outcome.

    What the experiment does not ask for, few-shot examples or a judge, is not read: nobody has written it. Nor is a
    champion, if there is none.

    Args:
        experiment_uri: The experiment file.
        run_id: Of the run.
        models_uri: Base model and champion, as `find_models` wrote them.
        train_uri: The split that was tuned on.
        test_uri: The split that was asked.
        data_uri: What was made of the user's files.
        arms: What `evaluate_model` wrote of `base`, `candidate`, `few_shot` and `champion`.
        judgement_uri: What the judge said.
        tuning_uri: The tuning job.
        curves_uri: Its curves.
        selection_uri: Which checkpoint was taken.
        quote_uri: What the run was quoted at.
        comparison_uri: Where to write the comparison.
        report_uri: Where to write the report, a page.
        summary_uri: Where to write the same in short, as Markdown.

    Raises:
        EvaluationError: The models were not asked the same examples.
    """
    experiment = load_experiment(experiment_uri)
    gate, shots = experiment.gate, experiment.evaluation.few_shot
    used, test = in_use(experiment_uri, models_uri), read_split(test_uri)
    digest = digest_of(one.id for one in test)
    selection = Selection.model_validate(storage.read_json(selection_uri))
    base, candidate = read_arm(arms["base"]), read_arm(arms["candidate"])
    few_shot = find_arm(arms["few_shot"], wanted=bool(shots))
    champion = find_arm(arms["champion"], wanted=used.champion)
    tries = 1
    if not champion.missing:  # then nothing is compared with what is in use
        tries = tries_of(experiment, experiment_uri, run_id, digest, used.name, selection.taken)
    confidence = corrected(gate.confidence, tries)
    judge, judge_missing = find_judge(experiment, judgement_uri, confidence, clusters_of(test))
    metrics = metrics_for(experiment, test_uri)
    remarks = other_gates(experiment_uri, run_id, digest, used.name, selection.taken, gate)
    evidence = gather(metrics, test, base, candidate, champion, used, selection.taken, judge, tries, remarks)
    comparison = compare(gate, evidence)
    extras: dict[str, Any] = {"absent": [one for one in (few_shot.missing, judge_missing) if one]}
    if few_shot.arm:
        asked = {"base": base, "few_shot": few_shot.arm, "candidate": candidate}
        predictions = {name: arm.predictions for name, arm in asked.items()}
        extras["few_shot"] = few_shot_arm(shots, few_shot.arm.result, evidence, confidence, predictions)
    comparison = comparison.model_copy(update=extras)
    storage.write_json(comparison_uri, comparison.model_dump(mode="json"))
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    quote = Quote.model_validate(storage.read_json(quote_uri))
    sources = [(one["source"], one["line"]) for one in read_sources(train_uri)]
    shown = ReportInput(
        run_id=run_id,
        experiment=experiment,
        comparison=comparison,
        base=base,
        candidate=candidate,
        few_shot=few_shot.arm,
        champion=champion.arm,
        train_examples=len(sources),
        dropped_sources={n: sources[n - 1] for n in record.dropped.indices if 0 < n <= len(sources)},
        test=test,
        tuning=record,
        curves=Curves.model_validate(storage.read_json(curves_uri)),
        selection=selection,
        quote=quote,
        cost=reconcile(quote, selection.bills),
        data=DataSummary.model_validate(storage.read_json(data_uri)),
        command=_command(experiment_uri, run_id),
        origins={
            "Experiment file": experiment_uri,
            "Training examples": train_uri,
            "Test examples": test_uri,
            "Hash of the test examples": digest,
            "Fingerprint of the prompt": read_fingerprint(test_uri),
        },
    )
    storage.write_text(report_uri, report_page(shown), "text/html; charset=utf-8")
    storage.write_text(summary_uri, report_markdown(shown), "text/markdown; charset=utf-8")
    outcome = _outcome(run_id, experiment, comparison, selection.taken, used.name, digest, report_uri)
    storage.write_json(outcome_uri(beside(experiment_uri, OUTCOMES), run_id), outcome.model_dump(mode="json"))
    # The run has come to its end: nothing of it will be asked again.
    sweep(beside(experiment_uri, ANSWERS), run_id)
    return comparison


def _outcome(
    run_id: str, experiment: Experiment, comparison: Comparison, taken: Candidate, against: str, test: str, report: str
) -> Outcome:
    gain, low, high = comparison.decisive.gain
    return Outcome(
        run_id=run_id,
        experiment=experiment.name,
        verdict=comparison.verdict.value,
        reasons=comparison.reasons,
        metric=comparison.primary_metric,
        base=comparison.base.metrics[comparison.primary_metric],
        champion=comparison.champion.side.metrics[comparison.primary_metric] if comparison.champion else None,
        candidate=comparison.candidate.metrics[comparison.primary_metric],
        gain=gain,
        low=low,
        high=high,
        confidence=comparison.decisive.confidence,
        model=taken.model,
        checkpoint=taken.checkpoint,
        endpoint=taken.endpoint,
        against=against,
        test=test,
        gate=experiment.gate,
        report=report,
    )


def _command(experiment_uri: str, run_id: str) -> str:
    """Returns the command that the run was started with; empty if none was, but a schedule."""
    place = beside(experiment_uri, COMMANDS)
    written = f"{place}/{run_id}.txt"
    return storage.read_text(written).strip() if written in storage.list_files(place) else ""
