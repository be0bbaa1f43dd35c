"""The evaluations against which champions are held, beside the experiment."""

import hashlib

from gemini_sft import storage
from gemini_sft.data.dataset import read_sources
from gemini_sft.data.example import digest_of
from gemini_sft.experiment import Experiment
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.retraining.reference import Reference, read_reference, reference_uri, scoring_of
from gemini_sft.steps.places import CHAMPIONS, LOOKS, beside


def keep_reference(
    experiment: Experiment,
    experiment_uri: str,
    run_id: str,
    test_uri: str,
    model: tuple[str, str | None],
    evaluation: EvaluationResult,
    *,
    promoted: bool = True,
) -> None:
    """Keeps how a champion scored.

    Args:
        experiment: How it was asked and scored.
        experiment_uri: Beside which it is kept.
        run_id: The run that has evaluated it.
        test_uri: What it was asked.
        model: Its resource name with its version, and its checkpoint.
        evaluation: How it scored.
        promoted: Whether the run promotes it.
    """
    made = Reference(
        run_id=run_id,
        promoted=promoted,
        evaluation=evaluation,
        groups=groups_of(test_uri),
        scoring=scoring_of(experiment.evaluation),
    )
    storage.write_json(_uri(experiment_uri, model), made.model_dump(mode="json"))


def find_reference(experiment_uri: str, model: tuple[str, str | None]) -> Reference | None:
    """Returns how a champion scored; None if nothing is kept of it."""
    return read_reference(_uri(experiment_uri, model))


def looks_of(
    experiment: Experiment,
    experiment_uri: str,
    run_id: str,
    reference: Reference,
    model: tuple[str, str | None],
    metric: str,
    today: EvaluationResult,
) -> int:
    """Notes a look at a champion, and returns how many there were since its reference, this one included.

    The same examples again, scored in the same way, are no other look, unless it answers by chance.

    Args:
        experiment: How it was asked.
        experiment_uri: Beside which the look is noted.
        run_id: The run that looks.
        reference: Against what.
        model: Its resource name with its version, and its checkpoint.
        metric: The one that decides.
        today: How it scored.
    """
    by_chance = "" if experiment.evaluation.temperature == 0 else run_id
    look = hashlib.sha256("\n".join([digest_of(today.scores), metric, by_chance]).encode()).hexdigest()[:16]
    folder = f"{reference_uri(beside(experiment_uri, LOOKS), *model).removesuffix('.json')}/{reference.run_id}"
    storage.write_json(f"{folder}/{look}.json", {"run": run_id})
    return len(storage.list_files(folder))


def groups_of(split_uri: str) -> dict[str, str]:
    """Returns what each example belongs to, by its id, as far as there is a column that says so."""
    return {one["id"]: one["group"] for one in read_sources(split_uri) if one.get("group") is not None}


def _uri(experiment_uri: str, model: tuple[str, str | None]) -> str:
    return reference_uri(beside(experiment_uri, CHAMPIONS), *model)
