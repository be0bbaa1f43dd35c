"""The decision and the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gemini_sft import storage
from gemini_sft.cost import Quote, reconcile
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import examples_uri, read_fingerprint, read_sources
from gemini_sft.data.example import digest_of
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision import Comparison, compare, few_shot_arm
from gemini_sft.decision.deciding import corrected
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.inference.journal import sweep
from gemini_sft.metrics import metrics_for
from gemini_sft.report import ReportInput, report_markdown, report_page
from gemini_sft.report.input import Arm
from gemini_sft.retraining.trained import DATA_DIGITS
from gemini_sft.steps.evidence import (
    ArmUris,
    Found,
    InUse,
    clusters_of,
    find_arm,
    find_judge,
    gather,
    in_use,
    learnt_by_heart,
    other_gates,
    read_arm,
    tries_of,
)
from gemini_sft.steps.places import ANSWERS, COMMANDS, OUTCOMES, beside
from gemini_sft.tuning import Candidate, Curves, Selection, TuningRecord
from gemini_sft.tuning.request import digest


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
    run = _Run(load_experiment(experiment_uri), experiment_uri, run_id, train_uri, test_uri)
    used = in_use(experiment_uri, models_uri)
    selection = Selection.model_validate(storage.read_json(selection_uri))
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    asked = _read(run, arms, used)
    comparison = _decide(run, asked, used, selection.taken, judgement_uri, models_uri)
    storage.write_json(comparison_uri, comparison.model_dump(mode="json"))
    quote = Quote.model_validate(storage.read_json(quote_uri))
    sources = [(one["source"], one["line"]) for one in read_sources(train_uri)]
    shown = ReportInput(
        run_id=run_id,
        experiment=run.experiment,
        comparison=comparison,
        base=asked.base,
        candidate=asked.candidate,
        few_shot=asked.few_shot.arm,
        champion=asked.champion.arm,
        train_examples=len(sources),
        dropped_sources={n: sources[n - 1] for n in record.dropped.indices if 0 < n <= len(sources)},
        test=run.test,
        tuning=record,
        curves=Curves.model_validate(storage.read_json(curves_uri)),
        selection=selection,
        quote=quote,
        cost=reconcile(quote, selection.bills),
        data=DataSummary.model_validate(storage.read_json(data_uri)),
        command=_command(experiment_uri, run_id),
        origins=_origins(run),
    )
    storage.write_text(report_uri, report_page(shown), "text/html; charset=utf-8")
    storage.write_text(summary_uri, report_markdown(shown), "text/markdown; charset=utf-8")
    outcome = _outcome(run, comparison, selection.taken, record.intent, used.name, report_uri)
    storage.write_json(outcome_uri(beside(experiment_uri, OUTCOMES), run_id), outcome.model_dump(mode="json"))
    # The run has come to its end: nothing of it will be asked again.
    sweep(beside(experiment_uri, ANSWERS), run_id)
    return comparison


@dataclass(frozen=True)
class _Run:
    """Whose models are compared, and on what."""

    experiment: Experiment
    experiment_uri: str
    run_id: str
    train_uri: str
    test_uri: str

    @cached_property
    def test(self) -> list[Example]:
        return read_split(self.test_uri)

    @cached_property
    def test_digest(self) -> str:
        return digest_of(one.id for one in self.test)


@dataclass(frozen=True)
class _Asked:
    """What was found out about the models."""

    base: Arm
    candidate: Arm
    few_shot: Found
    champion: Found


def _read(run: _Run, arms: Mapping[str, ArmUris], used: InUse) -> _Asked:
    return _Asked(
        base=read_arm(arms["base"]),
        candidate=read_arm(arms["candidate"]),
        few_shot=find_arm(arms["few_shot"], wanted=bool(run.experiment.evaluation.few_shot)),
        champion=find_arm(arms["champion"], wanted=used.champion),
    )


def _decide(run: _Run, asked: _Asked, used: InUse, taken: Candidate, judgement_uri: str, models_uri: str) -> Comparison:
    """Returns the comparison; the try is noted."""
    experiment, gate, place = run.experiment, run.experiment.gate, (run.experiment_uri, run.run_id, run.test_digest)
    tries = 1
    if not asked.champion.missing:  # then nothing is compared with what is in use
        tries = tries_of(experiment, *place, used.name, taken)
    confidence = corrected(gate.confidence, tries)
    judge, judge_missing = find_judge(experiment, judgement_uri, confidence, clusters_of(run.test))
    metrics = metrics_for(experiment, run.test_uri)
    remarks = [
        *other_gates(*place, used.name, taken, gate),
        *learnt_by_heart(run.experiment_uri, models_uri, run.test_uri),
    ]
    evidence = gather(
        metrics, run.test, asked.base, asked.candidate, asked.champion, used, taken, judge, tries, remarks
    )
    extras: dict[str, Any] = {"absent": [one for one in (asked.few_shot.missing, judge_missing) if one]}
    if arm := asked.few_shot.arm:
        models = {"base": asked.base, "few_shot": arm, "candidate": asked.candidate}
        predictions = {name: one.predictions for name, one in models.items()}
        shots = experiment.evaluation.few_shot
        extras["few_shot"] = few_shot_arm(shots, arm.result, evidence, confidence, predictions)
    return compare(gate, evidence).model_copy(update=extras)


def _origins(run: _Run) -> dict[str, str]:
    """Returns what the report says the run is about, by the names it has there."""
    return {
        "Experiment file": run.experiment_uri,
        "Training examples": run.train_uri,
        "Test examples": run.test_uri,
        "Hash of the test examples": run.test_digest,
        "Fingerprint of the prompt": read_fingerprint(run.test_uri),
    }


def _outcome(run: _Run, comparison: Comparison, taken: Candidate, intent: str, against: str, report: str) -> Outcome:
    gain, low, high = comparison.decisive.gain
    return Outcome(
        run_id=run.run_id,
        experiment=run.experiment.name,
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
        data=digest(examples_uri(run.train_uri))[:DATA_DIGITS],
        intent=intent,
        test=run.test_digest,
        gate=run.experiment.gate,
        report=report,
    )


def _command(experiment_uri: str, run_id: str) -> str:
    """Returns the command that the run was started with; empty if none was, but a schedule."""
    place = beside(experiment_uri, COMMANDS)
    written = f"{place}/{run_id}.txt"
    return storage.read_text(written).strip() if written in storage.list_files(place) else ""
