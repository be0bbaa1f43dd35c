"""What the decision rests on, read from what the tasks before it have written."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gemini_sft import storage
from gemini_sft.data import Example
from gemini_sft.data.dataset import read_sources
from gemini_sft.decision import Evidence, Judged, judged, whole
from gemini_sft.decision.outcome import read_outcomes
from gemini_sft.experiment import Experiment, Gate
from gemini_sft.inference import Traffic, read_predictions
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.judging import Judgement
from gemini_sft.metrics import MetricSet
from gemini_sft.report.input import Arm
from gemini_sft.steps.absent import why_absent
from gemini_sft.steps.find_models import asks_champion, read_champion, read_models, seen_by
from gemini_sft.steps.places import OUTCOMES, TRIES, beside
from gemini_sft.tuning import Base, Candidate


class ArmUris(NamedTuple):
    """Where `evaluate_model` has written what it found out about a model."""

    predictions: str
    evaluation: str
    traffic: str


@dataclass(frozen=True)
class Found:
    """What there is of something that a run can do without: the thing itself, or why it is missing, or neither."""

    arm: Arm | None = None
    missing: str = ""


def read_arm(uris: ArmUris) -> Arm:
    """Returns what was found out about a model that must have been asked."""
    return Arm(
        EvaluationResult.model_validate(storage.read_json(uris.evaluation)),
        read_predictions(uris.predictions),
        Traffic.model_validate(storage.read_json(uris.traffic)),
    )


def find_arm(uris: ArmUris, *, wanted: bool) -> Found:
    """Returns what was found out about a model that may not have been asked; if it is not wanted, nothing is read."""
    if not wanted:
        return Found()
    why = why_absent(storage.read_json(uris.evaluation))
    return Found(missing=why) if why else Found(read_arm(uris))


def find_judge(
    experiment: Experiment, uri: str, confidence: float, clusters: Mapping[str, str]
) -> tuple[Judged | None, str]:
    """Returns what the judge said in numbers, or why it is missing; neither if the experiment has none."""
    if not experiment.evaluation.judge.model:
        return None, ""
    document = storage.read_json(uri)
    if why := why_absent(document):
        return None, why
    return judged(Judgement.model_validate(document), confidence, clusters), ""


@dataclass(frozen=True)
class InUse:
    """What the tuned model would replace.

    Attributes:
        name: Of the champion, with its checkpoint, or of the base model.
        champion: Whether it is a champion that is not the base model.
    """

    name: str
    champion: bool


def in_use(experiment_uri: str, models_uri: str) -> InUse:
    """Returns what is in use, as it was found when the run began."""
    _, base = read_models(experiment_uri, models_uri)
    champion = read_champion(models_uri)
    if champion is not None and asks_champion(base, champion):
        return InUse(_named(champion), champion=True)
    return InUse(_named(base), champion=False)


def tries_of(
    experiment: Experiment, experiment_uri: str, run_id: str, test: str, against: str, taken: Candidate
) -> int:
    """Notes a try, and returns how many there were on these test examples against what is in use, this one included.

    The same model judged by the same metric is no other try, unless it answers by chance. It is noted before it is
    counted: of runs at the same moment, each counts the other.
    """
    temperature, metric = experiment.evaluation.temperature, experiment.gate.metric
    by_chance = "" if temperature == 0 else run_id
    what = [taken.model, taken.checkpoint, str(temperature), str(metric), by_chance]
    folder = beside(experiment_uri, f"{TRIES}/{_hash(test, against)}")
    storage.write_json(f"{folder}/{_hash(*what)}.json", {"run": run_id, "model": taken.model})
    return len(storage.list_files(folder))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def other_gates(experiment_uri: str, run_id: str, test: str, against: str, taken: Candidate, gate: Gate) -> list[str]:
    """Says, if the same model was compared in the same way with another gate, in which run, and what came of it."""
    return [
        f"the run {one.run_id} compared this model on these examples with another gate: its verdict is {one.verdict}"
        for one in read_outcomes(beside(experiment_uri, OUTCOMES))
        if (one.test, one.against, one.model, one.checkpoint) == (test, against, taken.model, taken.checkpoint)
        and one.run_id != run_id
        and one.gate != gate
    ][-1:]


def learnt_by_heart(experiment_uri: str, models_uri: str, test_uri: str) -> list[str]:
    """Says which of the models that were tuned before know test examples already, and how many."""
    _, base = read_models(experiment_uri, models_uri)
    champion = read_champion(models_uri)
    said = []
    for model, what in ((base, "the base model, and with it the tuned one,"), (champion, "the champion")):
        if model is None or (model is champion and champion.model == base.model):
            continue
        if seen := len(seen_by(model, experiment_uri, models_uri, test_uri)):
            n = sum(1 for _ in read_sources(test_uri))
            said.append(f"{what} was tuned on {seen:,} of the {n:,} test examples, and so scores too well")
    return said


def clusters_of(test: Sequence[Example]) -> dict[str, str]:
    """Returns what each example belongs to, by its id, as far as there is a column that says so."""
    return {one.id: one.group for one in test if one.group is not None}


def gather(
    metrics: MetricSet,
    test: Sequence[Example],
    base: Arm,
    candidate: Arm,
    champion: Found,
    used: InUse,
    taken: Candidate,
    judge: Judged | None,
    tries: int,
    remarks: Sequence[str],
) -> Evidence:
    """Returns what the decision rests on."""
    return Evidence(
        primary=metrics.primary,
        base=base.result,
        candidate=candidate.result,
        champion=champion.arm.result if champion.arm else None,
        champion_name=used.name if used.champion else "",
        champion_missing=champion.missing,
        is_champion=used.champion and used.name == _name(taken.model, taken.checkpoint),
        lower_is_better=metrics.lower_is_better,
        clusters=clusters_of(test),
        slices={one.id: one.slices for one in test if one.slices},
        whole=whole(metrics, test, base.predictions, candidate.predictions),
        judge=judge,
        tries=tries,
        remarks=remarks,
    )


def _named(model: Base) -> str:
    return _name(model.model, model.checkpoint) if model.model else model.id


def _name(model: str, checkpoint: str | None) -> str:
    return f"{model} checkpoint {checkpoint}" if checkpoint else model
