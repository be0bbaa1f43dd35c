"""What the page's own search works on: the examples as data, and what they can be filtered by."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from gemini_sft.report.cards import PROMPT_LIMIT, Answer, Card, Kind
from gemini_sft.report.text import Passage, visible

BUDGET = 7_500_000
"""Bytes that the examples may take in the page, so that it opens quickly."""

_SHORTEST = 100
"""Characters below which no text is cut: what is shorter cannot be recognized."""

_VALUES = 50
"""Of a column's values, so many of the most frequent can be picked; the others are found by searching."""

_KINDS = {
    Kind.WORSE: "got worse",
    Kind.BETTER: "got better",
    Kind.SAME: "stayed the same",
    Kind.UNSCORED: "could not be scored",
}
_WRONG = "tuned model wrong"
_CUT = "answer cut at the length limit"


@dataclass(frozen=True)
class Option:
    """Something to filter by: its value in the data, what it is called, how many examples have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Column:
    """A column of `data.slices` and its values, the most frequent first."""

    name: str
    options: list[Option]


@dataclass(frozen=True)
class Explorer:
    """The search over all examples.

    Attributes:
        kinds: What became of an example, as far as it occurs.
        columns: The slices.
        data: The examples, as JSON that can stand in a page.
        cut: Whether some of their texts are cut in it.
    """

    kinds: list[Option]
    columns: list[Column]
    data: Markup
    cut: bool


def explorer(cards: Sequence[Card], metric: str) -> Explorer:
    """Returns the search over the examples, in their order.

    Args:
        cards: All of them.
        metric: What their scores are called.
    """
    limit = PROMPT_LIMIT
    data = _page(cards, metric, limit)
    # Shorter texts leave room to the longer ones, so what a limit saves shows only when it is tried.
    while (size := len(data.encode())) > BUDGET and limit > _SHORTEST:
        limit = max(_SHORTEST, int(limit * min(0.9, BUDGET / size)))
        data = _page(cards, metric, limit)
    cut = any(one.length > min(limit, len(one.text)) for card in cards for one in _passages(card))
    return Explorer(_kinds(cards), _columns(cards), data, cut)


def _page(cards: Sequence[Card], metric: str, limit: int) -> Markup:
    found = {"metric": metric, "examples": [_row(one, limit) for one in cards]}
    # The page is UTF-8 and every text was made visible, so only what HTML minds needs to be escaped.
    return htmlsafe_json_dumps(found, json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _row(card: Card, limit: int) -> dict[str, Any]:
    """Returns one example; what is empty is left out, and a text that is cut has its whole length beside it."""
    row: dict[str, Any] = {
        "place": visible(card.place),
        "id": visible(card.id),
        "at": card.at,
        "tags": list(_tags(card)),
        "change": card.change,
        "prompt": _text(card.prompt, limit),
        "references": [_text(one, limit) for one in card.references],
        "answers": [_answer(one, limit) for one in card.answers],
    }
    if card.instruction:
        row["instruction"] = _text(card.instruction, limit)
    if card.more_references:
        row["more"] = card.more_references
    if card.slices:
        row["slices"] = {visible(name): visible(value) for name, value in card.slices.items()}
    return row


def _answer(answer: Answer, limit: int) -> dict[str, Any]:
    said: dict[str, Any] = {"model": answer.model, "score": answer.score}
    if answer.missing:
        return said | {"missing": visible(answer.missing)}
    return said | {"text": _text(answer.passage, limit)} | ({"truncated": True} if answer.truncated else {})


def _text(one: Passage, limit: int) -> str | list[str | int]:
    shown = one.text[:limit]
    return shown if len(shown) == one.length else [shown, one.length]


def _passages(card: Card) -> Iterator[Passage]:
    yield card.prompt
    yield from card.references
    yield from (one.passage for one in card.answers)
    if card.instruction:
        yield card.instruction


def _tags(card: Card) -> Iterator[str]:
    """Yields what an example can be filtered by, besides its slices."""
    yield card.kind.value
    if card.wrong:
        yield _WRONG
    yield from (_unanswered(one) for one in card.answers if one.missing)
    if any(one.truncated for one in card.answers):
        yield _CUT


def _unanswered(answer: Answer) -> str:
    return f"no answer from {answer.model.lower()}"


def _kinds(cards: Sequence[Card]) -> list[Option]:
    found = Counter(tag for card in cards for tag in _tags(card))
    unanswered = (_unanswered(one) for one in cards[0].answers)
    labels = {kind.value: label for kind, label in _KINDS.items()} | {tag: tag for tag in (_WRONG, *unanswered, _CUT)}
    return [Option(tag, label, found[tag]) for tag, label in labels.items() if found[tag]]


def _columns(cards: Sequence[Card]) -> list[Column]:
    found: dict[str, Counter[str]] = {}
    for card in cards:
        for name, value in card.slices.items():
            found.setdefault(visible(name), Counter())[visible(value)] += 1
    return [
        Column(name, [Option(value, value, n) for value, n in values.most_common(_VALUES)])
        for name, values in found.items()
    ]
