"""Composes an answer from scored candidates, and learns how long answers should be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vertex_emulator.standin.candidates import LABELLED, SPAN, STRING, Candidates, Floats
from vertex_emulator.standin.reading import Page
from vertex_emulator.standin.rewards import Target
from vertex_emulator.standin.words import parts

_LOOKED_AT = 200
_MAX_REPETITION = 0.6
_MAX_PIECES = 4
_BUDGET_FACTORS = (1.0, 1.5, 2.0)
_SHORT_TARGET = 8


@dataclass(frozen=True)
class Habit:
    """How an answer is composed.

    Attributes:
        pieces: Candidates put into one answer, at most.
        words: Words in one answer, at most; the best candidate is taken even if it alone is longer than that.
        shortest_span: Words of a part of a sentence that is added to the best candidate, at least.
    """

    pieces: int
    words: float
    shortest_span: float = 3


def base_habit(page: Page) -> Habit:
    """Return the base's habit: one piece if something is asked or offered, else several whole sentences."""
    return Habit(1, float("inf")) if page.query or page.entries else Habit(6, 60, float("inf"))


def compose(candidates: Candidates, scores: Floats, habit: Habit) -> str:
    """Return the answer: the best candidates that fit the habit and do not repeat each other.

    Args:
        candidates: The candidates of a page, n of them.
        scores: Their scores, (n,).
        habit: How many of them, and how many words, to use.

    Returns:
        The answer, `""` if there is no candidate.
    """
    if not len(candidates):
        return ""
    return render(candidates, choose(candidates, best_first(scores), habit))


def best_first(scores: Floats) -> list[int]:
    """Return the numbers of the best candidates, best first, the earlier of equals first."""
    if len(scores) > _LOOKED_AT:
        threshold = np.partition(scores, len(scores) - _LOOKED_AT)[len(scores) - _LOOKED_AT]
        good = np.flatnonzero(scores >= threshold)
    else:
        good = np.arange(len(scores))
    ordered: list[int] = good[np.argsort(-scores[good], kind="stable")][:_LOOKED_AT].tolist()
    return ordered


def choose(candidates: Candidates, order: Sequence[int], habit: Habit) -> list[int]:
    """Return the candidates that make up the answer, best first: fewer pieces would be the first of them."""
    chosen: list[int] = []
    said: set[str] = set()
    room = habit.words
    for number in order:
        is_string = candidates.kinds[number] == STRING
        stems = candidates.stems_of(number)
        if chosen and (is_string or (candidates.kinds[number] == SPAN and len(stems) < habit.shortest_span)):
            continue
        if len(stems) > room or (chosen and _overlaps(candidates, number, chosen)):
            continue
        distinct = set(stems)
        if chosen and len(said & distinct) > _MAX_REPETITION * len(distinct):
            continue
        chosen.append(number)
        said |= distinct
        room -= len(stems)
        if len(chosen) == habit.pieces or is_string or room < 1:
            break
    return chosen or list(order[:1])


def _overlaps(candidates: Candidates, number: int, chosen: Sequence[int]) -> bool:
    first, last = candidates.first[number], candidates.last[number]
    return any(first <= candidates.last[other] and candidates.first[other] <= last for other in chosen)


def render(candidates: Candidates, chosen: Sequence[int]) -> str:
    """Write the chosen candidates in document order as one text; a label that repeats is written once."""
    texts: list[str] = []
    label = ""
    for number in sorted(chosen, key=lambda number: int(candidates.first[number])):
        text = candidates.text(number)
        if len(chosen) > 1 and candidates.kinds[number] == SPAN:
            text = text[:1].upper() + text[1:] + "."
        if candidates.kinds[number] == LABELLED:
            own = candidates.sentence(number).label
            text, label = (text if own == label else f"{own}: {text}"), own
        texts.append(text)
    return " ".join(texts)


def learn_habit(pages: Sequence[tuple[Candidates, Floats]], targets: Sequence[str]) -> Habit | None:
    """Choose the habit whose answers to training prompts have the highest mean reward.

    Args:
        pages: Candidates and scores of training prompts, at least one.
        targets: Their targets.

    Returns:
        The best of 1 to 4 pieces (1 if targets are short, more if they are as long as more sentences) and 1, 1.5
        or 2 times the targets' mean length; `None` if no habit earns anything.
    """
    lengths = [len(parts(target)) for target in targets]
    mean_length = max(1.0, float(np.mean(lengths)))
    most_pieces = 1
    if np.median(lengths) > _SHORT_TARGET:
        sentences = [length for candidates, _ in pages for length in np.diff(candidates.bounds).tolist()]
        most_pieces = max(_MAX_PIECES, math.ceil(mean_length / max(1.0, float(np.mean(sentences or [1])))))
    budgets = [factor * mean_length for factor in _BUDGET_FACTORS]
    totals = {Habit(pieces + 1, words): 0.0 for pieces in range(most_pieces) for words in budgets}
    for (candidates, scores), text in zip(pages, targets, strict=True):
        target, order = Target(text), best_first(scores)
        for words in budgets:
            chosen = choose(candidates, order, Habit(most_pieces, words))
            answers = [render(candidates, chosen[: pieces + 1]) for pieces in range(len(chosen))]
            rewards = [target.reward(parts(answer)) for answer in answers]
            for pieces in range(most_pieces if rewards else 0):
                totals[Habit(pieces + 1, words)] += rewards[min(pieces, len(rewards) - 1)]
    best = max(totals, key=lambda habit: totals[habit])
    return best if totals[best] > 0 else None
