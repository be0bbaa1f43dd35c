"""Everything on a page that could be the answer: spans, sentences, labelled sentences and strings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.reading import Page, Sentence
from vertex_emulator.standin.words import CODES, WORD, WordFacts, parts, word_facts, word_places

SPAN, SENTENCE, LABELLED, STRING = range(4)
"""Kinds: part of a sentence, a sentence, a sentence behind its label, an offered or remembered string."""

MAX_SPAN_WORDS = 10
MAX_SPAN_SENTENCES = 40
STOP_WORD_WEIGHT = 0.05

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """The candidates of a page and the words that they are made of; n candidates, w words, s sentences.

    Attributes:
        page: Where they come from.
        words: Facts about the words of all sentences in document order, (w,).
        codes: Their codes by the columns of `words.CODES`, (w, len(CODES)).
        sentence_of: Sentence number of each word, (w,).
        bounds: First word number of each sentence, then w, (s + 1,).
        query_weights: 1 for words that `page.sought` has too, 0.05 for stop words among them, else 0, (w,).
        sentence_shares: Share of the weight of `page.sought` found in each sentence, (s,).
        kinds: Kind of each candidate, (n,).
        first: Number of its first word, (n,); -1 for strings.
        last: Number of its last word, (n,); -1 for strings.
        strings: Text of the strings, which are the last candidates.
        listed: How many of the strings the prompt offers; they come first.
    """

    page: Page
    words: list[WordFacts]
    codes: NDArray[np.uint8]
    sentence_of: Ints
    bounds: Ints
    query_weights: Floats
    sentence_shares: Floats
    kinds: NDArray[np.int8]
    first: Ints
    last: Ints
    strings: tuple[str, ...]
    listed: int

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.kinds)

    @cached_property
    def stems(self) -> list[str]:
        """Stems of the comparable parts of all words, p of them."""
        return [part for word in self.words for part in word.parts]

    @cached_property
    def part_bounds(self) -> Ints:
        """Where in `stems` the parts of each word begin, then p, (w + 1,)."""
        return np.cumsum([0, *(len(word.parts) for word in self.words)])

    @cached_property
    def edges(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each word is the first, and whether it is the last, of its sentence, (w,) both."""
        first, last = np.zeros((2, len(self.words)), dtype=bool)
        filled = np.diff(self.bounds) > 0
        first[self.bounds[:-1][filled]] = True
        last[self.bounds[1:][filled] - 1] = True
        return first, last

    def stems_of(self, number: int) -> Sequence[str]:
        """Return the stems of candidate `number`, for a labelled sentence without those of the label."""
        if self.kinds[number] == STRING:
            return parts(self.text(number))
        return self.stems[self.part_bounds[self.first[number]] : self.part_bounds[self.last[number] + 1]]

    def sentence(self, number: int) -> Sentence:
        """Return the sentence that candidate `number`, not a string, belongs to."""
        return self.page.sentences[int(self.sentence_of[self.first[number]])]

    def text(self, number: int) -> str:
        """Return the text of candidate `number`, for a labelled sentence without the label."""
        kind = self.kinds[number]
        if kind == STRING:
            return self.strings[number - (len(self) - len(self.strings))]
        sentence = self.sentence(number).text
        if kind != SPAN:
            return sentence
        places = word_places(sentence)
        offset = int(self.bounds[self.sentence_of[self.first[number]]])
        return sentence[places[self.first[number] - offset][0] : places[self.last[number] - offset][1]]


def find_candidates(page: Page, memory: Sequence[str] = ()) -> Candidates:
    """Find every candidate of a page.

    Args:
        page: The page that was read from a prompt.
        memory: Answers remembered from training, offered for every page.

    Returns:
        Candidates in the order spans, sentences, labelled sentences, strings.
    """
    words: list[WordFacts] = []
    bounds = [0]
    for sentence in page.sentences:
        words += [word_facts(word) for word in WORD.findall(sentence.text)]
        bounds.append(len(words))
    codes = np.frombuffer(b"".join([word.codes for word in words]), dtype=np.uint8).reshape(-1, len(CODES))
    edges = np.array(bounds, dtype=np.int64)
    lengths = np.diff(edges)
    sentence_of = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)

    query = _query_weights(page)
    query_weights = np.array([query.get(word.stem, 0.0) for word in words], dtype=np.float32)
    shares = _sentence_shares(words, edges, query)

    span_first, span_last = _spans(codes, edges, _span_sentences(shares, lengths))
    whole = np.flatnonzero(lengths > 0)
    labelled = whole[[page.is_dialogue and page.sentences[number].label != "" for number in whole]]
    strings = tuple(dict.fromkeys([*page.entries, *memory]))
    none = np.full(len(strings), -1, dtype=np.int64)
    return Candidates(
        page=page,
        words=words,
        codes=codes,
        sentence_of=sentence_of,
        bounds=edges,
        query_weights=query_weights,
        sentence_shares=shares,
        kinds=np.repeat(
            np.array([SPAN, SENTENCE, LABELLED, STRING], dtype=np.int8),
            [len(span_first), len(whole), len(labelled), len(strings)],
        ),
        first=np.concatenate([span_first, edges[whole], edges[labelled], none]),
        last=np.concatenate([span_last, edges[whole + 1] - 1, edges[labelled + 1] - 1, none]),
        strings=strings,
        listed=len(page.entries),
    )


def _query_weights(page: Page) -> dict[str, float]:
    """Return the weight of each stem of the text that points at the answer."""
    facts = [word_facts(word) for word in WORD.findall(page.sought)]
    return {word.stem: 1.0 if word.content else STOP_WORD_WEIGHT for word in facts if word.parts}


def _sentence_shares(words: Sequence[WordFacts], edges: Ints, query: dict[str, float]) -> Floats:
    total = sum(query.values())
    if not total:
        return np.zeros(len(edges) - 1, dtype=np.float32)
    shares = []
    for start, end in pairwise(edges.tolist()):
        found = {word.stem for word in words[start:end]}
        shares.append(sum([weight for stem, weight in query.items() if stem in found]) / total)
    return np.array(shares, dtype=np.float32)


def _span_sentences(shares: Floats, lengths: Ints) -> Ints:
    """Choose the sentences that spans are taken from: those nearest to the query, the first of equals."""
    if len(shares) <= MAX_SPAN_SENTENCES:
        return np.flatnonzero(lengths > 0)
    nearest = np.argsort(-shares, kind="stable")[:MAX_SPAN_SENTENCES]
    return np.sort(nearest[lengths[nearest] > 0])


def _spans(codes: NDArray[np.uint8], edges: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """Return first and last word numbers of all spans in the chosen sentences."""
    opens = codes[:, CODES.index("opens")] > 0
    limit = np.zeros(len(codes), dtype=np.int64)
    for number in chosen.tolist():
        limit[edges[number] : edges[number + 1]] = edges[number + 1]
    begin = np.flatnonzero(opens & (limit > 0))
    last = begin[:, None] + np.arange(MAX_SPAN_WORDS)
    closes = np.concatenate([codes[:, CODES.index("content")] > 0, np.zeros(MAX_SPAN_WORDS, dtype=bool)])
    row, column = np.nonzero((last < limit[begin][:, None]) & closes[last])
    return begin[row], last[row, column]
