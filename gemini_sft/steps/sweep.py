"""A sweep: which trials there are, and which of them goes on."""

import logging
from collections.abc import Sequence

from gemini_sft import storage
from gemini_sft.errors import EvaluationError, UserError
from gemini_sft.experiment import load_experiment
from gemini_sft.steps.select_checkpoint import write_selection
from gemini_sft.tuning import Selection, TuningRecord
from gemini_sft.tuning.choosing import choose

_log = logging.getLogger(__name__)


def list_trials(*, experiment_uri: str) -> list[str]:
    """Returns the names of the trials of an experiment's sweep.

    Raises:
        UserError: It has none.
    """
    experiment = load_experiment(experiment_uri)
    if experiment.sweep is None:
        raise UserError(f"the experiment {experiment.name} has no sweep: give it one, or run the pipeline finetune")
    return list(experiment.sweep.settings(experiment.tuning))


def select_trial(
    *,
    experiment_uri: str,
    tuning_uris: Sequence[str],
    curves_uris: Sequence[str],
    selection_uris: Sequence[str],
    tuning_uri: str,
    curves_uri: str,
    selection_uri: str,
    page_uri: str,
) -> Selection:
    """Takes the best candidate of all trials, and hands on the job, curves and selection that it belongs to.

    The three sequences have the same order, a trial each.

    Raises:
        EvaluationError: Checkpoints of no trial could be scored.
    """
    experiment = load_experiment(experiment_uri)
    found = [Selection.model_validate(storage.read_json(uri)) for uri in selection_uris]
    candidates = [one for selection in found for one in selection.candidates]
    errors = [one.error for one in candidates if one.error]
    if errors and all(one.score is None for one in candidates):
        raise EvaluationError(f"no checkpoint of any trial could be scored on validation: {errors[-1]}")
    bills = [bill for selection in found for bill in selection.bills]
    metric, lower = found[0].metric, found[0].lower_is_better
    selection = choose(candidates, experiment.tuning.checkpoint, metric, bills, lower_is_better=lower)
    place = next(n for n, one in enumerate(found) if selection.taken in one.candidates)
    selection = selection.model_copy(update={"other_default": found[place].other_default})
    if TuningRecord.model_validate(storage.read_json(tuning_uris[place])).job != selection.taken.job:
        raise ValueError("the jobs and the selections of the trials are not in the same order")
    storage.write_bytes(tuning_uri, storage.read_bytes(tuning_uris[place]), "application/json")
    storage.write_bytes(curves_uri, storage.read_bytes(curves_uris[place]), "application/json")
    write_selection(selection, selection_uri, page_uri)
    _log.info("of %d trials %s is taken: %s", len(found), selection.taken.trial, selection.reason)
    return selection
