"""What the evaluations of a run cost: both models, the control arm and the judge."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gemini_sft.cost.line import Asked, Line, Tokens
from gemini_sft.cost.split import SplitCount, TokenCount
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
class Extras:
    """Tokens of what stands beside the test examples; None where the experiment does not ask for it.

    Attributes:
        shots: Of the examples in the control arm's prompt.
        comparison: Of a request to compare two answers.
        grade: Of a request to grade one.
        references: How many right answers a test example has, on the average.
    """

    shots: int | None = None
    comparison: FrameCount | None = None
    grade: FrameCount | None = None
    references: float = 1.0


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
        number = experiment.evaluation.few_shot
        yield asked.line(
            f"evaluation of the base model with {number} example{'s' * (number > 1)}", model, n, shown, answers
        )
    # If no batch job takes a tuned model, its requests are sent one by one: then it costs that.
    yield replace(asked, batch=False).line("evaluation of the tuned model", model, n, prompts, answers)
    judge = experiment.evaluation.judge.model
    if judge and extras.comparison:
        yield _judging("comparisons by the judge", judge, asked, test, extras.comparison, extras.references, 2)
    if judge and extras.grade:
        yield _judging("grades by the judge", judge, asked, test, extras.grade, extras.references, 1)


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
