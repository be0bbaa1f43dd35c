"""How many tokens a split has."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from gemini_sft.cost.cache import TokenCache
from gemini_sft.cost.sample import draw, estimate
from gemini_sft.cost.tokens import CountRequest, count_tokens
from gemini_sft.data.example import text_of, turn


class TokenCount(BaseModel):
    """Tokens of a number of examples.

    Attributes:
        examples: How many there are.
        counted: How many of them were counted.
        tokens: Of all of them; an estimate if not all were counted.
        error: Half-width of the 95 % interval of `tokens`; 0 if all were counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    examples: int
    counted: int
    tokens: int
    error: int


class SplitCount(BaseModel):
    """Tokens of a split.

    Attributes:
        total: Of the whole examples, which is what is tuned on.
        prompts: Of all but the last turns, which is what an evaluation sends.
        answers: Of the last turns, none of them longer than an answer may be: what an evaluation gets, if the answers
            are as long as the targets.
        too_long: Ids of the counted examples that have more tokens than the model can be tuned on.
        conversations: How many of the counted examples have more than one turn of the model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    total: TokenCount
    prompts: TokenCount
    answers: TokenCount
    too_long: list[str]
    conversations: int


def count_split(
    project: str,
    location: str,
    model: str,
    split_uri: str,
    cache: TokenCache,
    *,
    exact_count: int,
    seed: int,
    max_example_tokens: int,
    max_output_tokens: int | None,
) -> SplitCount:
    """Counts the tokens of a split, or of a sample of it.

    Args:
        project: Google Cloud project.
        location: Where the model is asked.
        model: The base model's id.
        split_uri: Folder of the split.
        cache: Counts that are known already.
        exact_count: Up to so many examples are all counted; of more, so many are drawn.
        seed: Of the drawing.
        max_example_tokens: What the model can be tuned on.
        max_output_tokens: Where an answer is cut; None for nowhere.

    Raises:
        UserError: Vertex AI refuses the model or an example.
        ServiceError: Vertex AI or Cloud Storage did not answer.
    """
    sample = draw(split_uri, exact_count, seed)
    requests = [CountRequest(name, body) for name, record in sample.drawn for body in _bodies(record)]
    counts = count_tokens(project, location, model, requests, cache)
    prompts, targets = counts[::2], counts[1::2]
    totals = [prompt + target for prompt, target in zip(prompts, targets, strict=True)]
    answers = [min(target, max_output_tokens or target) for target in targets]
    names = [name for name, _ in sample.drawn]
    return SplitCount(
        total=_count(totals, sample.size),
        prompts=_count(prompts, sample.size),
        answers=_count(answers, sample.size),
        too_long=[name for name, total in zip(names, totals, strict=True) if total > max_example_tokens],
        conversations=sum(_model_turns(record) > 1 for _, record in sample.drawn),
    )


def _count(tokens: list[int], examples: int) -> TokenCount:
    total, error = estimate(tokens, examples)
    return TokenCount(examples=examples, counted=len(tokens), tokens=total, error=error)


def _bodies(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Takes a record apart into what is sent and what is answered.

    Counted apart, as Google's own notebook on tuning costs counts them, an evaluation's input and output are known as
    well, and of a thousand targets that are one of four labels, four are counted. The target goes as a user's text: a
    conversation that the model ends is nothing that can be sent.
    """
    *prompt, target = record["contents"]
    sent: dict[str, Any] = {"contents": prompt}
    sent |= {key: record[key] for key in ("systemInstruction", "tools", "generationConfig") if key in record}
    return sent, {"contents": [turn("user", text_of(target))]}


def _model_turns(record: dict[str, Any]) -> int:
    return sum(content["role"] == "model" for content in record["contents"])
