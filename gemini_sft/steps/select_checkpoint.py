"""Which checkpoint of a tuning job is evaluated, and becomes the model's default one."""

import logging
from collections.abc import Sequence

from gemini_sft import storage, vertex
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import has_examples, read_fingerprint
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Backend
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.inference import Service
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.metrics import MetricSet, metrics_for
from gemini_sft.report.selection import selection_page
from gemini_sft.steps.asking import ask
from gemini_sft.steps.find_models import read_models
from gemini_sft.tuning import Candidate, Curves, Selection, TuningRecord, read_curves
from gemini_sft.tuning.choosing import candidates_of, choose, to_be_asked
from gemini_sft.tuning.default import chosen_before, in_use, set_default_checkpoint
from gemini_sft.tuning.selection import bill_of

_log = logging.getLogger(__name__)


def select_checkpoint(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    validation_uri: str,
    tuning_uri: str,
    curves_uri: str,
    selection_uri: str,
    page_uri: str,
) -> Selection:
    """Scores checkpoints on the validation split as far as the experiment chooses by that, and writes what is taken.

    The test split is not looked at. The one that is taken is made the model's default checkpoint, unless another run
    has adopted the same job before and chosen another, or the model is the champion or the one before it.

    Raises:
        EvaluationError: None of the checkpoints could be scored, and there are no other trials that might do.
        ServiceError: An endpoint could not be read, or the default not be set; or the curves not be had that the choice
            is made by.
    """
    experiment, base = read_models(experiment_uri, models_uri)
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    curves = Curves.model_validate(storage.read_json(curves_uri))
    by_loss = experiment.tuning.checkpoint is CheckpointChoice.LOSS and has_examples(validation_uri)
    if by_loss and curves.absent and record.experiment:
        curves = read_curves(record.experiment)  # that they could not be read just now must not decide
    metrics = metrics_for(experiment, validation_uri)
    candidates = candidates_of(record, curves)
    wanted = to_be_asked(candidates, experiment.tuning.checkpoint, trial=bool(record.trial))
    if wanted and has_examples(validation_uri):
        scorer = _Scorer(
            project, location, experiment_uri, experiment, base.id, run_id, validation_uri, metrics, record.adopted
        )
        candidates = [scorer.score(one) if one in wanted else one for one in candidates]
        if all(one.score is None for one in candidates) and not record.trial:
            raise EvaluationError(f"no checkpoint could be scored on validation: {candidates[-1].error}")
    bill = bill_of(record)
    lower = metrics.primary in metrics.lower_is_better
    selection = choose(candidates, experiment.tuning.checkpoint, metrics.primary, [bill], lower_is_better=lower)
    taken = selection.taken
    if taken.checkpoint:
        kept = chosen_before(taken.model, candidates[-1].checkpoint) if record.adopted else None
        # What is in use answers as it did, whatever this run comes to.
        kept = in_use(taken.model) or kept
        if kept and kept != taken.checkpoint:
            # Whoever has chosen it may be serving it: what answers them does not change under their feet.
            selection = selection.model_copy(update={"other_default": kept})
            _log.warning("checkpoint %s stays the default one of %s: another run has chosen it", kept, taken.model)
        else:
            set_default_checkpoint(project, location, taken.model, taken.checkpoint)
    write_selection(selection, selection_uri, page_uri)
    what = f"checkpoint {taken.checkpoint}" if taken.checkpoint else "the model"
    _log.info("of %d checkpoints %s is taken: %s", len(candidates), what, selection.reason)
    return selection


def write_selection(selection: Selection, selection_uri: str, page_uri: str) -> None:
    """Writes what was tried and taken, for the rest of the run and for people."""
    storage.write_json(selection_uri, selection.model_dump(mode="json"))
    storage.write_text(page_uri, selection_page(selection), "text/html; charset=utf-8")


class _Scorer:
    """Scores checkpoints on validation, each by an endpoint of its own."""

    def __init__(
        self,
        project: str,
        location: str,
        experiment_uri: str,
        experiment: Experiment,
        base_model: str,
        run_id: str,
        validation_uri: str,
        metrics: MetricSet,
        adopted: bool,
    ) -> None:
        self._project, self._location, self._uri, self._run_id = project, location, experiment_uri, run_id
        self._base_model, self._metrics, self._adopted = base_model, metrics, adopted
        # A batch job asks a model, which answers with its default checkpoint: only an endpoint is one checkpoint.
        self._settings = experiment.evaluation.model_copy(update={"backend": Backend.ONLINE})
        self._examples: Sequence[Example] = read_split(validation_uri)
        self._fingerprint = read_fingerprint(validation_uri)

    def score(self, candidate: Candidate) -> Candidate:
        """Returns a candidate with its score, or with the reason why it has none."""
        service = Service(self._project, self._location, candidate.endpoint, self._fingerprint)
        try:
            if self._adopted and vertex.find(candidate.endpoint, vertex.location_of(candidate.endpoint, "")) is None:
                raise EvaluationError(f"{candidate.endpoint} is no longer there")
            answers = ask(
                service,
                self._base_model,
                self._examples,
                self._settings,
                experiment_uri=self._uri,
                run_id=self._run_id,
                variant="validation",
            )
            result = evaluate(
                self._metrics,
                candidate.endpoint,
                self._examples,
                answers.predictions,
                max_failure_rate=self._settings.max_failure_rate,
            )
        except EvaluationError as error:
            _log.warning("checkpoint %s could not be scored: %s", candidate.checkpoint, error)
            return candidate.model_copy(update={"error": str(error)})
        scored = {"n": result.n, "failures": result.failures, "score": result.metrics[self._metrics.primary]}
        return candidate.model_copy(update=scored)
