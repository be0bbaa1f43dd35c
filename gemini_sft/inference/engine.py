"""Predictions for many examples: what is known is kept, the rest is asked for, one way or the other."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.errors import UserError
from gemini_sft.experiment.schema import Backend, Evaluation
from gemini_sft.inference.batch import ask_batch
from gemini_sft.inference.call import Call, Service, keys
from gemini_sft.inference.journal import Journal
from gemini_sft.inference.online import Online
from gemini_sft.inference.prediction import Prediction, Reply
from gemini_sft.inference.traffic import Traffic, traffic
from gemini_sft.vertex import is_endpoint

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answers:
    """What became of all calls.

    Attributes:
        replies: One for each call, in the order of the calls.
        traffic: How they came about.
    """

    replies: list[Reply]
    traffic: Traffic

    @property
    def predictions(self) -> list[Prediction]:
        """What was answered, in the order of the calls."""
        return [one.prediction for one in self.replies]


def predict(
    service: Service,
    calls: Sequence[Call],
    settings: Evaluation,
    journal: Journal | None = None,
    *,
    max_errors: int | None = None,
    progress_uri: str | None = None,
) -> Answers:
    """Asks a model for every call that the journal has no answer to.

    Args:
        service: Whom to ask.
        calls: What.
        settings: Limits and deadlines.
        journal: Where answers are kept as they come, so that a second attempt asks only for the rest.
        max_errors: After more errors than that nothing else is asked, for all is lost; None for never.
        progress_uri: Where it is said how far it is; None for nowhere.

    Raises:
        UserError: There are no credentials.
        ServiceError: The journal could not be read or written.
    """
    named = dict(zip(keys(service, calls), calls, strict=True))
    kept = journal.read(named) if journal else {}
    if kept:
        _log.info("%d of %d answers were there already", len(kept), len(named))
    missing = {key: call for key, call in named.items() if key not in kept}
    begin = time.monotonic()
    asked: dict[str, Reply] = {}
    if missing and settings.backend is Backend.BATCH:
        if journal is None:
            raise ValueError("a batch job needs a journal: its files stand there")
        try:
            asked = ask_batch(service, missing, journal, settings.timeout_minutes)
        except UserError as error:
            # Whether batch jobs take every tuned model is not documented; this one has been paid for.
            if not is_endpoint(service.model):
                raise
            _log.warning("%s; its requests are sent one by one instead, at the full price", error)
    if missing and not asked:
        asked = asyncio.run(Online(service, settings, journal, max_errors, progress_uri).ask(missing, len(kept)))
    found = kept | asked
    replies = [_of(call, found[key]) for key, call in named.items()]
    return Answers(replies, traffic(replies, kept=len(kept), seconds=time.monotonic() - begin))


def _of(call: Call, reply: Reply) -> Reply:
    """Returns a reply as that to a call: a kept one may have been another example's with the same prompt."""
    return reply.model_copy(update={"prediction": reply.prediction.model_copy(update={"example_id": call.id})})
