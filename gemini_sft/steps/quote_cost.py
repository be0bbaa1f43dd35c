"""What the run will cost."""

import dataclasses
import logging
from datetime import UTC, datetime

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.cost import (
    Champion,
    Extras,
    FrameCount,
    Quote,
    SplitCount,
    TokenCache,
    asks_validation,
    count_split,
    ledger,
    quote,
    quote_recheck,
    require_within,
)
from gemini_sft.cost.budget import Requote
from gemini_sft.cost.jobs import Settings, settings_of
from gemini_sft.cost.tokens import CountRequest, count_tokens
from gemini_sft.cost.words import usd
from gemini_sft.data.dataset import has_examples, read_records, read_sources
from gemini_sft.data.example import turn
from gemini_sft.data.prompting import with_examples
from gemini_sft.errors import BudgetError, DataError, Problem
from gemini_sft.experiment import Experiment
from gemini_sft.inference.few_shot import draw_shots
from gemini_sft.judging import Frame, comparing, grading
from gemini_sft.retraining.purpose import Purpose
from gemini_sft.steps.find_models import asks_champion, read_champion, read_models, read_refused, silent
from gemini_sft.steps.places import SPENDING, TOKEN_COUNTS, beside
from gemini_sft.tuning import Base
from gemini_sft.vertex import location_of

_log = logging.getLogger(__name__)


def quote_cost(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    models_uri: str,
    train_uri: str,
    validation_uri: str,
    test_uri: str,
    quote_uri: str,
    run_id: str = "",
    purpose: str = Purpose.RUN,
) -> Quote:
    """Counts the tokens of the data, and writes what the run costs.

    The validation split is counted only if checkpoints are asked about it; it may be empty.

    Args:
        project: Google Cloud project.
        location: Where the run is.
        experiment_uri: The experiment file, with the budget.
        models_uri: What `find_models` wrote.
        train_uri: The split to tune on.
        validation_uri: The split that checkpoints are asked.
        test_uri: The split that models are asked.
        quote_uri: Where to write it.
        run_id: Of the run, which is noted for the budget of the month if it may go on; empty for a mere check.
        purpose: A `Purpose`. What a run to retrain costs is quoted with what a recheck alone does, and nothing is noted
            before it is known which it will be; if nothing can be tuned any more, only the recheck is quoted.

    Raises:
        BudgetError: The experiment does not allow so much, or a price is not known; the quote is written all the same.
            Not if the run is to retrain: then `Quote.refused` says so.
        DataError: Train has too few examples that can stand in the control arm's prompt.
        UserError: Vertex AI refuses the model or an example.
        ServiceError: Vertex AI did not count the tokens, or what was spent could not be read or noted.
    """
    purpose, today = Purpose(purpose), datetime.now(UTC).date()
    experiment, base = read_models(experiment_uri, models_uri)
    quoting = _Quoting(project, location, experiment_uri, experiment, read_champion(models_uri), test_uri)
    folder = beside(experiment_uri, SPENDING)
    spent = ledger.spent(folder, run_id, today) if experiment.budget.max_usd_per_month is not None else 0.0
    requote: Requote | None = None
    if purpose is Purpose.RECHECK or read_refused(models_uri):
        result = quoting.recheck()
    else:
        _refuse_files(experiment, validation_uri)
        requote = quoting.whole(base, train_uri, validation_uri)
        result = requote(settings_of(experiment))
    result, error = _held(result, experiment, requote, spent)
    if purpose is Purpose.RETRAIN:
        alone, _ = _held(quoting.recheck(), experiment, None, spent)
        result = result.model_copy(update={"recheck": alone})
    storage.write_json(quote_uri, result.model_dump(mode="json"))
    unknown = "" if result.usd is not None else ", without what has no known price"
    uncertain = f" (±{usd(result.error_usd)})" if result.error_usd else ""
    _log.info("the run is quoted at %s%s%s", usd(result.known_usd), uncertain, unknown)
    if purpose is not Purpose.RETRAIN:
        if error:
            raise error
        if run_id:
            ledger.note(folder, run_id, result.known_usd, purpose, today)
    return result


def _held(
    made: Quote, experiment: Experiment, requote: Requote | None, spent: float
) -> tuple[Quote, BudgetError | None]:
    """Returns a quote with what the budget says to it, and that as an error; None if it is allowed."""
    try:
        require_within(made, experiment, requote, spent)
    except BudgetError as error:
        return made.model_copy(update={"refused": str(error)}), error
    return made, None


def _refuse_files(experiment: Experiment, validation_uri: str) -> None:
    """Refuses what a tuning job would fail by after it has trained: it evaluates texts only (Google, 2026-09-25)."""
    if not experiment.tuning.evaluation:
        return
    for record, source in zip(read_records(validation_uri), read_sources(validation_uri), strict=True):
        if any("fileData" in part for one in record["contents"] for part in one["parts"]):
            place = f"{source['source']}:{source['line']}"
            raise DataError([Problem(place, "has a file, and a job evaluates texts only: take tuning.evaluation out")])


def _cache(experiment_uri: str, model: str) -> TokenCache:
    return TokenCache(beside(experiment_uri, f"{TOKEN_COUNTS}/{model}.json"))


class _Quoting:
    """Counts what is to be asked, each split once, and makes quotes of it."""

    def __init__(
        self,
        project: str,
        location: str,
        experiment_uri: str,
        experiment: Experiment,
        champion: Base | None,
        test_uri: str,
    ) -> None:
        self._project, self._location, self._uri, self._experiment = project, location, experiment_uri, experiment
        self._champion, self._test_uri = champion, test_uri
        self._test: SplitCount | None = None

    def whole(self, base: Base, train_uri: str, validation_uri: str) -> Requote:
        """Returns what tells the cost of a run that tunes, with these settings or with others."""
        experiment, model = self._experiment, self._experiment.base_model
        extras = self._extras(train_uri)
        if self._champion is not None and asks_champion(base, self._champion):
            extras = dataclasses.replace(extras, champion=self._asked())
        train, test = self._split(model, train_uri), self._split(model, self._test_uri)
        self._test = test
        asked = asks_validation(experiment, train.total.examples) and has_examples(validation_uri)
        validation = self._split(model, validation_uri) if asked else None

        def requote(settings: Settings) -> Quote:
            return quote(
                experiment,
                self._location,
                train,
                test,
                validation=validation,
                extras=extras,
                settings=settings,
            )

        return requote

    def recheck(self) -> Quote:
        """Returns what it costs to ask the champion alone."""
        champion = self._asked()
        # A count by the base model is near enough, and there already.
        test = self._test or (self._split(champion.model, self._test_uri) if champion else None)
        return quote_recheck(self._experiment, test, champion)

    def _asked(self) -> Champion | None:
        """Returns the champion if `evaluate_model` can ask it."""
        champion = self._champion
        return None if champion is None or silent(champion) else Champion(champion.id, location_of(champion.asked, ""))

    def _split(self, model: str, uri: str) -> SplitCount:
        return count_split(
            self._project,
            self._location,
            model,
            uri,
            cache=_cache(self._uri, model),
            exact_count=self._experiment.budget.exact_count,
            seed=self._experiment.data.seed,
            max_example_tokens=catalog().models[model].max_example_tokens,
            max_output_tokens=self._experiment.evaluation.max_output_tokens,
        )

    def _extras(self, train_uri: str) -> Extras:
        """Returns the tokens of what stands beside the examples, as far as the experiment asks for it."""
        settings, task = self._experiment.evaluation, self._experiment.task
        shots = self._shots(train_uri, self._test_uri) if settings.few_shot else None
        model = settings.judge.model
        if not model:
            return Extras(shots)
        references = [len(one.get("references") or [""]) for one in read_sources(self._test_uri)]
        return Extras(
            shots,
            comparison=self._frame(comparing(task, settings.judge, model), model),
            grade=self._frame(grading(task, settings.judge, model), model) if settings.judge.pointwise else None,
            references=sum(references) / len(references),
        )

    def _shots(self, train_uri: str, test_uri: str) -> int:
        shots = draw_shots(train_uri, test_uri, self._experiment.evaluation.few_shot, self._experiment.data.seed)
        request = CountRequest("of evaluation.few_shot", {"contents": [turn("user", with_examples(None, shots))]})
        (tokens,) = self._count(self._experiment.base_model, request)
        return tokens

    def _frame(self, frame: Frame, model: str) -> FrameCount:
        name = "of the judge's instruction"
        instruction, verdict = self._count(model, CountRequest(name, frame.bare), CountRequest(name, frame.longest))
        return FrameCount(instruction, verdict)

    def _count(self, model: str, *requests: CountRequest) -> list[int]:
        return count_tokens(self._project, self._location, model, requests, _cache(self._uri, model))
