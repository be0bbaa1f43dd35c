"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum, equal to the package rouge-score with its Porter stemmer, but fast.

C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004. ROUGE-L takes a text as one sequence of
words; ROUGE-Lsum takes its lines for sentences (section 3.2: the union of longest common subsequences). With the
tokenizer `ascii` every number is that of `RougeScorer(use_stemmer=True)` to the last digit. With `unicode` the words
are those of `gemini_sft.words`, of which those in ASCII are stemmed; so ASCII text scores the same.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain, pairwise
from operator import itemgetter

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.stemming import stem
from gemini_sft.metrics.subsequence import common_length, common_positions
from gemini_sft.words import Words, words_of

_PARTS = ("precision", "recall", "f")
_F = _PARTS.index("f")
_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")

NAMES = tuple(f"{kind}_{part}" for kind in _TYPES for part in _PARTS)
"""`rouge1_precision`, `rouge1_recall`, `rouge1_f`, and the same for `rouge2`, `rougeL`, `rougeLsum`; each in [0, 1]."""

PRIMARY = "rougeL_f"

_Text = tuple[list[str], list[list[str]]]
"""The words of a text, and of each of its lines that is not empty."""
_Hits = tuple[int, int, int]
"""How much agrees, of how much in the answer, of how much in the reference."""


def rouge(tokenizer: Tokenizer) -> Callable[[str, tuple[str, ...]], dict[str, float]]:
    """Returns the function that scores an answer, as `score` does."""
    words = words_of(tokenizer)
    return lambda answer, references: _best(answer, references, words)


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns every ROUGE score of an answer, by the names in `NAMES`, with the tokenizer `ascii`.

    Args:
        answer: What the model said.
        references: The right answers, at least one. The three scores of each type are those against the one with that
            type's best F, and of several such the first, as in rouge-score's `score_multi`.
    """
    return _best(answer, references, words_of(Tokenizer.ASCII))


def _best(answer: str, references: tuple[str, ...], words: Words) -> dict[str, float]:
    given = _read(answer, words)
    each = [[_shares(*hits) for hits in _hits(given, _read(one, words))] for one in references]
    best = (max(shares, key=itemgetter(_F)) for shares in zip(*each, strict=True))
    return dict(zip(NAMES, chain.from_iterable(best), strict=True))


def _read(text: str, words: Words) -> _Text:
    lines = [[one for word in words(line) if (one := stem(word))] for line in text.split("\n") if line]
    # No word goes on over the end of a line, so the words of the lines are those of the text.
    return (lines[0] if len(lines) == 1 else list(chain.from_iterable(lines))), lines


def _hits(given: _Text, wanted: _Text) -> Iterable[_Hits]:
    """Yields what agrees of each type, in the order of `_TYPES`."""
    (answer, answer_lines), (reference, reference_lines) = given, wanted
    sizes = len(answer), len(reference)
    yield _overlap(answer, reference), *sizes
    yield _overlap(pairwise(answer), pairwise(reference)), max(len(answer) - 1, 0), max(len(reference) - 1, 0)
    if len(answer_lines) == len(reference_lines) == 1:
        # Of one line each, the union has one subsequence, all of whose words both have as often as it has.
        yield from [(common_length(reference, answer), *sizes)] * 2
    else:
        yield common_length(reference, answer), *sizes
        yield _union(answer_lines, reference_lines), *sizes


def _overlap(one: Iterable[Hashable], other: Iterable[Hashable]) -> int:
    left, right = Counter(one), Counter(other)
    return sum(min(left[each], right[each]) for each in left.keys() & right.keys())


def _union(answer: Sequence[list[str]], reference: Sequence[list[str]]) -> int:
    """Returns how many words the union of common subsequences has, each at most as often as either text has it.

    Only pairs of lines that can add to the number are compared: those that share a word of which some are left, and no
    more of them once all such words of the reference's line are found.
    """
    left = Counter(chain.from_iterable(answer)) & Counter(chain.from_iterable(reference))
    lines = [*dict.fromkeys(map(tuple, answer))]
    where: dict[str, list[int]] = {}
    for number, given in enumerate(lines):
        for word in set(given):
            where.setdefault(word, []).append(number)
    hits = 0
    for line in reference:
        wanted = {position for position, word in enumerate(line) if left.get(word)}
        found: set[int] = set()
        for number in set(chain.from_iterable(where[word] for word in {line[position] for position in wanted})):
            found.update(common_positions(line, lines[number]))
            if wanted <= found:
                break
        for position in sorted(wanted & found):
            if left[line[position]]:
                left[line[position]] -= 1
                hits += 1
    return hits


def _shares(hits: int, given: int, wanted: int) -> tuple[float, float, float]:
    precision, recall = hits / max(given, 1), hits / max(wanted, 1)
    return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0
