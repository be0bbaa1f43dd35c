"""ROUGE held against the package rouge-score, to the last digit."""

import subprocess
import sys
import time
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.rouge import NAMES, rouge, score
from gemini_sft.metrics.stemming import stem
from tests.unit.gemini_sft.metrics.hostile import ASCII, REFERENCES, TEXTS

TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
FEW = st.lists(st.sampled_from(["a", "b", "c", "\n"]), max_size=25).map(" ".join)
"""Of so few words, much is equal in several ways: which way the union of subsequences takes shows in its length."""


@pytest.fixture(scope="module")
def scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(TYPES), use_stemmer=True)


def check(scorer: Any, answer: str, *references: str) -> None:
    ours, theirs = score(answer, references), scorer.score_multi(references, answer)
    assert tuple(ours) == NAMES
    for kind in TYPES:
        parts = tuple(ours[f"{kind}_{part}"] for part in ("precision", "recall", "f"))
        assert parts == (theirs[kind].precision, theirs[kind].recall, theirs[kind].fmeasure), kind


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=200)
@example("", "")
@example("", "the kettle")
@example("the kettle", "\n\n")
@example("kettle", "kettle")
@example("boil\nthe kettle", "the kettle\nboil")
def test_on_hostile_texts(scorer: Any, answer: str, reference: str) -> None:
    check(scorer, answer, reference)


@given(FEW, FEW)
@settings(deadline=None, max_examples=400)
def test_where_many_subsequences_are_equally_long(scorer: Any, answer: str, reference: str) -> None:
    check(scorer, answer, reference)


@given(TEXTS, REFERENCES)
@settings(deadline=None, max_examples=200)
@example("boil the kettle", ("kettle boil the", "boil the kettle once more"))
def test_against_several_references(scorer: Any, answer: str, references: tuple[str, ...]) -> None:
    check(scorer, answer, *references)


@given(FEW, st.lists(FEW, min_size=2, max_size=4))
@settings(deadline=None, max_examples=200)
def test_against_several_references_that_are_much_alike(scorer: Any, answer: str, references: list[str]) -> None:
    check(scorer, answer, *references)


LINES = st.lists(st.text("abcdef ", min_size=1, max_size=6).map(" ".join), max_size=12).map("\n".join)


@given(LINES, LINES)
@settings(deadline=None, max_examples=300)
def test_of_many_lines_of_which_few_share_a_word(scorer: Any, answer: str, reference: str) -> None:
    check(scorer, answer, reference)


def test_of_thousands_of_short_lines() -> None:
    """Lines that share no word are not compared: if all pairs were, this would take many seconds."""
    answer = "\n".join(f"w{number}" for number in range(8_000))
    reference = "\n".join(f"w{number} x{number} y{number}" for number in range(0, 8_000, 27))
    began = time.perf_counter()
    scores = score(answer, (reference,))
    assert time.perf_counter() - began < 2
    assert (scores["rougeLsum_precision"], scores["rougeLsum_recall"]) == (297 / 8_000, 1 / 3)


def test_with_markup_and_many_lines(scorer: Any) -> None:
    text = "# Title\n\n* **Boil** the <i>kettle</i>\n* twice & again\n\n| a | b |\n|---|---|\n```python\nx = 1\n```\n"
    check(scorer, text, text.replace("twice", "two times").replace("\n* ", "\n"))


def test_of_ten_thousand_words(scorer: Any) -> None:
    """rouge-score itself takes minutes for two such texts: one of them is short."""
    choice = Random(1)
    words = [f"word{number}" for number in range(50)]
    long, short = (" ".join(choice.choices(words, k=size)) for size in (10_000, 30))
    check(scorer, long, short)
    check(scorer, short, long)
    assert score(long, (long,)) == dict.fromkeys(NAMES, 1.0)


@given(ASCII, ASCII)
@settings(deadline=None, max_examples=100)
def test_ascii_text_scores_the_same_with_unicode(answer: str, reference: str) -> None:
    assert rouge(Tokenizer.UNICODE)(answer, (reference,)) == score(answer, (reference,))


@given(st.text(st.sampled_from("abcdefgilnoprstuyz0"), max_size=14))
@settings(deadline=None, max_examples=300)
def test_stems_are_those_of_nltk(word: str) -> None:
    from nltk.stem.porter import PorterStemmer

    assert stem(word) == (PorterStemmer().stem(word) if len(word) > 3 else word)


def test_neither_rouge_score_nor_all_of_nltk_is_imported() -> None:
    """They take seconds. Whoever wants nltk afterwards has all of it."""
    code = (
        "import sys; from gemini_sft.metrics import rouge; rouge.score('boiling', ('boiled',));"
        "assert not [one for one in sys.modules if one.partition('.')[0] in ('nltk', 'rouge_score', 'absl')];"
        "import nltk; assert nltk.stem.PorterStemmer().stem('boiling') == 'boil'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
