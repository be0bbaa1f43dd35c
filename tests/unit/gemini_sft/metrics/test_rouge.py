import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.rouge import NAMES, PRIMARY, rouge, score

WORDS = st.lists(st.sampled_from(["the", "boil", "boiling", "boiled", "kettle", "2", "a's", "naïve", "🍕", "THE"]))
TEXTS = st.text(max_size=40) | WORDS.map(" ".join)


def test_worked_by_hand() -> None:
    """Five words against four, three of them in common and in order, two pairs among them."""
    scores = score("boil the kettle once more", ("boil the kettle twice",))
    assert scores == pytest.approx(
        {
            "rouge1_precision": 3 / 5,
            "rouge1_recall": 3 / 4,
            "rouge1_f": 2 / 3,
            "rouge2_precision": 2 / 4,
            "rouge2_recall": 2 / 3,
            "rouge2_f": 4 / 7,
            "rougeL_precision": 3 / 5,
            "rougeL_recall": 3 / 4,
            "rougeL_f": 2 / 3,
            "rougeLsum_precision": 3 / 5,
            "rougeLsum_recall": 3 / 4,
            "rougeLsum_f": 2 / 3,
        }
    )


def test_lines_are_sentences_whose_order_does_not_matter_to_rouge_lsum() -> None:
    scores = score("wait for it\nboil the kettle", ("boil the kettle\nwait for it",))
    assert (scores["rougeL_f"], scores["rougeLsum_f"]) == (1 / 2, 1)


def test_a_word_counts_in_the_union_as_often_as_both_have_it() -> None:
    scores = score("boil the kettle", ("boil\nboil the kettle",))
    assert (scores["rougeLsum_precision"], scores["rougeLsum_recall"]) == (1, 3 / 4)


def test_words_are_stemmed() -> None:
    assert score("boiling kettles", ("boiled kettle",))["rouge1_f"] == 1


@pytest.mark.parametrize(("answer", "reference"), [("", ""), ("", "a b"), ("a b", ""), ("!?", "a b"), (" \n", "a")])
def test_without_words_everything_is_zero(answer: str, reference: str) -> None:
    assert score(answer, (reference,)) == dict.fromkeys(NAMES, 0.0)


def test_of_several_references_each_type_takes_the_one_with_its_best_f() -> None:
    """The first has more words in common, the second more of them in the same order."""
    answer, first, second = "boil the kettle", "kettle boil the", "boil the kettle once more"
    assert score(answer, (first,))["rouge1_f"] == 1
    both = score(answer, (first, second))
    assert both == score(answer, (second, first))
    assert (both["rouge1_f"], both["rouge1_recall"]) == (1, 1)
    assert (both[PRIMARY], both["rougeL_recall"], both["rouge2_f"]) == pytest.approx((3 / 4, 3 / 5, 2 / 3))


def test_of_equally_good_references_the_first_counts() -> None:
    """All of the longer answer is in the first, and the shorter second is all in the answer."""
    answer, first, second = "boil the", "boil the kettle once", "boil"
    assert score(answer, (first,))[PRIMARY] == score(answer, (second,))[PRIMARY] == pytest.approx(2 / 3)
    assert score(answer, (first, second))["rougeL_precision"] == 1
    assert score(answer, (second, first))["rougeL_precision"] == 1 / 2


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
@settings(deadline=None, max_examples=30)
def test_another_reference_never_lowers_an_f(answer: str, references: list[str], another: str) -> None:
    more, fewer = score(answer, (*references, another)), score(answer, tuple(references))
    assert all(more[name] >= fewer[name] for name in NAMES if name.endswith("_f"))


@pytest.mark.parametrize("text", ["東京は日本の首都です", "ภาษาไทย", "Größe", "한국어 문장", "नमस्ते दुनिया", "العربية"])
def test_with_unicode_what_is_identical_scores_1(text: str) -> None:
    assert score(text, (text,))["rouge1_f"] < 1 or text == "Größe"
    assert rouge(Tokenizer.UNICODE)(text, (text,))["rougeL_f"] == 1


def test_with_unicode_scores_of_japanese_are_those_of_its_characters() -> None:
    """Three of four characters, in order."""
    scores = rouge(Tokenizer.UNICODE)("東京行く", ("東京行き",))
    assert (scores["rouge1_f"], scores["rougeL_f"], scores["rouge2_f"]) == (3 / 4, 3 / 4, 2 / 3)
