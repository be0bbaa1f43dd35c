"""Predictions for many examples, several requests at once, none of them lost."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tenacity

from gemini_sft.catalog import catalog
from gemini_sft.data import Example
from gemini_sft.experiment import Evaluation
from gemini_sft.inference.prediction import Outcome, Prediction
from gemini_sft.inference.response import read_response
from gemini_sft.inference.retry import Retry, decide
from gemini_sft.vertex import genai_client, location_of

if TYPE_CHECKING:
    from google.genai.client import AsyncClient

_ATTEMPTS = 6
_LONGEST_PAUSE_SECONDS = 30
_PROGRESS_SECONDS = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """Whom to ask, and how; the same for every example.

    Attributes:
        project: Google Cloud project.
        location: Of base models; an endpoint's own name says where it is.
        model: A base model's id or an endpoint's resource name.
        base_model: The base model's id, also of a tuned one: it tells which settings the model takes.
        settings: How to generate.
    """

    project: str
    location: str
    model: str
    base_model: str
    settings: Evaluation


def predict(request: Request, examples: Sequence[Example]) -> list[Prediction]:
    """Asks the model for every example.

    Returns:
        One prediction for each example, in the order of the examples.
    """
    return asyncio.run(_predict(request, examples))


async def _predict(request: Request, examples: Sequence[Example]) -> list[Prediction]:
    settings = request.settings
    client = genai_client(
        request.project,
        location_of(request.model, request.location),
        timeout_seconds=settings.request_timeout_seconds,
        attempts=1,
    )
    places = asyncio.Semaphore(settings.max_concurrency)
    started, done = time.monotonic(), 0

    async def one(example: Example) -> Prediction:
        nonlocal done
        async with places:
            prediction = await _ask(client.aio, request, example)
        done += 1
        return prediction

    async def report() -> None:
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            rate = done / (time.monotonic() - started)
            _log.info("%d of %d examples answered, %.1f a second", done, len(examples), rate)

    reporter = asyncio.create_task(report())
    try:
        return list(await asyncio.gather(*(one(example) for example in examples)))
    finally:
        reporter.cancel()
        await client.aio.aclose()


async def _ask(client: "AsyncClient", request: Request, example: Example) -> Prediction:
    attempts = 0
    started = time.monotonic()
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(lambda error: decide(error) is not Retry.NO),
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE_SECONDS),
        reraise=True,
    )
    try:
        async for attempt in retrying:
            with attempt:
                attempts += 1
                started = time.monotonic()
                response = await client.models.generate_content(
                    model=request.model, contents=_contents(example), config=_config(request, example)
                )
        prediction = read_response(response, example.id)
    except Exception as error:  # a prediction is owed for every example: the error becomes its outcome
        prediction = Prediction(
            example_id=example.id, outcome=Outcome.ERROR, error=f"{type(error).__name__}: {error}"[:1000]
        )
    latency = time.monotonic() - started
    return prediction.model_copy(update={"attempts": attempts, "latency_seconds": round(latency, 4)})


def _contents(example: Example) -> Any:
    from google.genai import types

    return [types.Content.model_validate(content) for content in example.prompt]


def _config(request: Request, example: Example) -> Any:
    """Builds the generation config: all that the example says beside its turns, and settings that the model takes.

    Thinking is at its least, and there is no response schema: a tuned model answers worse with either.
    """
    from google.genai import types

    model = catalog().models[request.base_model]
    instruction = example.record.get("systemInstruction")
    return types.GenerateContentConfig(
        system_instruction=None if instruction is None else types.Content.model_validate(instruction),
        tools=[types.Tool.model_validate(tool) for tool in example.tools] or None,
        media_resolution=example.record.get("generationConfig", {}).get("mediaResolution"),
        temperature=request.settings.temperature if model.sampling else None,
        max_output_tokens=request.settings.max_output_tokens,
        thinking_config=types.ThinkingConfig.model_validate(model.thinking),
        # The SDK would call functions if it had any, and says so of every request.
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
