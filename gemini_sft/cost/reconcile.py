"""After the jobs: was the quote right?"""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from gemini_sft.cost.quote import Quote, tuning_name
from gemini_sft.cost.words import counted, usd

_TOLERANCE = 0.02


class Bill(BaseModel):
    """What the service said of a tuning job.

    Attributes:
        trial: Of the sweep; empty if there is none.
        tokens: `totalBillableTokenCount`: tokens of the training data, not multiplied by epochs (so it is used in
            Google's migration notebook; no page says it); 0 if the service did not say.
        epochs: As the service ran them; None if it did not say, and those of the quote hold.
        adopted: Whether the job was there already, and is not paid for again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trial: str
    tokens: int
    epochs: int | None
    adopted: bool = False


class Reconciliation(BaseModel):
    """Quoted and billed tokens of tuning jobs: of those whose bill is known or, if none is, of all.

    Attributes:
        quoted_tokens: Of the training data, in one epoch of each job.
        billed_tokens: Likewise, as the service counted them; None if it did not say.
        drift: By what share the billed tokens are more than the quoted ones; None if either is not known.
        quoted_usd: What tuning was quoted at; None if its price is not known.
        billed_usd: What the billed tokens cost in the epochs that were run; None likewise, or if the service did not
            say. An invoice it is not: the price is the catalog's.
        new_usd: What this run itself pays of it: a job that was there already costs it nothing. None if the price of
            another job is not known, or if the service did not say.
        unexpected: Whether the drift of a job is more than the quote's own error and 2 % besides.
        words: All that in a few sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quoted_tokens: int
    billed_tokens: int | None
    drift: float | None
    quoted_usd: float | None
    billed_usd: float | None
    new_usd: float | None
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
            "new_usd": self.new_usd,
        }
        return {name: value for name, value in numbers.items() if value is not None}


def reconcile(quote: Quote, bills: Sequence[Bill]) -> Reconciliation:
    """Holds the service's own counts against the quote.

    Args:
        quote: From before the jobs.
        bills: Of the job, or of some jobs of a sweep: only what was quoted for these is held against them.
    """
    known = [bill for bill in bills if bill.tokens and quote.train.tokens]
    held = known or bills
    quoted, billed = quote.train.tokens * len(held), sum(bill.tokens for bill in held)
    quoted_usd = _sum(quote.line(tuning_name(bill.trial)).usd for bill in held)
    billed_usd = _sum(_costs(quote, bill) for bill in known) if known else None
    new_usd = _sum(_costs(quote, bill) if bill in known else None for bill in bills if not bill.adopted)
    drift = billed / quoted - 1 if known else None
    unexpected = sum(_is_unexpected(quote, bill) for bill in known)
    words = f"{_quoted(quote, bills)}; Vertex AI did not say how many it billed."
    if drift is not None:
        words = f"{_quoted(quote, known)} and {_billed(known)} billed ({drift:+.1%}){_other_epochs(quote, known)}"
        if quoted_usd is not None and billed_usd is not None:
            words += f": tuning was quoted at {usd(quoted_usd)} and costs {usd(billed_usd)} by the service's count"
        words += "." + _but(len(known), unexpected, len(bills) - len(known))
    return Reconciliation(
        quoted_tokens=quoted,
        billed_tokens=billed or None,
        drift=drift,
        quoted_usd=quoted_usd,
        billed_usd=billed_usd,
        new_usd=new_usd,
        unexpected=unexpected > 0,
        words=words + _adopted(bills, new_usd),
    )


def _sum(amounts: Iterable[float | None]) -> float | None:
    """Returns the sum; None if one is not known."""
    total = 0.0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _costs(quote: Quote, bill: Bill) -> float | None:
    line = quote.line(tuning_name(bill.trial))  # it has the tokens of all epochs that were quoted
    return None if line.usd is None else line.usd * bill.tokens * _run(quote, bill) / line.tokens


def _run(quote: Quote, bill: Bill) -> int:
    return bill.epochs or _planned(quote, bill)


def _planned(quote: Quote, bill: Bill) -> int:
    return quote.trials[bill.trial] if bill.trial else quote.epochs


def _is_unexpected(quote: Quote, bill: Bill) -> bool:
    quoted = quote.train.tokens
    return abs(bill.tokens - quoted) > quote.train.error + _TOLERANCE * quoted


def _quoted(quote: Quote, bills: Sequence[Bill]) -> str:
    tokens = f"{quote.train.tokens:,} tokens an epoch were quoted"
    return tokens if len(bills) == 1 else f"{counted(len(bills), 'job')}: {tokens} for each"


def _billed(bills: Sequence[Bill]) -> str:
    least, most = min(bill.tokens for bill in bills), max(bill.tokens for bill in bills)
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _other_epochs(quote: Quote, bills: Sequence[Bill]) -> str:
    run, planned = sum(_run(quote, bill) for bill in bills), sum(_planned(quote, bill) for bill in bills)
    return f", in {counted(run, 'epoch')} instead of {planned:,}" if run != planned else ""


def _but(known: int, unexpected: int, silent: int) -> str:
    """Returns further sentences: of how many of the known bills are unexpected, and how many are not known."""
    where = "" if unexpected == known else f" of {counted(unexpected, 'job')}"
    said = f" The difference{where} is more than counting explains." if unexpected else ""
    if silent:
        said += f" Of {counted(silent, 'other job')}, Vertex AI did not say how many tokens it billed."
    return said


def _adopted(bills: Sequence[Bill], new_usd: float | None) -> str:
    """Returns a further sentence: how many of the jobs are not paid for again, and what is paid for the others."""
    made, total = sum(bill.adopted for bill in bills), len(bills)
    if not made:
        return ""
    if total == 1:
        return " The job was made before and is not paid for again."
    which = f"All {total:,} jobs" if made == total else f"{made:,} of the {total:,} jobs"
    were = "was made before and is" if made == 1 else "were made before and are"
    pays = "" if made == total or new_usd is None else f": this run pays {usd(new_usd)}"
    return f" {which} {were} not paid for again{pays}."
