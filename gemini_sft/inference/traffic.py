"""How the answers of a model came about: requests, refusals, latency, pace."""

import math
import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gemini_sft.inference.prediction import Reply


class Traffic(BaseModel):
    """All requests for the answers of one model.

    Attributes:
        examples: How many answers there are, kept ones included.
        kept: How many of them an earlier attempt had left, so that nothing was asked for them.
        requests: How often something was sent.
        refusals: How often the service had no room.
        seconds: From the first request to the last answer.
        per_second: Examples a second, of those for which something was sent; None if there are none.
        latency_median: Seconds from a request to its answer; None if nobody measured any.
        latency_p95: Likewise, the least of them that 95 % do not exceed.
        prompt_tokens: As the service counted them.
        output_tokens: Likewise, thoughts included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    examples: int
    kept: int
    requests: int
    refusals: int
    seconds: float
    per_second: float | None
    latency_median: float | None
    latency_p95: float | None
    prompt_tokens: int
    output_tokens: int

    def summary(self) -> dict[str, float]:
        """Returns the numbers for Metrics, as far as they are known."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


def traffic(replies: Sequence[Reply], *, kept: int, seconds: float) -> Traffic:
    """Sums up.

    Args:
        replies: Of all examples, the `kept` ones first or wherever else. Those say how often they were sent, then.
        kept: How many of them were there before.
        seconds: How long the others took.
    """
    asked = sum(one.requests > 0 for one in replies) - kept
    latencies = sorted(one.seconds for one in replies if one.seconds is not None)
    return Traffic(
        examples=len(replies),
        kept=kept,
        requests=sum(one.requests for one in replies),
        refusals=sum(one.refusals for one in replies),
        seconds=round(seconds, 3),
        per_second=round(asked / seconds, 3) if asked and seconds else None,
        latency_median=round(statistics.median(latencies), 4) if latencies else None,
        latency_p95=round(latencies[math.ceil(0.95 * len(latencies)) - 1], 4) if latencies else None,
        prompt_tokens=sum(one.prediction.prompt_tokens for one in replies),
        output_tokens=sum(one.prediction.output_tokens + one.prediction.thought_tokens for one in replies),
    )
