"""One thing that is paid for, and how its price is reckoned."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from gemini_sft.catalog import catalog
from gemini_sft.cost.words import counted

_MILLION = 1_000_000


class Line(BaseModel):
    """One thing that is paid for.

    Attributes:
        what: What it is.
        model: Whose price it has.
        tokens: Those of the training data in all epochs, or those sent to a model.
        output_tokens: Those that a model answers, and those that it thinks at least.
        usd: What it costs; None if its price is not known.
        error_usd: What `usd` may be wrong by because not all examples were counted.
        how: The calculation in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    model: str
    tokens: int
    output_tokens: int
    usd: float | None
    error_usd: float
    how: str

    def times(self, number: int, what: str, of: str) -> "Line":
        """Returns what so many of it cost together, under another name; `of` says in words what they are."""
        return Line(
            what=what,
            model=self.model,
            tokens=self.tokens * number,
            output_tokens=self.output_tokens * number,
            usd=None if self.usd is None else self.usd * number,
            error_usd=self.error_usd * number,
            how=f"{of} x ({self.how})",
        )


@dataclass(frozen=True)
class Tokens:
    """A number of tokens, and half the width of its 95 % interval."""

    count: int
    error: int = 0

    def __str__(self) -> str:
        return f"{self.count:,} tokens" + (f" (±{self.error:,})" if self.error else "")


@dataclass(frozen=True)
class Asked:
    """Where and how models are asked.

    Attributes:
        location: Where.
        batch: Whether in a batch job, which has another price.
    """

    location: str
    batch: bool

    def rates(self, model: str) -> tuple[float | None, float | None]:
        """Returns what 1 million tokens that are sent, and that are answered, cost in USD; None if nobody knows."""
        price = catalog().models[model].price
        factor = catalog().batch.price_factor if self.batch else 1.0
        sent, got = price.inference(self.location) if price else (None, None)
        return None if sent is None else sent * factor, None if got is None else got * factor

    def line(self, what: str, model: str, requests: int, sent: Tokens, got: Tokens) -> Line:
        """Returns what requests to a model cost, their answers, and as many thoughts as it must be allowed."""
        thought = requests * catalog().models[model].least_thoughts
        sent_rate, got_rate = self.rates(model)
        amount, error = None, 0.0
        if sent_rate is not None and got_rate is not None:
            amount = (sent.count * sent_rate + (got.count + thought) * got_rate) / _MILLION
            error = (sent.error * sent_rate + got.error * got_rate) / _MILLION
        return Line(
            what=what,
            model=model,
            tokens=sent.count,
            output_tokens=got.count + thought,
            usd=amount,
            error_usd=error,
            how=f"{sent} sent at {rate_words(sent_rate)}, {got} answered{_thinking(thought)} at {rate_words(got_rate)}",
        )


def tuning_line(what: str, model: str, tokens: Tokens, epochs: int) -> Line:
    """Returns what it costs to tune a model on so many tokens in each of the epochs."""
    price = catalog().models[model].price
    rate = price.training if price else None
    return Line(
        what=what,
        model=model,
        tokens=tokens.count * epochs,
        output_tokens=0,
        usd=None if rate is None else tokens.count * epochs * rate / _MILLION,
        error_usd=0.0 if rate is None else tokens.error * epochs * rate / _MILLION,
        how=f"{tokens} x {counted(epochs, 'epoch')} at {rate_words(rate)}",
    )


def _thinking(tokens: int) -> str:
    return f" and up to {tokens:,} thought" if tokens else ""


def rate_words(rate: float | None) -> str:
    """Returns a price in words, with two digits behind the point or up to four if it has them."""
    return "an unknown price" if rate is None else f"{rate:.4f}".removesuffix("0").removesuffix("0") + " USD per 1M"


def unknown(lines: list[Line]) -> str:
    """Returns in words for what no price is known, such as `what tuning costs with M`; empty if there is nothing."""
    models = dict.fromkeys(line.model for line in lines if line.usd is None)
    whats = {model: [line.what for line in lines if line.usd is None and line.model == model] for model in models}
    said = [f"{' and '.join(whats[model])} costs with {model}" for model in models]
    return f"what {' and what '.join(said)}" if said else ""
