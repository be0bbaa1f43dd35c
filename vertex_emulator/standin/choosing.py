"""Chooses one of the values that an answer must be (`text/x.enum`), by what little the stand-in can see.

1. If parts of the prompt are named after values ("Answer A:", "Answer B:"), the value whose part is most like the
   reference answer, or like the rest of the prompt if there is none. A value that stands for no part and means
   "equal" (TIE, DRAW, SAME, ...) is chosen when the best two are about as good.
2. If all values are numbers, a grade: how like the reference (or the rest) the answer in the prompt is.
3. Else the model's own answer if it is one of the values, or the value that it ranks best.

Likeness is the reward of training: unigram and bigram F1 of word stems. No meaning is understood.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vertex_emulator.standin.candidates import STRING
from vertex_emulator.standin.model import StandIn
from vertex_emulator.standin.rewards import Target
from vertex_emulator.standin.sections import Sections, cut_sections
from vertex_emulator.standin.words import parts, word_set

_EQUAL = word_set("tie draw same equal both neither even none")
_MARGIN = 0.02
"""Rewards that differ by no more than this are about as good."""


def choose(model: StandIn, system: str, turns: Sequence[tuple[str, str]], values: Sequence[str]) -> str:
    """Return one of `values`; the same model always gives the same one.

    Args:
        model: The model that chooses, if the prompt itself does not tell.
        system: Text of the system instruction, `""` if none.
        turns: `(role, text)` pairs; the last one is answered.
        values: At least one.
    """
    sections = cut_sections("\n\n".join([system, *(text for _, text in turns)]), values)
    if len(sections.named) > 1:
        return _best_part(sections, values)
    grades = _grades(values)
    if grades and (sections.answer or sections.reference):
        likeness = _likeness(sections, [sections.answer or sections.rest])[0]
        return grades[round(likeness * (len(grades) - 1))]
    return _rank(model, system, turns, values)


def _best_part(sections: Sections, values: Sequence[str]) -> str:
    names = list(sections.named)
    rewards = _likeness(sections, list(sections.named.values()))
    order = sorted(range(len(names)), key=lambda number: -rewards[number])
    equal = next((value for value in values if value not in names and value.lower() in _EQUAL), None)
    if equal is not None and rewards[order[0]] - rewards[order[1]] <= _MARGIN:
        return equal
    return names[order[0]]


def _likeness(sections: Sections, texts: Sequence[str]) -> list[float]:
    target = Target(sections.reference or sections.rest)
    return [target.reward(parts(text)) for text in texts]


def _grades(values: Sequence[str]) -> list[str]:
    """Return numbers from the lowest to the highest; nothing if a value is no number."""
    try:
        return sorted(values, key=float)
    except ValueError:
        return []


def _rank(model: StandIn, system: str, turns: Sequence[tuple[str, str]], values: Sequence[str]) -> str:
    answer = model.answer(system, turns).strip()
    if answer in values:
        return answer
    page = replace(model.read(system, turns), entries=tuple(dict.fromkeys(values)))
    candidates, scores = model.rank(page)
    offered = np.flatnonzero(candidates.kinds == STRING)
    order = offered[np.argsort(-scores[offered], kind="stable")]
    return next((text for number in order if (text := candidates.text(int(number))) in values), values[0])
