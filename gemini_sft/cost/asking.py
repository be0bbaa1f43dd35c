"""What the evaluations of a run cost: checkpoints, the models, the control arm and the judge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gemini_sft.cost.jobs import Job
from gemini_sft.cost.line import Asked, Line, Tokens
from gemini_sft.cost.split import SplitCount, TokenCount
from gemini_sft.cost.words import counted
from gemini_sft.experiment import Experiment


@dataclass(frozen=True)
class FrameCount:
    """Tokens of one kind of request to the judge.

    Attributes:
        instruction: What is sent beside prompt, references and answers.
        verdict: What it says: the longest choice.
    """

    instruction: int
    verdict: int


@dataclass(frozen=True)
class Champion:
    """A promoted model that is asked as well.

    Attributes:
        model: The Gemini model at its root, whose price it has.
        location: Of its endpoint.
    """

    model: str
    location: str


@dataclass(frozen=True)
class Extras:
    """What is asked besides, and tokens of what stands beside the test examples; None where there is no such thing.

    Attributes:
        shots: Of the examples in the control arm's prompt.
        comparison: Of a request to compare two answers.
        grade: Of a request to grade one.
        references: How many right answers a test example has, on the average.
        champion: Who else is asked.
    """

    shots: int | None = None
    comparison: FrameCount | None = None
    grade: FrameCount | None = None
    references: float = 1.0
    champion: Champion | None = None


def of_checkpoints(
    experiment: Experiment, location: str, jobs: Sequence[Job], validation: SplitCount
) -> Iterator[Line]:
    """Yields a line for each way in which checkpoints are asked the validation split.

    Args:
        experiment: Model and settings.
        location: Where the run is.
        jobs: Its tuning jobs.
        validation: Tokens of the validation split.
    """
    n, prompts, answers = validation.prompts.examples, _of(validation.prompts), _of(validation.answers)
    whose = f" of {counted(len(jobs), 'job')}" if len(jobs) > 1 else ""
    if experiment.tuning.evaluation:
        # Google on evaluation in tuning jobs: it is "charged as batch prediction".
        one = Asked(location, batch=True).line("", experiment.base_model, n, prompts, answers)
        number = counted(every := sum(job.checkpoints for job in jobs), "checkpoint")
        yield one.times(every, f"evaluation of {number} inside tuning", number + whose)
    if asked := sum(job.asked for job in jobs):
        # A batch job takes a model, whose default checkpoint answers; another one is asked at its own endpoint.
        one = Asked(location, batch=False).line("", experiment.base_model, n, prompts, answers)
        number = counted(asked, "checkpoint")
        yield one.times(asked, f"evaluation of {number} on validation", number + whose)


def evaluations(experiment: Experiment, asked: Asked, test: SplitCount, extras: Extras) -> Iterator[Line]:
    """Yields a line for each time that the test split is asked.

    Args:
        experiment: Models and settings.
        asked: Where and how.
        test: Tokens of the test split.
        extras: Of what stands beside it.
    """
    model, prompts, answers = experiment.base_model, _of(test.prompts), _of(test.answers)
    n = test.prompts.examples
    yield asked.line("evaluation of the base model", model, n, prompts, answers)
    if extras.shots is not None:
        shown = Tokens(prompts.count + extras.shots * n, prompts.error)
        examples = counted(experiment.evaluation.few_shot, "example")
        yield asked.line(f"evaluation of the base model with {examples}", model, n, shown, answers)
    if extras.champion:
        yield champion_line(extras.champion, test)
    # See `champion_line`.
    yield replace(asked, batch=False).line("evaluation of the tuned model", model, n, prompts, answers)
    judge = experiment.evaluation.judge.model
    if judge and extras.comparison:
        yield _judging("comparisons by the judge", judge, asked, test, extras.comparison, extras.references, 2)
    if judge and extras.grade:
        yield _judging("grades by the judge", judge, asked, test, extras.grade, extras.references, 1)


def champion_line(champion: Champion, test: SplitCount) -> Line:
    """Returns what it costs to ask the champion about the test split."""
    # If no batch job takes a tuned model, its requests are sent one by one: then it costs that.
    alone = Asked(champion.location, batch=False)
    return alone.line(
        "evaluation of the champion", champion.model, test.prompts.examples, _of(test.prompts), _of(test.answers)
    )


def _judging(
    what: str, judge: str, asked: Asked, test: SplitCount, frame: FrameCount, references: float, answers: int
) -> Line:
    """Returns what it costs to ask the judge twice about every example, with so many answers in each request.

    Its answer is one of the choices.
    """
    requests = 2 * test.prompts.examples
    targets = _targets(test)
    shown = test.prompts.tokens + references * targets.count + answers * test.answers.tokens
    error = test.prompts.error + references * targets.error + answers * test.answers.error
    return asked.line(
        what,
        judge,
        requests,
        Tokens(round(2 * shown) + requests * frame.instruction, round(2 * error)),
        Tokens(requests * frame.verdict),
    )


def _targets(test: SplitCount) -> Tokens:
    """Returns the tokens of the targets at their full length."""
    tokens = test.total.tokens - test.prompts.tokens
    whole = tokens == test.answers.tokens
    return Tokens(tokens, test.answers.error if whole else test.total.error + test.prompts.error)


def _of(count: TokenCount) -> Tokens:
    return Tokens(count.tokens, count.error)
