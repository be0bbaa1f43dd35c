"""What became of one example."""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gemini_sft import storage

_CLASS = re.compile(r"[A-Z]\w*(?:Error|Exception|Timeout)(?=:|$)")
# The names are those of google.rpc.Code, and no other word is taken for one.
_STATUS = re.compile(
    r"\d{3}\b(?: (?:INVALID_ARGUMENT|FAILED_PRECONDITION|OUT_OF_RANGE|UNAUTHENTICATED|PERMISSION_DENIED|NOT_FOUND"
    r"|ABORTED|ALREADY_EXISTS|RESOURCE_EXHAUSTED|CANCELLED|DATA_LOSS|UNKNOWN|INTERNAL|UNIMPLEMENTED|UNAVAILABLE"
    r"|DEADLINE_EXCEEDED)\b)?"
)


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

    @property
    def reason(self) -> str:
        """Why there is no answer, by class and status alone: what a service says more of it may repeat the prompt."""
        if not self.error:
            return f"{self.outcome} {self.finish_reason}".strip()
        named = _CLASS.match(self.error)
        status = _STATUS.match(self.error.removeprefix(named.group()).lstrip(": ") if named else self.error)
        return " ".join(one.group() for one in (named, status) if one) or self.outcome


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
