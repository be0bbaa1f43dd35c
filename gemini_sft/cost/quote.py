"""What a run will cost, before anything is spent."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gemini_sft.catalog import catalog
from gemini_sft.cost.asking import Extras, evaluations
from gemini_sft.cost.line import Asked, Line, Tokens, tuning_line, unknown
from gemini_sft.cost.split import SplitCount, TokenCount
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Backend

TUNING = "tuning"
_SHOWN_IDS = 5


class Quote(BaseModel):
    """What a run will cost.

    Attributes:
        model: The base model.
        currency: Of every amount.
        lines: What is paid for.
        usd: All of them together; None if the price of one is not known.
        error_usd: Half-width of an interval that holds the amount with 95 % or more, as far as counting goes: the sum
            of the lines'.
        price_date: The day on which the prices were last seen, the earliest of several; None if there are none.
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


def quote(
    experiment: Experiment, location: str, train: SplitCount, test: SplitCount, extras: Extras | None = None
) -> Quote:
    """Reckons what a run costs: tuning, and every time that a model is asked about the test split.

    "Training tokens" are those of the training data times the epochs (Google's pricing page); the price of inference is
    the same for a base model and those tuned from it.

    Args:
        experiment: Model, epochs and settings.
        location: Where the run is. The tuned model's is another one in part, but `global` never, and all others cost
            the same.
        train: Tokens of the training data.
        test: Tokens of the examples that the models are asked.
        extras: Tokens of what else the experiment wants of them; None for nothing.
    """
    model = experiment.base_model
    assumed = experiment.tuning.epochs is None
    epochs = experiment.tuning.epochs or catalog().assumed_epochs.of(train.total.examples)
    asked = Asked(location, experiment.evaluation.backend is Backend.BATCH)
    lines = [
        tuning_line(TUNING, model, Tokens(train.total.tokens, train.total.error), epochs),
        *evaluations(experiment, asked, test, extras or Extras()),
    ]
    prices = [price for name in {line.model for line in lines} if (price := catalog().models[name].price)]
    amounts = [line.usd for line in lines if line.usd is not None]
    return Quote(
        model=model,
        lines=lines,
        usd=sum(amounts) if len(amounts) == len(lines) else None,
        error_usd=sum(line.error_usd for line in lines),
        price_date=min((price.date for price in prices), default=None),
        train=train.total,
        epochs=epochs,
        epochs_assumed=assumed,
        notes=[*_notes(model, lines, train, test, epochs if assumed else None), *_conditions(experiment)],
    )


def _notes(
    model: str, lines: list[Line], train: SplitCount, test: SplitCount, assumed_epochs: int | None
) -> Iterator[str]:
    if assumed_epochs:
        advice = catalog().assumed_epochs.date
        yield (
            f"tuning.epochs is not set, so Vertex AI chooses by a rule that is not published: {assumed_epochs} epochs"
            f" are assumed, the upper end of Google's advice of {advice} for {train.total.examples:,} examples."
        )
    if said := unknown(lines):
        yield f"{said[0].upper()}{said[1:]} is not known, and is not in the amount."
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
    for name in dict.fromkeys(line.model for line in lines):
        if thoughts := catalog().models[name].least_thoughts:
            yield (
                f"{name} cannot be kept from thinking: the {thoughts} tokens that it may think in each request are in"
                " the amount, billed as output."
            )
    yield "Answers are taken to be as long as their targets; longer ones, and what else a model thinks, cost more."
    yield "Validation examples are taken to cost nothing: Google bills tokens of the training data times epochs."


def _conditions(experiment: Experiment) -> Iterator[str]:
    settings, batch = experiment.evaluation, catalog().batch
    if settings.backend is Backend.BATCH:
        yield (
            f"Models are asked in batch jobs, at {batch.price_factor:.0%} of the price of single requests (Google,"
            f" {batch.date}); the tuned model is quoted at the full price, for whether batch jobs take it is not"
            " documented."
        )
    if settings.judge.model:
        yield (
            f"The judge, {settings.judge.model}, is taken to see as many tokens in the examples as"
            f" {experiment.base_model}; where nothing need be compared, it is not asked and costs nothing."
        )
