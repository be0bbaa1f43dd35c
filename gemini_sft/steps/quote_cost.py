"""What the run will cost."""

import dataclasses
import functools
import logging

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.cost import (
    Champion,
    Extras,
    FrameCount,
    Quote,
    TokenCache,
    asks_validation,
    count_split,
    quote,
    require_within,
)
from gemini_sft.cost.tokens import CountRequest, count_tokens
from gemini_sft.cost.words import usd
from gemini_sft.data.dataset import has_examples, read_records, read_sources
from gemini_sft.data.example import turn
from gemini_sft.data.prompting import with_examples
from gemini_sft.errors import DataError, Problem
from gemini_sft.experiment import Experiment
from gemini_sft.inference.few_shot import draw_shots
from gemini_sft.judging import Frame, comparing, grading
from gemini_sft.steps.find_models import asks_champion, read_champion, read_models, silent
from gemini_sft.steps.places import TOKEN_COUNTS, beside
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
) -> Quote:
    """Counts the tokens of the data, and writes what the run costs.

    The validation split is counted only if checkpoints are asked about it; it may be empty.

    Raises:
        BudgetError: The experiment does not allow so much, or a price is not known; the quote is written all the same.
        DataError: Train has too few examples that can stand in the control arm's prompt.
        UserError: Vertex AI refuses the model or an example.
        ServiceError: Vertex AI did not count the tokens.
    """
    experiment, base = read_models(experiment_uri, models_uri)
    _refuse_files(experiment, validation_uri)
    model = experiment.base_model
    count = functools.partial(
        count_split,
        project,
        location,
        model,
        cache=_cache(experiment_uri, model),
        exact_count=experiment.budget.exact_count,
        seed=experiment.data.seed,
        max_example_tokens=catalog().models[model].max_example_tokens,
        max_output_tokens=experiment.evaluation.max_output_tokens,
    )
    extras = _Counting(project, location, experiment_uri, experiment).extras(train_uri, test_uri)
    extras = dataclasses.replace(extras, champion=_champion(base, read_champion(models_uri)))
    train, test = count(train_uri), count(test_uri)
    asked = asks_validation(experiment, train.total.examples) and has_examples(validation_uri)
    reckon = functools.partial(
        quote, experiment, location, train, test, validation=count(validation_uri) if asked else None, extras=extras
    )
    result = reckon()
    storage.write_json(quote_uri, result.model_dump(mode="json"))
    unknown = "" if result.usd is not None else ", without what has no known price"
    error = f" (±{usd(result.error_usd)})" if result.error_usd else ""
    _log.info("the run is quoted at %s%s%s", usd(result.known_usd), error, unknown)
    require_within(result, experiment, lambda settings: reckon(settings=settings))
    return result


def _champion(base: Base, champion: Base | None) -> Champion | None:
    """Returns who will be asked besides, as `evaluate_model` decides it."""
    if champion is None or not asks_champion(base, champion) or silent(champion):
        return None
    return Champion(champion.id, location_of(champion.asked, ""))


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


class _Counting:
    """Counts what stands beside the examples, once for all of them."""

    def __init__(self, project: str, location: str, experiment_uri: str, experiment: Experiment) -> None:
        self._project, self._location, self._uri, self._experiment = project, location, experiment_uri, experiment

    def extras(self, train_uri: str, test_uri: str) -> Extras:
        """Returns the tokens of what the experiment asks for."""
        settings, task = self._experiment.evaluation, self._experiment.task
        shots = self._shots(train_uri, test_uri) if settings.few_shot else None
        model = settings.judge.model
        if not model:
            return Extras(shots)
        references = [len(one.get("references") or [""]) for one in read_sources(test_uri)]
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
