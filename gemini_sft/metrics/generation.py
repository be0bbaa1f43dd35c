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

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.whole import WholeMetric, WholeSplit
from gemini_sft.words import unicode_words

WHOLE = ("bleu", "chrf")
"""Each in [0, 100]."""


def overlap(tokenizer: Tokenizer) -> WholeMetric:
    """Returns the function that scores a whole split; an answer that there is not counts as the empty text."""
    return partial(_whole, tokenizer=tokenizer)


def _whole(answers: Sequence[str], references: Sequence[tuple[str, ...]], tokenizer: Tokenizer) -> WholeSplit:
    from sacrebleu.metrics import BLEU, CHRF

    chrf = CHRF()
    corpus = {"chrf": float(chrf.corpus_score(answers, _streams(references)).score)}
    signatures = {"chrf": str(chrf.get_signature())}
    # What it would warn of is not so: texts that end in a spaced full stop were written like that.
    bleu = BLEU(force=True)
    if tokenizer is Tokenizer.UNICODE:
        bleu = BLEU(force=True, tokenize="none", lowercase=True)  # words are in lower case already: that is to be said
        answers = list(map(_spaced, answers))
        references = [tuple(map(_spaced, some)) for some in references]
    corpus["bleu"] = float(bleu.corpus_score(answers, _streams(references)).score)
    signatures["bleu"] = str(bleu.get_signature()) + ("|words:unicode" if tokenizer is Tokenizer.UNICODE else "")
    return WholeSplit(
        corpus={name: corpus[name] for name in WHOLE}, signatures={name: signatures[name] for name in WHOLE}
    )


def _streams(references: Sequence[tuple[str, ...]]) -> list[list[str | None]]:
    """Returns the first reference of every example, then every second one, and so on: None where there is none."""
    most = max(map(len, references))
    return [[some[place] if place < len(some) else None for some in references] for place in range(most)]


def _spaced(text: str) -> str:
    return " ".join(unicode_words(text))
