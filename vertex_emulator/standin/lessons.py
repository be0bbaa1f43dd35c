"""Turns records into lessons: what training remembers of them, and each one ready to be learnt from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.candidates import SPAN, Candidates, Floats, Ints
from vertex_emulator.standin.columns import Features
from vertex_emulator.standin.filling import LISTS, slot_examples, slot_word
from vertex_emulator.standin.frames import Frame, learn_frame
from vertex_emulator.standin.model import StandIn
from vertex_emulator.standin.ranker import Adapter, Example
from vertex_emulator.standin.reading import Page, read_page, split_lines
from vertex_emulator.standin.records import Record
from vertex_emulator.standin.rewards import Target
from vertex_emulator.standin.strings import string_vectors

MAX_MEMORY = 500
_CLOSED_SHARE = 0.3
_OPEN_SHARE = 0.5
_BOILERPLATE_SHARE = 0.5
_BOILERPLATE_MIN_RECORDS = 5
_SHARPNESS = 0.03
_CANDIDATE_BUDGET = 1_500_000
_MIN_CANDIDATES = 300
_MIN_SPANS = 20
_SOLVED = 1e-6


@dataclass(frozen=True)
class Lesson:
    """One record, ready to be learnt from.

    Attributes:
        example: The prompt with its n candidates.
        wanted: Probability that the model should give each candidate, (n,); empty without a usable one.
        corrections: Added to the scores, (n,): logarithm of how many candidates each one stands for.
        right: Whether each candidate has the highest reward, (n,).
        entropy: Entropy of `wanted` in nats, which the loss leaves out.
    """

    example: Example
    wanted: Floats
    corrections: Floats
    right: NDArray[np.bool_]
    entropy: float


class Strings:
    """The distinct strings that a data set's pages offer, numbered as they come."""

    def __init__(self, answers: dict[str, int]) -> None:
        """Start without strings; `answers` numbers the remembered ones."""
        self._answers = answers
        self._numbers: dict[str, int] = {}

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """Return the number of each text, new ones included."""
        return [self._numbers.setdefault(text, len(self._numbers)) for text in texts]

    def vectors(self) -> Floats:
        """Return a vector for each string, by number; see `strings.string_vectors`."""
        return string_vectors(list(self._numbers), self._answers)


def remember(
    start: StandIn, records: Sequence[Record], size: int, random: np.random.Generator
) -> tuple[StandIn, list[Page]]:
    """Return `start` with what training needs: boilerplate, remembered answers, vocabulary, adapter columns.

    Args:
        start: The model to continue from.
        records: Training records.
        size: Adapter size; a model that was tuned with a larger one keeps it.
        random: Source of the new parts' initial values.

    Returns:
        The model, which ranks as `start` does except for boilerplate, and the pages of the records.
    """
    boilerplate = start.boilerplate | _boilerplate(records)
    frame = learn_frame(
        [" ".join(text for _, text in record.turns) for record in records], [record.target for record in records]
    )
    memory = Counter(start.memory)
    if frame:
        memory.update(constant for slot in frame.slots for constant in slot.constants)
    else:
        memory.update(_answers([record.target.strip() for record in records]))
    kept = dict(list(memory.items())[: max(MAX_MEMORY, len(start.memory))])

    pages = [read_page(record.system, record.turns, boilerplate, guess_query=frame is None) for record in records]
    vocabulary = start.vocabulary
    if frame:
        vocabulary = vocabulary.with_words(slot_word(slot) for slot in frame.slots)
    elif kept or any(page.entries for page in pages):
        vocabulary = vocabulary.extended(pages)
    elif _are_lists(pages):
        vocabulary = vocabulary.with_words([LISTS])
    model = StandIn(
        adapter=_grown(start, size, len(vocabulary.numbers), len(kept), random),
        vocabulary=vocabulary,
        memory=kept,
        boilerplate=boilerplate,
        habit=start.habit,
        frame=frame,
    )
    return model, pages


def _answers(targets: Sequence[str]) -> dict[str, int]:
    """Return the targets that can be the answer to other prompts, with how often each was seen.

    Those are the repeated ones, if they are many; and the others too, unless most records have a target of their own.
    """
    counts = Counter(targets)
    single = sum(1 for count in counts.values() if count == 1)
    if len(targets) - single <= _CLOSED_SHARE * len(targets):
        return {}
    least = 2 if single > _OPEN_SHARE * len(targets) else 1
    return {text: count for text, count in counts.most_common(MAX_MEMORY) if text and count >= least}


def _are_lists(pages: Sequence[Page]) -> bool:
    """Tell lists of facts from prose: most lines have one sentence, and are many."""
    sentences = [sentence for page in pages for sentence in page.sentences]
    alone = sum(sentence.is_last and sentence.place == 0 and not sentence.text.endswith(".") for sentence in sentences)
    return 2 * alone > len(sentences) > 3 * len(pages)


def _boilerplate(records: Sequence[Record]) -> frozenset[str]:
    if len(records) < _BOILERPLATE_MIN_RECORDS:
        return frozenset()
    lines = Counter(line for record in records for line in dict.fromkeys(split_lines(record.turns[-1][1])))
    return frozenset(line for line, count in lines.items() if count > _BOILERPLATE_SHARE * len(records))


def _grown(start: StandIn, size: int, words: int, answers: int, random: np.random.Generator) -> Adapter:
    """Return a fresh adapter, or that of a tuned model with room for new words, answers and directions."""
    old = start.adapter
    if start.habit is None:
        return Adapter.fresh(size, words, answers, random)
    new = Adapter.fresh(max(size, old.size), words, answers, random)
    dense, lexical = old.features_out.shape[0], old.strings_out.shape[0]
    known_words, known = old.words_in.shape[0], len(start.memory)
    new.flags_in[:, :dense] = old.flags_in
    new.features_out[:dense] = old.features_out
    new.words_in[:known_words, :lexical] = old.words_in
    new.strings_out[:lexical, :known] = old.strings_out[:, :known]
    new.strings_out[:lexical, answers:] = old.strings_out[:, known:]
    return new


class Teacher:
    """Prepares lessons for one model and one data set, within a bound on memory."""

    def __init__(self, model: StandIn, strings: Strings, records: int, random: np.random.Generator) -> None:
        """Prepare for so many records; `random` chooses candidates where there are too many."""
        self._model = model
        self._strings = strings
        self._limit = max(_MIN_CANDIDATES, _CANDIDATE_BUDGET // max(1, records))
        self._random = random

    def prepare(self, target: str, page: Page) -> tuple[Lesson, Candidates, Example]:
        """Return the lesson of a record, and all candidates with the example that it was made from."""
        candidates = self._model.find(page)
        full = self._model.prepare(page, candidates, self._strings.numbers(candidates.strings))
        return self._lesson(full, candidates, Target(target)), candidates, full

    def prepare_slots(self, frame: Frame, target: str, page: Page) -> tuple[Lesson, ...]:
        """Return a lesson for each slot of the frame; none of them is usable if the target does not fit."""
        candidates = self._model.find(page)
        full = self._model.prepare(page, candidates, self._strings.numbers(candidates.strings))
        slots = slot_examples(frame, self._model.vocabulary, candidates, full)
        texts = frame.read(target) or [""] * len(slots)
        return tuple([self._lesson(slot, candidates, Target(text)) for slot, text in zip(slots, texts, strict=True)])

    def _lesson(self, full: Example, candidates: Candidates, target: Target) -> Lesson:
        rewards = target.rewards(candidates)
        kept, corrections = self._sample(candidates, rewards)
        if kept is None:
            return _lesson(full, rewards, corrections)
        features = Features(full.features.dense[kept], full.features.hot[kept])
        contexts = None if full.contexts is None else full.contexts[kept[: len(kept) - len(full.strings)]]
        return _lesson(replace(full, features=features, contexts=contexts), rewards[kept], corrections)

    def _sample(self, candidates: Candidates, rewards: Floats) -> tuple[Ints | None, Floats]:
        """Keep all but the spans, the best rewarded spans, and some spans that stand for the others.

        Returns:
            The candidates kept, `None` for all, and the correction of each.
        """
        count = len(candidates)
        spans = np.flatnonzero(candidates.kinds == SPAN)
        room = max(_MIN_SPANS, self._limit - (count - len(spans)))
        if len(spans) <= room:
            return None, np.zeros(count, dtype=np.float32)
        ordered = spans[np.argsort(-rewards[spans], kind="stable")]
        others = ordered[room // 2 :]
        drawn = self._random.choice(others, size=room - room // 2, replace=False)
        corrections = np.zeros(count, dtype=np.float32)
        corrections[drawn] = np.log(len(others) / len(drawn))
        kept = np.setdiff1d(np.arange(count), np.setdiff1d(others, drawn))
        return kept, corrections[kept]


def _lesson(example: Example, rewards: Floats, corrections: Floats) -> Lesson:
    best = float(rewards.max(initial=0))
    if best <= 0:
        nothing = np.zeros(0, dtype=np.float32)
        return Lesson(example, nothing, corrections, right=np.zeros(len(rewards), dtype=bool), entropy=0.0)
    wanted = np.exp((rewards.astype(np.float64) - best) / _SHARPNESS + corrections)
    wanted /= wanted.sum()
    positive = wanted[wanted > 0]
    return Lesson(
        example=example,
        wanted=wanted.astype(np.float32),
        corrections=corrections,
        right=rewards >= best - _SOLVED,
        entropy=float(-np.sum(positive * np.log(positive))),
    )
