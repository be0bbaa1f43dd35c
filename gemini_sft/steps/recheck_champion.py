"""Whether the champion is still as good as it was when it was promoted."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from gemini_sft import storage
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.inference.journal import sweep
from gemini_sft.metrics import MetricSet, metrics_for
from gemini_sft.report.numbers import percent
from gemini_sft.report.recheck import recheck_page
from gemini_sft.retraining.recheck import Recheck, recheck, unknown
from gemini_sft.retraining.reference import Reference, scoring_of
from gemini_sft.retraining.retiring import retirement_alarms
from gemini_sft.steps.absent import class_of_absence, why_absent
from gemini_sft.steps.evidence import ArmUris
from gemini_sft.steps.find_models import read_champion, read_models, seen_by, silent
from gemini_sft.steps.places import ANSWERS, RECHECKS, beside
from gemini_sft.steps.references import find_reference, groups_of, keep_reference, looks_of
from gemini_sft.tuning import Base

_log = logging.getLogger(__name__)


def recheck_champion(
    *,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    test_uri: str,
    champion: ArmUris,
    recheck_uri: str,
    report_uri: str,
) -> Recheck:
    """Holds the champion's answers of today against those with which it was promoted, and writes what came of it.

    If nothing is kept of them, or what is kept cannot be compared, today's are kept for the next time.

    Args:
        experiment_uri: The experiment file; what came of it is kept beside it too.
        run_id: Of the run.
        models_uri: What `find_models` wrote.
        test_uri: The split that was asked.
        champion: What `evaluate_model` wrote of the arm `recheck`.
        recheck_uri: Where to write what came of it.
        report_uri: Where to write a page of it.

    Raises:
        ServiceError: Cloud Storage did not give or take a file.
    """
    experiment, base = read_models(experiment_uri, models_uri)
    experiment = load_experiment(experiment_uri, allow_retired=True)
    found = read_champion(models_uri)
    seen = seen_by(found, experiment_uri, models_uri, test_uri) if found else set()
    case = _Case(experiment, experiment_uri, run_id, test_uri, metrics_for(experiment, test_uri), found, seen)
    made, why = _made(case, champion)
    today, warn_days = datetime.now(UTC).date(), experiment.retraining.warn_days
    retiring = retirement_alarms(base.id, found.id if found else None, warn_days, today)
    made = made.model_copy(update={"alarms": [*made.alarms, *retiring], "report": report_uri})
    _log.info("champion %s: %s", made.state, "; ".join(made.reasons))
    for alarm in made.alarms:
        _log.warning("%s", alarm)
    document = made.model_dump(mode="json")
    storage.write_text(report_uri, recheck_page(made, experiment.name, run_id, why), "text/html; charset=utf-8")
    for uri in (beside(experiment_uri, f"{RECHECKS}/{run_id}.json"), recheck_uri):
        storage.write_json(uri, document)
    # The run has come to its end: nothing of it will be asked again.
    sweep(beside(experiment_uri, ANSWERS), run_id)
    return made


@dataclass(frozen=True)
class _Case:
    """Who is rechecked, and on what."""

    experiment: Experiment
    experiment_uri: str
    run_id: str
    test_uri: str
    metrics: MetricSet
    champion: Base | None
    seen: set[str]

    @property
    def model(self) -> tuple[str, str | None]:
        """The champion's resource name with its version, and its checkpoint."""
        return (self.champion.model or "", self.champion.checkpoint) if self.champion else ("", None)

    def unknown(self, reason: str, alarms: list[str], today: EvaluationResult | None = None) -> Recheck:
        """Returns that nothing is known, and why."""
        primary = self.metrics.primary
        return unknown(
            reasons=[reason],
            alarms=alarms,
            metric=primary,
            confidence=self.experiment.gate.confidence,
            model=self.model[0],
            now=today.metrics[primary] if today else None,
            n_now=today.n if today else 0,
            served_by=today.served_by if today else "",
        )


def _made(case: _Case, uris: ArmUris) -> tuple[Recheck, str]:
    """Returns what came of it; and of a champion that could not be asked why, which is for the page alone."""
    if case.champion is None:
        return case.unknown("there is no champion yet", []), ""
    if why := silent(case.champion):
        return case.unknown(said := f"the champion cannot be asked: {why}", [said]), ""
    document = storage.read_json(uris.evaluation)
    if absent := why_absent(document):
        # Its text may repeat what a service said of a prompt.
        said = f"the champion could not be asked ({class_of_absence(document)}): the run's page says why"
        return case.unknown(said, [said]), absent
    today = EvaluationResult.model_validate(document)
    alarms = _failing(today, case.experiment.evaluation.max_failure_rate)
    reference = find_reference(case.experiment_uri, case.model)
    if why := _useless(case, reference):
        keep_reference(
            case.experiment, case.experiment_uri, case.run_id, case.test_uri, case.model, today, promoted=False
        )
        return case.unknown(f"{why}: today's scores are kept, and the next recheck goes by them", alarms, today), ""
    assert reference is not None
    made = recheck(
        reference,
        today,
        groups_of(case.test_uri),
        metric=case.metrics.primary,
        lower_is_better=case.metrics.primary in case.metrics.lower_is_better,
        confidence=case.experiment.gate.confidence,
        max_drop=case.experiment.retraining.max_drop,
        model=case.model[0],
        looks=looks_of(
            case.experiment, case.experiment_uri, case.run_id, reference, case.model, case.metrics.primary, today
        ),
        seen=case.seen,
    )
    return made.model_copy(update={"alarms": [*made.alarms, *alarms]}), ""


def _useless(case: _Case, reference: Reference | None) -> str:
    """Returns why nothing can be held against what is kept; empty if it can."""
    # One that an earlier attempt of this run has kept holds nothing but the same answers.
    if reference is None or (reference.run_id == case.run_id and not reference.promoted):
        return "how the champion scored when it was promoted is not known here"
    then, now = reference.scoring, scoring_of(case.experiment.evaluation)
    if changed := [f"evaluation.{key}" for key in sorted({*then, *now}) if then.get(key) != now.get(key)]:
        return f"{' and '.join(changed)} changed since the champion was scored, so its scores cannot be compared"
    if case.metrics.primary not in reference.evaluation.metrics:
        return f"{case.metrics.primary} was not computed when the champion was scored"
    if reference.evaluation.prompt != read_fingerprint(case.test_uri):
        return "the prompt changed since the champion was scored"
    return ""


def _failing(today: EvaluationResult, most: float) -> list[str]:
    """Returns an alarm if more of the champion's answers are missing than a run may have."""
    if today.failures / today.n <= most:
        return []
    return [
        f"{today.failures} of {today.n} examples have no answer of the champion that could be scored, more than the"
        f" {percent(most)} of evaluation.max_failure_rate"
    ]
