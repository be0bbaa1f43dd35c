"""What the run was quoted at, and what the service billed."""

from dataclasses import dataclass

from gemini_sft.cost import Quote
from gemini_sft.cost.words import usd
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput


@dataclass(frozen=True)
class CostLine:
    """One thing that is paid for, and how its price was reckoned."""

    what: str
    tokens: str
    answered: str
    usd: str
    how: str


@dataclass(frozen=True)
class CostView:
    """The quote, what was allowed, and what was billed.

    Attributes:
        lines: Of the quote.
        total: Of all lines, and by how much it may be wrong.
        budget: What the experiment allows.
        billed: The bill against the quote, in sentences.
        notes: What must be known besides, in sentences.
        priced: The day on which the prices were last seen; empty if there are none.
    """

    lines: list[CostLine]
    total: str
    budget: str
    billed: str
    notes: list[str]
    priced: str


def cost_view(data: ReportInput) -> CostView:
    """Returns what the section shows."""
    quote, most = data.quote, data.experiment.budget.max_usd
    return CostView(
        lines=[
            CostLine(
                what=one.what[:1].upper() + one.what[1:],
                tokens=numbers.count(one.tokens),
                answered=numbers.count(one.output_tokens) if one.output_tokens else numbers.NOTHING,
                usd="unknown" if one.usd is None else usd(one.usd),
                how=one.how,
            )
            for one in quote.brief
        ],
        total=quoted_total(quote),
        budget="none was set" if most is None else f"at most {usd(most)}",
        billed=data.cost.words,
        notes=quote.notes,
        priced=f"{quote.price_date or ''}",
    )


def quoted_total(quote: Quote) -> str:
    """Returns what the run was quoted at, by how much that may be wrong, and what is not in it."""
    error = f" (\u00b1{usd(quote.error_usd)})" if quote.error_usd else ""
    return usd(quote.known_usd) + error + ("" if quote.usd is not None else ", without what has no known price")
