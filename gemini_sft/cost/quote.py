"""What a run will cost, before anything is spent."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gemini_sft.catalog import catalog
from gemini_sft.cost.asking import Champion, Extras, champion_line, evaluations, of_checkpoints
from gemini_sft.cost.jobs import Settings, planned, settings_of
from gemini_sft.cost.line import Asked, Line, Tokens, tuning_line, unknown
from gemini_sft.cost.notes import notes, notes_of_recheck
from gemini_sft.cost.split import SplitCount, TokenCount
from gemini_sft.cost.words import counted
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Backend

TUNING = "tuning"


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
        epochs: How often they are trained on, by all tuning jobs together.
        epochs_assumed: Whether Vertex AI chooses the epochs, of one job at least, so that `epochs` is a guess.
        trials: The epochs of each trial of a sweep; empty if there is none.
        notes: What must be known beside the numbers, in sentences.
        refused: Why the budget does not allow it; empty if it does.
        recheck: What it costs to ask the champion alone; None where nobody wants to know.
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
    trials: dict[str, int] = {}
    notes: list[str]
    refused: str = ""
    recheck: "Quote | None" = None

    @property
    def known_usd(self) -> float:
        """What the lines cost whose price is known."""
        return sum(line.usd for line in self.lines if line.usd is not None)

    @property
    def brief(self) -> list[Line]:
        """The lines, but one for all trials of a sweep."""
        if not self.trials:
            return self.lines
        names = {tuning_name(trial) for trial in self.trials}
        what = f"{TUNING} in {counted(len(self.trials), 'job')}"
        together = tuning_line(what, self.model, Tokens(self.train.tokens, self.train.error), self.epochs)
        return [together, *(line for line in self.lines if line.what not in names)]

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
            "tuning_jobs": len(self.trials) or int(self.epochs > 0),
            "epochs": self.epochs,
        }


def tuning_name(trial: str) -> str:
    """Returns what the line of a tuning job is called; `trial` is empty if there is no sweep."""
    return f"{TUNING}, {trial}" if trial else TUNING


def quote(
    experiment: Experiment,
    location: str,
    train: SplitCount,
    test: SplitCount,
    *,
    validation: SplitCount | None = None,
    extras: Extras | None = None,
    settings: Settings | None = None,
) -> Quote:
    """Reckons what a run costs: tuning, and every time that a model is asked about a split.

    "Training tokens" are those of the training data times the epochs (Google's pricing page); the price of inference is
    the same for a base model and those tuned from it, and for each of their checkpoints.

    Args:
        experiment: Model, epochs and settings.
        location: Where the run is. The tuned model's is another one in part, but `global` never, and all others cost
            the same.
        train: Tokens of the training data.
        test: Tokens of the examples that the models are asked.
        validation: Tokens of those that checkpoints are asked, see `asks_validation`; None if there are none.
        extras: What else is asked about them; None for nothing.
        settings: Of the tuning jobs; None for those of the experiment.
    """
    model = experiment.base_model
    settings = settings_of(experiment) if settings is None else settings
    jobs = planned(settings, train.total.examples)
    asked = Asked(location, experiment.evaluation.backend is Backend.BATCH)
    tokens = Tokens(train.total.tokens, train.total.error)
    lines = [tuning_line(tuning_name(job.trial), model, tokens, job.epochs) for job in jobs]
    lines += of_checkpoints(experiment, location, jobs, validation) if validation else []
    extras = extras or Extras()
    lines += evaluations(experiment, asked, test, extras)
    prices = [price for name in {line.model for line in lines} if (price := catalog().models[name].price)]
    amounts = [line.usd for line in lines if line.usd is not None]
    made = Quote(
        model=model,
        lines=lines,
        usd=sum(amounts) if len(amounts) == len(lines) else None,
        error_usd=sum(line.error_usd for line in lines),
        price_date=min((price.date for price in prices), default=None),
        train=train.total,
        epochs=sum(job.epochs for job in jobs),
        epochs_assumed=any(job.assumed for job in jobs),
        trials={job.trial: job.epochs for job in jobs if job.trial},
        notes=[],
    )
    said = notes(experiment, jobs, train, test, validation, extras.champion, unknown(made.brief))
    return made.model_copy(update={"notes": [*said]})


def quote_recheck(experiment: Experiment, test: SplitCount | None, champion: Champion | None) -> Quote:
    """Reckons what it costs to ask the champion about test, and nothing else.

    Args:
        experiment: Settings.
        test: Tokens of the examples that it is asked; None if it is not.
        champion: Who is asked; None if there is none, or it cannot be asked, and then it costs nothing.
    """
    lines = [champion_line(champion, test)] if champion and test else []
    prices = [price for line in lines if (price := catalog().models[line.model].price)]
    return Quote(
        model=champion.model if champion else experiment.base_model,
        lines=lines,
        usd=None if any(line.usd is None for line in lines) else sum(line.usd or 0.0 for line in lines),
        error_usd=sum(line.error_usd for line in lines),
        price_date=min((price.date for price in prices), default=None),
        train=TokenCount(examples=0, counted=0, tokens=0, error=0),
        epochs=0,
        epochs_assumed=False,
        notes=list(notes_of_recheck(champion, test)) if champion and test else [],
    )


def asks_validation(experiment: Experiment, train_examples: int) -> bool:
    """Returns whether checkpoints will be asked the validation split, if there is one, for so many training examples.

    They are asked by the run, or by the tuning jobs themselves.
    """
    jobs = planned(settings_of(experiment), train_examples)
    return bool(experiment.tuning.evaluation) or any(job.asked for job in jobs)
