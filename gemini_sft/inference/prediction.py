"""What became of one example."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gemini_sft import storage


class Outcome(StrEnum):
    """How a request ended. Every example ends in one of these, and all of them count."""

    ANSWERED = "answered"
    EMPTY = "empty"
    BLOCKED = "blocked"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    ERROR = "error"

    @property
    def has_answer(self) -> bool:
        """Whether there is something to score: a truncated answer is."""
        return self in (Outcome.ANSWERED, Outcome.TRUNCATED)


class Prediction(BaseModel):
    """A model's outcome for one example.

    It says what was answered and nothing of how: the same answers are the same bytes, however often they had to be
    asked for. `Traffic` has the rest.

    Attributes:
        example_id: Whose prediction it is.
        outcome: How it ended.
        text: The answer, in which function calls stand as JSON (see `text_of`); empty if there is none.
        finish_reason: As the service states it; empty if it answered nothing.
        model_version: The model that answered, in the service's own words.
        prompt_tokens: As the service counted them.
        output_tokens: Likewise, of the answer.
        thought_tokens: Likewise, of what the model thought, which is billed like the answer.
        error: Why there is no answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    example_id: str
    outcome: Outcome
    text: str = ""
    finish_reason: str = ""
    model_version: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    error: str = ""


class Reply(BaseModel):
    """A prediction, and how it came about.

    Attributes:
        prediction: What was answered.
        seconds: From sending the last request to its answer; None if nobody measured it.
        requests: How often it was sent.
        refusals: How often the service had no room for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prediction: Prediction
    seconds: float | None = None
    requests: int = 1
    refusals: int = 0


def read_predictions(uri: str) -> list[Prediction]:
    """Reads the predictions of one model, in the examples' order."""
    return [Prediction.model_validate(one) for one in storage.read_jsonl(uri)]
