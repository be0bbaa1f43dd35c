"""Whether a scheduled run tunes, asks the champion again, or does nothing."""

import logging
from datetime import UTC, datetime

from gemini_sft import registry, storage
from gemini_sft.cost import Quote, ledger
from gemini_sft.data.dataset import examples_uri, read_fingerprint, read_sources
from gemini_sft.decision.comparison import Verdict
from gemini_sft.decision.outcome import read_outcomes
from gemini_sft.experiment import load_experiment
from gemini_sft.release.promotion import is_withdrawn
from gemini_sft.retraining.plan import Path, Plan, Situation, Tried, make_plan
from gemini_sft.retraining.purpose import Purpose
from gemini_sft.retraining.trained import DATA_DIGITS, Trained, find, find_ids, settings_of, start_of
from gemini_sft.steps.find_models import read_champion, read_models, read_refused, silent
from gemini_sft.steps.places import OUTCOMES, PLANS, SPENDING, TRAINED, beside
from gemini_sft.tuning import Base
from gemini_sft.tuning.request import digest

_log = logging.getLogger(__name__)


def plan_retraining(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    train_uri: str,
    test_uri: str,
    quote_uri: str,
    plan_uri: str,
) -> Plan:
    """Decides what a scheduled run does, writes it, and notes what that is quoted at for the budget of the month.

    Args:
        project: Google Cloud project.
        location: Region of the run.
        experiment_uri: The experiment file; the plan is kept beside it too.
        run_id: Of the run.
        models_uri: What `find_models` wrote.
        train_uri: The split that would be tuned on.
        test_uri: The split that would be asked.
        quote_uri: What a run to retrain was quoted at.
        plan_uri: Where to write the plan.

    Raises:
        ServiceError: Vertex AI or Cloud Storage did not say.
    """
    experiment, today = load_experiment(experiment_uri, allow_retired=True), datetime.now(UTC).date()
    _, base = read_models(experiment_uri, models_uri)
    champion = read_champion(models_uri)
    quote = Quote.model_validate(storage.read_json(quote_uri))
    now = Trained(
        data=digest(examples_uri(train_uri))[:DATA_DIGITS],
        start=start_of(base),
        settings=settings_of(experiment, base, read_fingerprint(test_uri)),
    )
    trained = beside(experiment_uri, TRAINED)
    then = _made_of(trained, champion)
    ids = frozenset(one["id"] for one in read_sources(train_uri))
    made = make_plan(
        Situation(
            settings=experiment.retraining,
            today=today,
            base=base,
            refused=read_refused(models_uri),
            champion=champion,
            silent=(champion and silent(champion)) or "",
            now=now,
            ids=ids,
            then=then,
            then_ids=find_ids(trained, then.data) if then else None,
            tried=_tried(experiment_uri, trained, run_id, champion, now, ids),
            quote=quote,
        )
    )
    _log.info("%s: %s", made.path, "; ".join(made.reasons))
    for alarm in made.alarms:
        _log.warning("%s", alarm)
    chosen = {Path.TUNE: quote, Path.RECHECK: quote.recheck}.get(made.path)
    if chosen:
        ledger.note(beside(experiment_uri, SPENDING), run_id, chosen.known_usd, Purpose.RETRAIN, today)
    document = made.model_dump(mode="json")
    for uri in (beside(experiment_uri, f"{PLANS}/{run_id}.json"), plan_uri):
        storage.write_json(uri, document)
    return made


def _made_of(trained: str, champion: Base | None) -> Trained | None:
    """Returns what the champion was made of, which the label of its model leads to; None if that is not known."""
    version = registry.find_version(champion.model) if champion and champion.model else None
    intent = version.labels.get("intent") if version else None
    return find(trained, intent) if intent else None


def _tried(
    experiment_uri: str, trained: str, run_id: str, champion: Base | None, now: Trained, ids: frozenset[str]
) -> Tried | None:
    """Returns the last of the other runs whose model is what tuning would give now, and which had its say on it.

    A run that was to promote its model and did not come to it has failed, and is to be done again.
    """
    tried, alike = None, _Alike(trained, now, ids)
    for one in read_outcomes(beside(experiment_uri, OUTCOMES)):
        if one.run_id == run_id or (champion and one.model == champion.model) or not alike.made(one.intent):
            continue
        withdrawn = False
        if one.verdict == Verdict.PROMOTE:
            version = registry.find_version(one.model)
            withdrawn = version is not None and is_withdrawn(version)
            if not withdrawn:
                continue
        tried = Tried(one.run_id, one.verdict, withdrawn)
    return tried


class _Alike:
    """Tells whether a job was made of what there is now. An export may bring the same rows in another order."""

    def __init__(self, trained: str, now: Trained, ids: frozenset[str]) -> None:
        self._trained, self._now, self._ids = trained, now, ids
        self._same = {now.data: True}

    def made(self, intent: str) -> bool:
        """Returns whether the job of an intent was."""
        then = find(self._trained, intent)
        if then is None or (then.start, then.settings) != (self._now.start, self._now.settings):
            return False
        if then.data not in self._same:
            self._same[then.data] = find_ids(self._trained, then.data) == self._ids
        return self._same[then.data]
