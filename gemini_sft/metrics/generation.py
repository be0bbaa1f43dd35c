"""BLEU and chrF of a whole split, by the package sacrebleu.

K. Papineni, S. Roukos, T. Ward, W.-J. Zhu, "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002;
M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015; M. Post, "A Call for Clarity in
Reporting BLEU Scores", 2018. Both run from 0 to 100, as the field writes them. Beside them stands sacrebleu's
signature, without which a BLEU cannot be compared with another.

With the tokenizer `ascii` both are sacrebleu's as they come. With `unicode`, BLEU is given the words of
`gemini_sft.words`, with spaces between, and `tokenize="none"`; its signature then ends in `words:unicode`. chrF counts
characters, and needs no words.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.whole import Statistics, WholeMetric, WholeSplit, WholeStatistics
from gemini_sft.words import unicode_words

WHOLE = ("bleu", "chrf")
"""Each in [0, 100]."""

_BETA = 2
"""How much more recall counts than precision in chrF, as sacrebleu has it."""


def overlap(tokenizer: Tokenizer) -> WholeMetric:
    """Returns the function that scores a whole split; an answer that there is not counts as the empty text."""
    return partial(_whole, tokenizer=tokenizer)


def sums(tokenizer: Tokenizer) -> WholeStatistics:
    """Returns the function that finds what both are computed from: sacrebleu's counts of n-grams of each example."""
    return partial(_statistics, tokenizer=tokenizer)


def _whole(answers: Sequence[str], references: Sequence[tuple[str, ...]], tokenizer: Tokenizer) -> WholeSplit:
    corpus: dict[str, float | None] = {}
    signatures: dict[str, str] = {}
    for name, (metric, said, right) in _metrics(answers, references, tokenizer).items():
        corpus[name] = float(metric.corpus_score(said, right).score)
        signatures[name] = str(metric.get_signature())
    if tokenizer is Tokenizer.UNICODE:
        signatures["bleu"] += "|words:unicode"
    return WholeSplit(corpus=corpus, signatures=signatures)


def _statistics(answers: Sequence[str], references: Sequence[tuple[str, ...]], tokenizer: Tokenizer) -> Statistics:
    counts = [
        # What sacrebleu's own tests of significance begin with; it has no public name.
        np.array(metric._extract_corpus_statistics(said, right), np.float64)
        for metric, said, right in _metrics(answers, references, tokenizer).values()
    ]
    split = counts[0].shape[1]
    return Statistics(
        WHOLE, np.hstack(counts), lambda sums: np.column_stack([_bleu(sums[:, :split]), _chrf(sums[:, split:])])
    )


def _metrics(
    answers: Sequence[str], references: Sequence[tuple[str, ...]], tokenizer: Tokenizer
) -> dict[str, tuple[Any, Sequence[str], list[list[str | None]]]]:
    """Returns sacrebleu's metrics, each with the answers and references that it is given."""
    from sacrebleu.metrics import BLEU, CHRF

    chrf = (CHRF(), answers, _streams(references))
    # What it would warn of is not so: texts that end in a spaced full stop were written like that.
    bleu = BLEU(force=True)
    if tokenizer is Tokenizer.UNICODE:
        bleu = BLEU(force=True, tokenize="none", lowercase=True)  # words are in lower case already: that is to be said
        answers = list(map(_spaced, answers))
        references = [tuple(map(_spaced, some)) for some in references]
    return {"bleu": (bleu, answers, _streams(references)), "chrf": chrf}


def _bleu(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `BLEU.compute_bleu` of every row: words said and right, then n-grams found and said, of 1 to 4 words."""
    said, right, found, of = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of an order without a match one is assumed, half as much of each further one ("exp" in its signature).
        halved = 2.0 ** np.cumsum(found == 0, axis=1)
        precisions = np.where(found > 0, found, 1 / halved) / of * 100
        brevity = np.where(said < right, np.exp(1 - right / said), 1.0)
        score = brevity * np.exp(np.log(precisions).mean(axis=1))
    return np.where(found.any(axis=1) & (of > 0).all(axis=1), score, 0.0)


def _chrf(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `CHRF._compute_f_score` of every row: n-grams said, right and found, of 1 to 6 characters."""
    said, right, found = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    counts = (said > 0) & (right > 0)
    orders = np.maximum(counts.sum(axis=1), 1)
    precision, recall = (
        np.divide(found, of, out=np.zeros_like(found), where=counts).sum(axis=1) / orders for of in (said, right)
    )
    weighed = _BETA**2 * precision + recall
    score = 100 * (1 + _BETA**2) * precision * recall
    result: NDArray[np.float64] = np.divide(score, weighed, out=np.zeros_like(score), where=weighed > 0)
    return result


def _streams(references: Sequence[tuple[str, ...]]) -> list[list[str | None]]:
    """Returns the first reference of every example, then every second one, and so on: None where there is none."""
    most = max(map(len, references))
    return [[some[place] if place < len(some) else None for some in references] for place in range(most)]


def _spaced(text: str) -> str:
    return " ".join(unicode_words(text))
