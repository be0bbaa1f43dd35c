"""One request an example, as many at once as the service bears, none of them lost."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gemini_sft.experiment import Evaluation
from gemini_sft.inference.call import COLD_SECONDS, Call, Service
from gemini_sft.inference.journal import Journal, Keeper
from gemini_sft.inference.limiter import Limiter
from gemini_sft.inference.prediction import Outcome, Prediction, Reply
from gemini_sft.inference.progress import Progress
from gemini_sft.inference.response import read_response
from gemini_sft.inference.retry import Decision, Retry, decide
from gemini_sft.rest import default_credentials
from gemini_sft.vertex import genai_client, is_endpoint, location_of

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

_ATTEMPTS = 6
"""How often a request is sent that meets faults; want of room is waited for instead."""
_TOKENS = 2
_MINUTES = 1440.0
"""For all answers, if `evaluation.timeout_minutes` is not set."""
_FIRST_PAUSE_SECONDS = 0.5
_DOUBLINGS = 6
_LONGEST_PAUSE_SECONDS = 30.0
_PATIENCE_SECONDS = 900.0
"""How long nothing at all may be answered before requests that find no room are given up."""


class Online:
    """Asks a model.

    Args:
        service: Whom.
        settings: Limits and deadlines.
        journal: Where answers are kept as they come; None for nowhere.
        max_errors: After more errors than that, nothing else is asked; None for never.
        progress_uri: Where it is said how far it is; None for nowhere.
    """

    def __init__(
        self,
        service: Service,
        settings: Evaluation,
        journal: Journal | None,
        max_errors: int | None = None,
        progress_uri: str | None = None,
    ) -> None:
        self._progress_uri = progress_uri
        self._service = service
        self._settings = settings
        self._journal = journal
        self._max_errors = max_errors
        self._replies: dict[str, Reply] = {}
        self._errors = self._sent = 0
        self._cold = is_endpoint(service.model)
        self._renewing, self._renewed = asyncio.Lock(), float("-inf")

    async def ask(self, calls: Mapping[str, Call], kept: int) -> dict[str, Reply]:
        """Returns a reply for each call, by its key.

        Args:
            calls: What to ask, by key.
            kept: How many others were answered before: progress counts them.

        Raises:
            UserError: There are no credentials.
            ServiceError: An answer could not be kept.
        """
        settings = self._settings
        self._limiter = Limiter(settings.max_concurrency, settings.max_requests_per_minute)
        self._credentials = default_credentials()
        self._client = genai_client(
            self._service.project,
            location_of(self._service.model, self._service.location),
            timeout_seconds=settings.request_timeout_seconds,
            attempts=1,
            credentials=self._credentials,
        ).aio
        self._keeper = Keeper(self._journal) if self._journal else None
        self._last_answer = self._begin = asyncio.get_running_loop().time()
        self._progress = Progress(
            f"answers of {self._service.model}",
            kept + len(calls),
            kept,
            lambda: self._sent,
            self._progress_uri,
        )
        minutes = settings.timeout_minutes or _MINUTES
        why = f"not answered within the {minutes:g} minutes of evaluation.timeout_minutes"
        shown = asyncio.create_task(self._progress.show())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(minutes * 60):
                    await self._all(calls)
                    why = f"not asked after {self._errors} others had ended in errors"
        finally:
            shown.cancel()
            await asyncio.gather(shown, return_exceptions=True)
            self._progress.end()
            await self._client.aclose()
        return {key: self._replies.get(key) or _error(call, why, requests=0) for key, call in calls.items()}

    async def _all(self, calls: Mapping[str, Call]) -> None:
        pending = iter(calls.items())
        if self._cold:
            # One is enough to find out when a new endpoint begins to answer.
            await self._work(pending, once=True)
        places = min(self._settings.max_concurrency, len(calls))
        workers = [asyncio.create_task(self._work(pending)) for _ in range(places)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, pending: Iterator[tuple[str, Call]], *, once: bool = False) -> None:
        while True:
            async with self._limiter.place():
                key, call = next(pending, ("", None))
                if call is None or (self._max_errors is not None and self._errors > self._max_errors):
                    return
                reply = await self._reply(call)
                failed = reply.prediction.outcome is Outcome.ERROR
                # The place is free for another only when this answer is safe: whatever happens, what was under way is
                # all that is asked, and paid for, twice.
                if self._keeper and not failed:
                    await self._keeper.keep(key, reply)
                self._errors += failed
            self._replies[key] = reply
            self._progress.count(failed=not reply.prediction.outcome.has_answer)
            if once:
                return

    async def _reply(self, call: Call) -> Reply:
        loop = asyncio.get_running_loop()
        requests = refusals = faults = colds = tokens = 0
        while True:
            sent = await self._limiter.start()
            requests += 1
            try:
                prediction = read_response(await self._send(call), call.id)
            except Exception as error:  # a reply is owed for every call: the error becomes its outcome
                seconds = loop.time() - sent
                decision = self._decide(error)
                refusals += decision.retry is Retry.RATE_LIMIT
                faults += decision.retry is Retry.TRANSIENT
                colds += decision.retry is Retry.COLD
                tokens += decision.retry is Retry.TOKEN
                if self._is_final(decision, faults, tokens):
                    text = f"{type(error).__name__}: {error}"[:1000]
                    return _error(call, text, requests=requests, refusals=refusals, seconds=seconds)
                await self._prepare_for_another(decision, sent, refusals + faults + colds)
            else:
                self._cold = False
                self._last_answer = loop.time()
                self._limiter.answered(sent)
                return Reply(
                    prediction=prediction,
                    seconds=round(loop.time() - sent, 4),
                    requests=requests,
                    refusals=refusals,
                )

    def _decide(self, error: Exception) -> Decision:
        decision = decide(error)
        if self._cold and getattr(error, "code", None) in (404, 503):
            return Decision(Retry.COLD, decision.after)
        return decision

    def _is_final(self, decision: Decision, faults: int, tokens: int) -> bool:
        now = asyncio.get_running_loop().time()
        match decision.retry:
            case Retry.NO:
                return True
            case Retry.TRANSIENT:
                return faults >= _ATTEMPTS
            case Retry.TOKEN:
                return tokens >= _TOKENS
            case Retry.RATE_LIMIT:
                return now - self._last_answer > _PATIENCE_SECONDS
            case Retry.COLD:
                return now - self._begin > COLD_SECONDS

    async def _prepare_for_another(self, decision: Decision, sent: float, failures: int) -> None:
        if decision.retry is Retry.TOKEN:
            await self._renew(sent)
            return
        if decision.retry is Retry.RATE_LIMIT:
            self._limiter.refused(sent, decision.after)
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(failures, _DOUBLINGS), _LONGEST_PAUSE_SECONDS)
        if decision.after is not None:
            await asyncio.sleep(decision.after)
            pause = _FIRST_PAUSE_SECONDS
        # Not all to the same instant.
        await asyncio.sleep(pause * random.uniform(0.5, 1))

    async def _renew(self, sent: float) -> None:
        """Gets a new access token, once for all requests that were sent with the old one."""
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        async with self._renewing:
            if sent > self._renewed:
                with suppress(GoogleAuthError):  # the next answer will say so again
                    await asyncio.to_thread(self._credentials.refresh, Request())
                self._renewed = asyncio.get_running_loop().time()

    async def _send(self, call: Call) -> "GenerateContentResponse":
        from google.genai import types

        contents: list[Any] = [types.Content.model_validate(one) for one in call.body["contents"]]
        beside = {key: call.body[key] for key in ("systemInstruction", "tools") if key in call.body}
        config = types.GenerateContentConfig.model_validate(call.body["generationConfig"] | beside)
        # The SDK would call functions if it had any, and says so of every request.
        config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
        self._sent += 1
        try:
            return await self._client.models.generate_content(
                model=self._service.model, contents=contents, config=config
            )
        finally:
            self._sent -= 1


def _error(call: Call, text: str, *, requests: int, refusals: int = 0, seconds: float | None = None) -> Reply:
    prediction = Prediction(example_id=call.id, outcome=Outcome.ERROR, error=text)
    return Reply(prediction=prediction, requests=requests, refusals=refusals, seconds=seconds)
