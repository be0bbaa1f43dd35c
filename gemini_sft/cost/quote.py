"""What a run will cost, before anything is spent."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gemini_sft.catalog import Price, catalog
from gemini_sft.cost.split import SplitCount, TokenCount
from gemini_sft.experiment import Experiment

TUNING = "tuning"
_MILLION = 1_000_000
_SHOWN_IDS = 5


class Line(BaseModel):
    """One thing that is paid for.

    Attributes:
        what: What it is.
        tokens: Those of the training data in all epochs, or those sent to a model.
        output_tokens: Those that a model answers.
        usd: What it costs; None if its price is not known.
        error_usd: What `usd` may be wrong by because not all examples were counted.
        how: The calculation in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    tokens: int
    output_tokens: int
    usd: float | None
    error_usd: float
    how: str


class Quote(BaseModel):
    """What a run will cost.

    Attributes:
        model: The base model.
        currency: Of every amount.
        lines: What is paid for.
        usd: All of them together; None if the price of one is not known.
        error_usd: Half-width of an interval that holds the amount with 95 % or more, as far as counting goes: the sum
            of the lines'.
        price_date: The day on which the prices were last seen; None if there are none.
        train: Tokens of the training data, in one epoch.
        epochs: How often they are trained on.
        epochs_assumed: Whether Vertex AI chooses the epochs, so that `epochs` is a guess.
        notes: What must be known beside the numbers, in sentences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    currency: Literal["USD"] = "USD"
    lines: list[Line]
    usd: float | None
    error_usd: float
    price_date: date | None
    train: TokenCount
    epochs: int
    epochs_assumed: bool
    notes: list[str]

    @property
    def known_usd(self) -> float:
        """What the lines cost whose price is known."""
        return sum(line.usd for line in self.lines if line.usd is not None)

    def line(self, what: str) -> Line:
        """Returns the line of that name, which there must be."""
        return next(line for line in self.lines if line.what == what)

    def summary(self) -> dict[str, float]:
        """Returns the numbers for Metrics; `usd` is not among them if a price is not known."""
        total = {} if self.usd is None else {"usd": self.usd}
        return total | {
            "known_usd": self.known_usd,
            "error_usd": self.error_usd,
            "train_tokens": self.train.tokens,
            "train_examples": self.train.examples,
            "epochs": self.epochs,
        }


def quote(experiment: Experiment, location: str, train: SplitCount, test: SplitCount) -> Quote:
    """Reckons what a run costs: tuning, and one evaluation each of the base model and the tuned one.

    "Training tokens" are those of the training data times the epochs (Google's pricing page); the price of inference is
    the same for a base model and those tuned from it.

    Args:
        experiment: Model, epochs and settings.
        location: Where the run is. The tuned model's is another one in part, but `global` never, and all others cost
            the same.
        train: Tokens of the training data.
        test: Tokens of the examples that both models are asked.
    """
    price = catalog().models[experiment.base_model].price
    assumed = experiment.tuning.epochs is None
    epochs = experiment.tuning.epochs or catalog().assumed_epochs.of(train.total.examples)
    lines = [
        _tuning(price, train.total, epochs),
        _evaluation("evaluation of the base model", price, location, test),
        _evaluation("evaluation of the tuned model", price, location, test),
    ]
    amounts = [line.usd for line in lines if line.usd is not None]
    return Quote(
        model=experiment.base_model,
        lines=lines,
        usd=sum(amounts) if len(amounts) == len(lines) else None,
        error_usd=sum(line.error_usd for line in lines),
        price_date=price.date if price else None,
        train=train.total,
        epochs=epochs,
        epochs_assumed=assumed,
        notes=list(_notes(experiment.base_model, lines, train, test, epochs if assumed else None)),
    )


def _tuning(price: Price | None, count: TokenCount, epochs: int) -> Line:
    rate = price.training if price else None
    return Line(
        what=TUNING,
        tokens=count.tokens * epochs,
        output_tokens=0,
        usd=None if rate is None else count.tokens * epochs * rate / _MILLION,
        error_usd=0.0 if rate is None else count.error * epochs * rate / _MILLION,
        how=f"{_tokens(count)} x {epochs} epoch{'s' * (epochs > 1)} at {_rate(rate)}",
    )


def _evaluation(what: str, price: Price | None, location: str, test: SplitCount) -> Line:
    prompts, answers = test.prompts, test.answers
    sent, got = price.inference(location) if price else (None, None)
    amount, error = None, 0.0
    if sent is not None and got is not None:
        amount = (prompts.tokens * sent + answers.tokens * got) / _MILLION
        error = (prompts.error * sent + answers.error * got) / _MILLION
    return Line(
        what=what,
        tokens=prompts.tokens,
        output_tokens=answers.tokens,
        usd=amount,
        error_usd=error,
        how=f"{_tokens(prompts)} sent at {_rate(sent)}, {_tokens(answers)} answered at {_rate(got)}",
    )


def _tokens(count: TokenCount) -> str:
    return f"{count.tokens:,} tokens" + (f" (±{count.error:,})" if count.error else "")


def _rate(rate: float | None) -> str:
    return "an unknown price" if rate is None else f"{rate:.4f}".removesuffix("0").removesuffix("0") + " USD per 1M"


def _notes(
    model: str, lines: list[Line], train: SplitCount, test: SplitCount, assumed_epochs: int | None
) -> Iterator[str]:
    if assumed_epochs:
        advice = catalog().assumed_epochs.date
        yield (
            f"tuning.epochs is not set, so Vertex AI chooses by a rule that is not published: {assumed_epochs} epochs"
            f" are assumed, the upper end of Google's advice of {advice} for {train.total.examples:,} examples."
        )
    unknown = [line.what for line in lines if line.usd is None]
    if unknown:
        yield f"What {' and '.join(unknown)} costs with {model} is not known, and is not in the amount."
    for name, count in (("training", train.total), ("test", test.total)):
        if count.counted < count.examples:
            yield f"Of {count.examples:,} {name} examples, {count.counted:,} drawn at random were counted."
    if train.too_long:
        hidden = len(train.too_long) - _SHOWN_IDS
        shown = ", ".join(train.too_long[:_SHOWN_IDS]) + (f" and {hidden:,} more" if hidden > 0 else "")
        limit = catalog().models[model].max_example_tokens
        yield (
            f"{len(train.too_long):,} of the {train.total.counted:,} training examples counted have more than"
            f" {limit:,} tokens; Vertex AI leaves such out and does not bill them: {shown}."
        )
    if train.conversations:
        yield (
            f"{train.conversations:,} of the {train.total.counted:,} training examples counted have several turns of"
            " the model. Google's notebook on tuning costs counts each with all that stands before it; if it is billed"
            " so, tuning costs more than stated."
        )
    yield "Answers are taken to be as long as their targets; longer ones, and what a model thinks, cost more."
    yield "Validation examples are taken to cost nothing: Google bills tokens of the training data times epochs."
