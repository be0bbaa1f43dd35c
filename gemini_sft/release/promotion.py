"""Putting a tuned model in use, after a run has shown that it is better."""

from dataclasses import dataclass

from gemini_sft.errors import RunError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import fingerprint
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.registry import Version, champion_of, versions
from gemini_sft.release.evaluation import attach
from gemini_sft.release.moving import Champions, move, require_unchanged
from gemini_sft.release.writing import require, set_labels
from gemini_sft.tuning.default import set_default_checkpoint

VERDICT = "verdict"
"""The label that says how a run decided on a version."""

WITHDRAWN = "withdrawn"
"""The label that says when a rollback took a version out of use; `NOT_WITHDRAWN` once another has put it back."""
NOT_WITHDRAWN = "no"

_LONGEST_LABEL = 63


@dataclass(frozen=True)
class Promotion:
    """What a run wants to promote.

    Attributes:
        project: Google Cloud project.
        location: Region of the models.
        experiment: Whose models they are.
        run_id: The run that wants it.
        model: Resource name of the tuned model, with its version.
        checkpoint: The one that was taken; empty if the model has but one.
        prompt: Fingerprint of the prompt that it was evaluated with.
        evaluation: How it scored on test.
        champion: Resource name of the champion that it was compared with; None if there was none.
    """

    project: str
    location: str
    experiment: Experiment
    run_id: str
    model: str
    checkpoint: str
    prompt: str
    evaluation: EvaluationResult
    champion: str | None


def promote(wanted: Promotion) -> Champions:
    """Makes a model the champion: evaluation first, then checkpoint and labels, and the alias last.

    Doing it again finishes what was left unfinished, and changes nothing if it was finished.

    Raises:
        RunError: The model is gone, was tuned for another experiment or with another prompt, was taken out of use by a
            rollback, or is in use with another checkpoint; or another one has become champion meanwhile.
        UserError: Nobody can tell which one is the champion.
        ServiceError: Vertex AI refused a change or did not answer; another attempt goes on.
    """
    model, name = require(wanted.model), wanted.experiment.name
    for label, value in (("experiment", name), (fingerprint.LABEL, wanted.prompt)):
        if model.labels.get(label, value) != value:
            raise RunError(
                f"{model.name} was tuned for {label}={model.labels[label]}, and this run is of {label}={value}: to have"
                " a model of its own tuned, set tuning.attempt to another number"
            )
    place = (wanted.project, wanted.location, name)
    champion = champion_of(versions(*place))
    require_unchanged(champion, model.name, wanted.champion)
    _require_possible(model, champion, wanted.checkpoint)
    attach(model.name, wanted.checkpoint, wanted.run_id, wanted.experiment.task, wanted.evaluation)
    if wanted.checkpoint and wanted.checkpoint != model.default_checkpoint:
        set_default_checkpoint(wanted.project, wanted.location, model.name, wanted.checkpoint)
    labels = {"experiment": name, "run": wanted.run_id[-_LONGEST_LABEL:], VERDICT: "promote"}
    set_labels(model.name, labels | {fingerprint.LABEL: wanted.prompt})
    return move(*place, model.name, wanted.champion)


def is_withdrawn(model: Version) -> bool:
    """Returns whether a rollback has taken a version out of use, and nothing has put it back."""
    return model.labels.get(WITHDRAWN, NOT_WITHDRAWN) != NOT_WITHDRAWN


def _require_possible(model: Version, champion: Version | None, checkpoint: str) -> None:
    """Refuses what could not be taken back: an alias stands for a version, whichever of its checkpoints answers."""
    remedy = "to have a model of its own tuned, set tuning.attempt to another number"
    if champion is not None and champion.name == model.name:
        if checkpoint and checkpoint != model.default_checkpoint:
            raise RunError(
                f"{model.name} is the champion already, with checkpoint {model.default_checkpoint}: its checkpoint"
                f" {checkpoint} cannot take its place, for nothing could bring the other back; {remedy}"
            )
    elif is_withdrawn(model):
        raise RunError(
            f"{model.name} was taken out of use by a rollback at {model.labels[WITHDRAWN]} and is not promoted again:"
            f" `gemini-sft rollback` would put it back; {remedy}"
        )
