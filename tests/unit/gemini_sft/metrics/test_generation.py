"""BLEU and chrF held against sacrebleu."""

import logging

import numpy as np
import pytest
import sacrebleu
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.generation import WHOLE, overlap, sums
from gemini_sft.words import unicode_words
from tests.unit.gemini_sft.metrics.hostile import ASCII, REFERENCES, TEXTS

PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6)


def corpus(pairs: list[tuple[str, str]], tokenizer: Tokenizer = Tokenizer.ASCII) -> dict[str, float | None]:
    return overlap(tokenizer)([answer for answer, _ in pairs], [(one,) for _, one in pairs]).corpus


@given(PAIRS)
@settings(deadline=None, max_examples=80)
@example([("", "")])
@example([("", "boil the kettle once more")])
@example([("kettle", "kettle")])
def test_the_numbers_are_those_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    answers, references = [answer for answer, _ in pairs], [one for _, one in pairs]
    assert corpus(pairs) == {
        "bleu": sacrebleu.corpus_bleu(answers, [references]).score,
        "chrf": sacrebleu.corpus_chrf(answers, [references]).score,
    }


@given(PAIRS)
@settings(deadline=None, max_examples=80)
def test_with_unicode_bleu_is_that_of_the_words(pairs: list[tuple[str, str]]) -> None:
    answers, references = ([" ".join(unicode_words(one)) for one in side] for side in zip(*pairs, strict=True))
    found = corpus(pairs, Tokenizer.UNICODE)
    assert found["bleu"] == sacrebleu.corpus_bleu(answers, [references], tokenize="none").score
    assert found["chrf"] == corpus(pairs)["chrf"]


@given(st.lists(st.tuples(ASCII, ASCII), min_size=1, max_size=4))
@settings(deadline=None, max_examples=30)
def test_all_is_in_bounds(pairs: list[tuple[str, str]]) -> None:
    for tokenizer in Tokenizer:
        assert all(value is not None and 0 <= value <= 100.0001 for value in corpus(pairs, tokenizer).values())


def test_every_reference_counts_and_examples_may_have_different_numbers_of_them() -> None:
    answers = ["the cat sat on the mat", "it rains today in Rome"]
    references = [("a cat sat on a mat", "the cat sat on the mat"), ("it rains today in Rome",)]
    result = overlap(Tokenizer.ASCII)(answers, references)
    assert result.corpus == {"bleu": pytest.approx(100), "chrf": pytest.approx(100)}
    assert "nrefs:var" in result.signatures["bleu"] and "nrefs:var" in result.signatures["chrf"]


def test_the_signature_says_how_it_was_computed() -> None:
    plain, unicode = (overlap(one)(["a"], [("a",)]).signatures for one in (Tokenizer.ASCII, Tokenizer.UNICODE))
    version = sacrebleu.__version__
    assert plain["bleu"] == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}"
    assert unicode["bleu"] == f"nrefs:1|case:lc|eff:no|tok:none|smooth:exp|version:{version}|words:unicode"
    assert plain["chrf"] == unicode["chrf"] == f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{version}"


def test_japanese_needs_unicode() -> None:
    pairs = [("東京は日本の首都だ", "東京は日本の首都です")]
    ascii_, unicode = corpus(pairs)["bleu"], corpus(pairs, Tokenizer.UNICODE)["bleu"]
    assert ascii_ == 0 and unicode is not None and unicode > 70


def test_texts_that_look_tokenized_are_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        corpus([("It rains .", "It rains .")] * 200)
    assert not caplog.records


CHOICES = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=1, max_size=4)


@given(st.lists(st.tuples(TEXTS, REFERENCES), min_size=6, max_size=6), CHOICES, st.sampled_from(Tokenizer))
@settings(deadline=None, max_examples=80)
@example([("", ("",))] * 6, [[0]], Tokenizer.ASCII)
@example([("a", ("boil the kettle once more",))] * 6, [[0, 1]], Tokenizer.ASCII)
@example([("boil the kettle a b c", ("boil the x kettle", "boil it"))] * 6, [[0], [1, 1]], Tokenizer.UNICODE)
def test_sums_give_what_sacrebleu_gives_for_any_choice_of_examples(
    pairs: list[tuple[str, tuple[str, ...]]], choices: list[list[int]], tokenizer: Tokenizer
) -> None:
    answers, references = [answer for answer, _ in pairs], [some for _, some in pairs]
    found = sums(tokenizer)(answers, references)
    assert found.names == WHOLE and len(found.rows) == 6
    scores = found.score(np.array([found.rows[chosen].sum(axis=0) for chosen in choices]))
    for chosen, score in zip(choices, scores, strict=True):
        wanted = overlap(tokenizer)([answers[one] for one in chosen], [references[one] for one in chosen]).corpus
        assert dict(zip(WHOLE, score.tolist(), strict=True)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
