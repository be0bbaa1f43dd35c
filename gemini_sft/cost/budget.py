"""Whether a run may cost what it is quoted at."""

from collections.abc import Callable, Iterator, Sequence

from gemini_sft.cost.jobs import Job, Settings, planned, settings_of
from gemini_sft.cost.ledger import DAYS
from gemini_sft.cost.line import unknown
from gemini_sft.cost.quote import Quote
from gemini_sft.cost.words import usd
from gemini_sft.errors import BudgetError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.tuning import CheckpointChoice

Requote = Callable[[Settings], Quote]
"""What the run costs if its tuning jobs have other settings."""


def require_within(quote: Quote, experiment: Experiment, requote: Requote | None, spent: float = 0.0) -> None:
    """Lets a run pass whose quote, and what it may be wrong by, is within the budget.

    Of a quote with unknown prices, which `allow_unknown_price` lets pass, the known part is held against the limits.

    Args:
        quote: Of the experiment.
        experiment: With the budget.
        requote: Tells whether an advice would help; None if nothing is tuned.
        spent: What other runs of the last 30 days were quoted at, in USD.

    Raises:
        BudgetError: It is not, or a price is not known.
    """
    budget = experiment.budget
    if quote.usd is None and not budget.allow_unknown_price:
        raise BudgetError(
            f"{unknown(quote.brief)} is not known: set budget.allow_unknown_price to true to run all the same"
            f"{_other_model(quote)}"
        )
    highest = _highest(quote)
    amount = ("" if quote.usd is not None else "at least ") + usd(quote.known_usd)
    if quote.error_usd:
        amount += f", or up to {usd(highest)} as not all examples were counted"
    if (most := budget.max_usd) is not None and highest > most:
        limit = f"more than the {most:,.10g} USD of budget.max_usd"
        raise BudgetError(f"the run would cost {amount}, {limit}: {_advice(quote, experiment, requote, most)}")
    month = budget.max_usd_per_month
    # What costs nothing passes, whatever was spent.
    if month is not None and highest > 0 and spent + highest > month:
        limit = f"together more than the {month:,.10g} USD of budget.max_usd_per_month"
        raise BudgetError(
            f"the run would cost {amount}, and the other runs of the last {DAYS} days were quoted at {usd(spent)},"
            f" {limit}: wait, or set a higher budget.max_usd_per_month"
        )


def _advice(quote: Quote, experiment: Experiment, requote: Requote | None, most: float) -> str:
    if requote is None:
        return "take fewer examples (in data.test) or a higher budget.max_usd"
    *changes, last = _changes(quote, experiment, lambda settings: _highest(requote(settings)) <= most)
    return f"take {', '.join(changes)} or {last}"


def _highest(quote: Quote) -> float:
    return quote.known_usd + quote.error_usd


def _other_model(quote: Quote) -> str:
    """Returns in words what else helps against an unknown price: who is champion is none of the experiment's keys."""
    others = [line for line in quote.lines if line.usd is None and line.model != quote.model]
    if not others:
        return ", or choose another base_model"
    return ", or choose another evaluation.judge.model" if any("judge" in line.what for line in others) else ""


def _changes(quote: Quote, experiment: Experiment, fits: Callable[[Settings], bool]) -> Iterator[str]:
    """Yields what would make the run cheaper; of what tuning jobs may change, only what brings it within the budget."""
    settings = settings_of(experiment)
    if fits({trial: one.model_copy(update={"checkpoint": CheckpointChoice.LAST}) for trial, one in settings.items()}):
        asked = next(line for line in quote.lines if line.what.endswith("on validation"))
        yield f"tuning.checkpoint: last ({asked.what} costs {usd(asked.usd or 0)})"
    jobs = sorted(planned(settings, quote.train.examples), key=lambda job: job.epochs)
    trials, epochs = _fitting_trials(jobs, settings, fits), _fitting_epochs(jobs, settings, fits)
    longest = jobs[-1].epochs
    if trials:
        which = f"{trials}" if jobs[0].epochs == longest else f"the {trials} with the fewest epochs"
        yield f"fewer trials (the sweep has {len(jobs)}; {which} would fit)"
    if epochs and any(one.epochs != experiment.tuning.epochs for one in settings.values()):
        yield f"fewer epochs (the trials have up to {longest}; up to {epochs} would fit)"
    elif epochs:
        now = f"is {longest}" if experiment.tuning.epochs else f"is not set, and {longest} are assumed"
        yield f"fewer epochs (tuning.epochs {now}; {epochs} would fit)"
    if len(jobs) > 1 and not trials and not epochs and (alone := _fitting_epochs(jobs[:1], settings, fits)):
        yield f"fewer trials of fewer epochs (one of {alone} would fit)"
    yield f"fewer examples (data.train has {quote.train.examples:,})"
    if experiment.tuning.evaluation:
        yield "no tuning.evaluation"
    if any("judge" in line.what for line in quote.lines):
        yield "no evaluation.judge"
    yield "a higher budget.max_usd"


def _fitting_trials(jobs: Sequence[Job], settings: Settings, fits: Callable[[Settings], bool]) -> int:
    """Returns how many of the jobs fit, from the first one on; 0 if not even that one does."""
    for number in range(len(jobs) - 1, 0, -1):
        if fits({job.trial: settings[job.trial] for job in jobs[:number]}):
            return number
    return 0


def _fitting_epochs(jobs: Sequence[Job], settings: Settings, fits: Callable[[Settings], bool]) -> int:
    """Returns with how many epochs at most each of the jobs may be for all to fit; 0 if none are few enough."""
    for epochs in range(jobs[-1].epochs - 1, 0, -1):
        fewer = {job.trial: {"epochs": min(job.epochs, epochs)} for job in jobs}
        if fits({trial: settings[trial].model_copy(update=update) for trial, update in fewer.items()}):
            return epochs
    return 0
