"""The stand-in model: what was learnt, how it answers, and how it is kept in a file."""

import io
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin import tokens
from vertex_emulator.standin.answering import Habit, base_habit, compose
from vertex_emulator.standin.candidates import Candidates, Floats, find_candidates
from vertex_emulator.standin.features import describe
from vertex_emulator.standin.filling import LISTS, contexts_of, fill, slot_examples
from vertex_emulator.standin.frames import Frame
from vertex_emulator.standin.prompts import Vocabulary, prompt_flags
from vertex_emulator.standin.ranker import Adapter, Example, mapped_strings, scores
from vertex_emulator.standin.reading import Page, read_page
from vertex_emulator.standin.records import Completion
from vertex_emulator.standin.strings import string_vectors

_FORMAT = 2
_CACHED_LISTS = 64


@dataclass(frozen=True, eq=False)
class StandIn:
    """An extractive stand-in for Gemini: it answers with pieces of the prompt, or as it was taught to.

    A model is never changed; training returns a new one.

    Attributes:
        adapter: The trained part; a fresh one in the base.
        vocabulary: Words that training prompts were about; empty if no answers were remembered or offered.
        memory: Remembered answers with the number of training records that had them as target.
        boilerplate: Lines that most training prompts shared, passed over when reading.
        habit: How answers are composed, `None` for the base's own.
        frame: The wording that nearly all targets shared, if they did: then answers are that, filled in.
    """

    adapter: Adapter = field(repr=False)
    vocabulary: Vocabulary = field(default_factory=Vocabulary.empty, repr=False)
    memory: dict[str, int] = field(default_factory=dict)
    boilerplate: frozenset[str] = frozenset()
    habit: Habit | None = None
    frame: Frame | None = None
    _cache: dict[tuple[str, ...], Floats] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def base(cls) -> "StandIn":
        """Return the untuned model."""
        return cls(Adapter.fresh(1, 0, 0, np.random.default_rng(0)))

    def read(self, system: str, turns: Sequence[tuple[str, str]]) -> Page:
        """Read a prompt, passing over what training showed to be boilerplate."""
        return read_page(system, turns, self.boilerplate, guess_query=self.frame is None)

    def find(self, page: Page) -> Candidates:
        """Return all candidates of a page, remembered answers included."""
        return find_candidates(page, tuple(self.memory))

    def prepare(self, page: Page, candidates: Candidates, strings: Sequence[int]) -> Example:
        """Describe a page for scoring.

        Args:
            page: The page.
            candidates: Its candidates.
            strings: For each string of the candidates, the column of its vector among the mapped strings.
        """
        rows, weights = self.vocabulary.weigh(page)
        frequencies = [self.memory.get(text, 0) for text in candidates.strings]
        features = describe(candidates, frequencies)
        contexts = None
        if LISTS in self.vocabulary.numbers and not candidates.strings and not self.frame:
            rows, weights = np.array([self.vocabulary.numbers[LISTS]]), np.ones(1, dtype=np.float32)
            contexts = contexts_of(candidates)
        return Example(features, prompt_flags(page), rows, weights, np.array(strings, dtype=np.int64), contexts)

    def rank(self, page: Page) -> tuple[Candidates, Floats]:
        """Return the n candidates of a page and their scores, (n,)."""
        candidates = self.find(page)
        example = self.prepare(page, candidates, range(len(candidates.strings)))
        return candidates, scores(self.adapter, example, self._mapped(candidates.strings))

    def _mapped(self, strings: tuple[str, ...]) -> Floats:
        """Map strings, and keep the result: prompts of one task mostly offer the same ones."""
        known = self._cache.get(strings)
        if known is None:
            if len(self._cache) >= _CACHED_LISTS:
                self._cache.clear()
            known = mapped_strings(self.adapter, string_vectors(strings, self.answer_numbers))
            self._cache[strings] = known
        return known

    @cached_property
    def answer_numbers(self) -> dict[str, int]:
        """Number of each remembered answer, from 0."""
        return {text: number for number, text in enumerate(self.memory)}

    def answer(self, system: str, turns: Sequence[tuple[str, str]]) -> str:
        """Answer a conversation; the same model always gives the same answer.

        Args:
            system: Text of the system instruction, `""` if none.
            turns: `(role, text)` pairs, role `"user"` or `"model"`; the last one is answered.

        Returns:
            The answer, `""` if the prompt holds nothing to answer with.
        """
        page = self.read(system, turns)
        if self.frame:
            return self._fill(self.frame, page)
        candidates, candidate_scores = self.rank(page)
        return compose(candidates, candidate_scores, self.habit or base_habit(page))

    def _fill(self, frame: Frame, page: Page) -> str:
        candidates = self.find(page)
        example = self.prepare(page, candidates, range(len(candidates.strings)))
        mapped = self._mapped(candidates.strings)
        slots = slot_examples(frame, self.vocabulary, candidates, example)
        return fill(frame, candidates, [scores(self.adapter, slot, mapped) for slot in slots])

    def save(self, path: Path) -> None:
        """Write the model to one .npz file, which appears whole or not at all.

        Raises:
            OSError: If the file cannot be written.
        """
        about = {
            "format": _FORMAT,
            "words": list(self.vocabulary.numbers),
            "documents": self.vocabulary.documents,
            "memory": self.memory,
            "boilerplate": sorted(self.boilerplate),
            "habit": [self.habit.pieces, self.habit.words] if self.habit else None,
            "frame": asdict(self.frame) if self.frame else None,
        }
        buffer = io.BytesIO()
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode("ascii"), dtype=np.uint8),
            "document_counts": self.vocabulary.document_counts,
            **self.adapter.parameters(),
        }
        np.savez(buffer, allow_pickle=False, **arrays)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(buffer.getvalue())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path) -> "StandIn":
        """Read a model that `save` wrote.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it is no stand-in model of this version.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if about["format"] != _FORMAT:
                    raise ValueError(f"format {about['format']}, expected {_FORMAT}")
                names = Adapter.__dataclass_fields__
                adapter = Adapter(**{name: arrays[name] for name in names})
                counts = arrays["document_counts"]
        except (KeyError, TypeError, ValueError, EOFError, BadZipFile) as error:
            raise ValueError(f"{path} is not a stand-in model that this version can read: {error}") from error
        numbers = {word: number for number, word in enumerate(about["words"])}
        return cls(
            adapter=adapter,
            vocabulary=Vocabulary(numbers, counts, about["documents"]),
            memory=about["memory"],
            boilerplate=frozenset(about["boilerplate"]),
            habit=Habit(*about["habit"]) if about["habit"] else None,
            frame=Frame.from_document(about["frame"]) if about["frame"] else None,
        )


def complete(
    model: StandIn,
    system: str,
    turns: Sequence[tuple[str, str]],
    *,
    max_output_tokens: int | None,
    stop_sequences: Sequence[str],
    text: str | None = None,
) -> Completion:
    """Answer within limits, as generateContent does.

    Args:
        model: The model that answers.
        system: Text of the system instruction, `""` if none.
        turns: `(role, text)` pairs; the last one is answered.
        max_output_tokens: Longest answer in tokens, `None` for no limit.
        stop_sequences: Texts that end the answer where the first of them begins; empty ones are passed over.
        text: The answer, if it is already known.

    Returns:
        The answer, why it ended, and the tokens used.

    Raises:
        ValueError: If `max_output_tokens` is negative.
    """
    text = model.answer(system, turns) if text is None else text
    stops = [text.find(stop) for stop in stop_sequences if stop and stop in text]
    text = text[: min(stops)] if stops else text
    limited = text if max_output_tokens is None else tokens.truncate(text, max_output_tokens)
    return Completion(
        text=limited,
        finish_reason="STOP" if limited == text else "MAX_TOKENS",
        prompt_tokens=tokens.count(system) + sum(tokens.count(turn) for _, turn in turns),
        output_tokens=tokens.count(limited),
    )
