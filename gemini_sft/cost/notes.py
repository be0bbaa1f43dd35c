"""What must be known beside the numbers of a quote."""

from collections.abc import Iterable, Iterator, Sequence

from gemini_sft.catalog import catalog
from gemini_sft.cost.asking import Champion
from gemini_sft.cost.jobs import Job
from gemini_sft.cost.split import SplitCount, TokenCount
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Backend

_SHOWN_IDS = 5
_ANSWERS = "Answers are taken to be as long as their targets; longer ones, and what else a model thinks, cost more."


def notes(
    experiment: Experiment,
    jobs: Sequence[Job],
    train: SplitCount,
    test: SplitCount,
    validation: SplitCount | None,
    champion: Champion | None,
    unknown: str,
) -> Iterator[str]:
    """Yields sentences.

    Args:
        experiment: Models and settings.
        jobs: Its tuning jobs.
        train: Tokens of the training data.
        test: Tokens of the test split.
        validation: Tokens of the validation split; None if nothing is asked about it.
        champion: Who else is asked the test split; None for nobody.
        unknown: For what no price is known, in words; empty if there is nothing.
    """
    if jobs[0].trial:
        each = f"each of its {len(jobs)} trials is a tuning job" if len(jobs) > 1 else "its trial is a tuning job"
        yield f"The sweep is quoted whole: {each}. Only the best is asked the test split."
    yield from _assumed(jobs, train.total.examples)
    if unknown:
        yield f"{unknown[0].upper()}{unknown[1:]} is not known, and is not in the amount."
    splits = [("training", train.total), ("test", test.total)]
    for name, count in [*splits, *([("validation", validation.total)] if validation else [])]:
        yield from _sampled(name, count)
    yield from _training(experiment.base_model, train)
    judge = experiment.evaluation.judge.model
    others = [*([champion.model] if champion else []), *([judge] if judge else [])]
    yield from _thoughts([experiment.base_model, *others])
    yield _ANSWERS
    yield (
        "Validation examples are taken to cost nothing in training: Google bills tokens of the training data times"
        " epochs."
    )
    yield from _batches(experiment, champion, asked=validation is not None and any(job.asked for job in jobs))
    if champion and champion.model != experiment.base_model:
        yield (
            f"The champion, tuned from {champion.model}, is taken to see as many tokens in the examples as"
            f" {experiment.base_model}."
        )
    if judge:
        yield (
            f"The judge, {judge}, is taken to see as many tokens in the examples as {experiment.base_model}; where"
            " nothing need be compared, it is not asked and costs nothing."
        )


def notes_of_recheck(champion: Champion, test: SplitCount) -> Iterator[str]:
    """Yields sentences about what it costs to ask the champion alone."""
    yield from _sampled("test", test.total)
    yield from _thoughts([champion.model])
    yield _ANSWERS


def _assumed(jobs: Sequence[Job], examples: int) -> Iterator[str]:
    assumed = [job for job in jobs if job.assumed]
    if assumed:
        whose = "" if len(jobs) == 1 else f" for {'each' if len(assumed) == len(jobs) else len(assumed)}"
        whose += f" of the {len(jobs)} trials" if len(jobs) > 1 else ""
        yield (
            "tuning.epochs is not set, so Vertex AI chooses by a rule that is not published:"
            f" {assumed[0].epochs} epochs are assumed{whose}, the upper end of Google's advice of"
            f" {catalog().assumed_epochs.date} for {examples:,} examples."
        )


def _training(model: str, train: SplitCount) -> Iterator[str]:
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


def _sampled(name: str, count: TokenCount) -> Iterator[str]:
    if count.counted < count.examples:
        yield f"Of {count.examples:,} {name} examples, {count.counted:,} drawn at random were counted."


def _thoughts(models: Iterable[str]) -> Iterator[str]:
    for name in dict.fromkeys(models):
        if thoughts := catalog().models[name].least_thoughts:
            yield (
                f"{name} cannot be kept from thinking: the {thoughts} tokens that it may think in each request are in"
                " the amount, billed as output."
            )


def _batches(experiment: Experiment, champion: Champion | None, *, asked: bool) -> Iterator[str]:
    batch = catalog().batch
    if experiment.evaluation.backend is Backend.BATCH:
        checkpoints = " So are checkpoints, which batch jobs cannot ask one by one." if asked else ""
        tuned = "the champion and the tuned model are" if champion else "the tuned model is"
        yield (
            f"Models are asked in batch jobs, at {batch.price_factor:.0%} of the price of single requests (Google,"
            f" {batch.date}); {tuned} quoted at the full price, for whether batch jobs take"
            f" {'them' if champion else 'it'} is not documented.{checkpoints}"
        )
