"""Whether a run may cost what it is quoted at."""

from gemini_sft.cost.line import unknown
from gemini_sft.cost.quote import TUNING, Quote
from gemini_sft.cost.words import usd
from gemini_sft.errors import BudgetError
from gemini_sft.experiment.schema import Budget


def require_within(quote: Quote, budget: Budget) -> None:
    """Lets a run pass whose quote, and what it may be wrong by, is within the budget.

    Of a quote with unknown prices, which `allow_unknown_price` lets pass, the known part is held against `max_usd`.

    Raises:
        BudgetError: It is not, or a price is not known.
    """
    if quote.usd is None and not budget.allow_unknown_price:
        others = {line.model for line in quote.lines if line.usd is None} - {quote.model}
        key = "evaluation.judge.model" if others else "base_model"
        raise BudgetError(
            f"{unknown(quote.lines)} is not known: set budget.allow_unknown_price to true to run all the same, or"
            f" choose another {key}"
        )
    if budget.max_usd is None or quote.known_usd + quote.error_usd <= budget.max_usd:
        return
    amount = ("" if quote.usd is not None else "at least ") + usd(quote.known_usd)
    if quote.error_usd:
        amount += f", or up to {usd(quote.known_usd + quote.error_usd)} as not all examples were counted"
    raise BudgetError(
        f"the run would cost {amount}, more than the {budget.max_usd:,.10g} USD of budget.max_usd:"
        f" {_cheaper(quote, budget)}"
    )


def _cheaper(quote: Quote, budget: Budget) -> str:
    """Says what would make the run cheaper, with the epochs that would fit if any do."""
    tuning = quote.line(TUNING)
    changes = [f"fewer examples (data.train has {quote.train.examples:,})", "a higher budget.max_usd"]
    if tuning.usd is not None and budget.max_usd is not None:
        one_epoch = (tuning.usd + tuning.error_usd) / quote.epochs
        left = budget.max_usd - (quote.known_usd + quote.error_usd - tuning.usd - tuning.error_usd)
        fitting = int(left / one_epoch) if one_epoch else 0
        now = f"is not set, and {quote.epochs} are assumed" if quote.epochs_assumed else f"is {quote.epochs}"
        if fitting >= 1:
            changes.insert(0, f"fewer epochs (tuning.epochs {now}; {fitting} would fit)")
    if any("judge" in line.what for line in quote.lines):
        changes.insert(-1, "no evaluation.judge")
    return f"take {', '.join(changes[:-1])} or {changes[-1]}"
