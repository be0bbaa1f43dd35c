"""After the job: was the quote right?"""

from pydantic import BaseModel, ConfigDict

from gemini_sft.cost.quote import TUNING, Quote
from gemini_sft.cost.words import usd

_TOLERANCE = 0.02


class Reconciliation(BaseModel):
    """Quoted and billed tokens of a tuning job.

    Attributes:
        quoted_tokens: Of the training data, in one epoch.
        billed_tokens: Likewise, as the service counted them; None if it did not say.
        drift: By what share the billed tokens are more than the quoted ones; None if either is not known.
        quoted_usd: What tuning was quoted at; None if its price is not known.
        billed_usd: What the billed tokens cost in the epochs that were run; None likewise, or if the service did not
            say. An invoice it is not: the price is the catalog's.
        unexpected: Whether the drift is more than the quote's own error and 2 % besides.
        words: All that in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quoted_tokens: int
    billed_tokens: int | None
    drift: float | None
    quoted_usd: float | None
    billed_usd: float | None
    unexpected: bool
    words: str

    def summary(self) -> dict[str, float]:
        """Returns the numbers for Metrics, as far as they are known."""
        numbers = {
            "quoted_tokens": self.quoted_tokens,
            "billed_tokens": self.billed_tokens,
            "token_drift": self.drift,
            "quoted_usd": self.quoted_usd,
            "billed_usd": self.billed_usd,
        }
        return {name: value for name, value in numbers.items() if value is not None}


def reconcile(quote: Quote, billable_tokens: int, epochs: int | None) -> Reconciliation:
    """Holds the service's own count against the quote.

    Args:
        quote: From before the job.
        billable_tokens: `totalBillableTokenCount` of the job: tokens of the training data, not multiplied by epochs
            (so it is used in Google's migration notebook; no page says it); 0 if the service did not say.
        epochs: As the service ran them; None if it did not say, and those of the quote hold.
    """
    tuning, quoted = quote.line(TUNING), quote.train.tokens
    run = epochs or quote.epochs
    if not billable_tokens or not quoted:
        return Reconciliation(
            quoted_tokens=quoted,
            billed_tokens=billable_tokens or None,
            drift=None,
            quoted_usd=tuning.usd,
            billed_usd=None,
            unexpected=False,
            words=f"{quoted:,} tokens an epoch were quoted; Vertex AI did not say how many it billed.",
        )
    drift = billable_tokens / quoted - 1
    unexpected = abs(billable_tokens - quoted) > quote.train.error + _TOLERANCE * quoted
    billed_usd = None if tuning.usd is None else tuning.usd * billable_tokens * run / tuning.tokens
    words = f"{quoted:,} tokens an epoch were quoted and {billable_tokens:,} billed ({drift:+.1%})"
    words += f", in {run} epochs instead of {quote.epochs}" if run != quote.epochs else ""
    if tuning.usd is not None and billed_usd is not None:
        words += f": tuning was quoted at {usd(tuning.usd)} and costs {usd(billed_usd)} by the service's count"
    words += ". The difference is more than counting explains." if unexpected else "."
    return Reconciliation(
        quoted_tokens=quoted,
        billed_tokens=billable_tokens,
        drift=drift,
        quoted_usd=tuning.usd,
        billed_usd=billed_usd,
        unexpected=unexpected,
        words=words,
    )
