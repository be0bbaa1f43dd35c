"""Classification of a whole split held against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from gemini_sft.metrics.classification import classes, sums
from gemini_sft.metrics.whole import WholeSplit

LABELS = ["spam", "ham", "ナイス", "e\u0301", "never", "a b"]
ANSWERS = st.sampled_from([*LABELS, "", "SPAM", " spam\n", "spam.", "a  b"])
PAIRS = st.lists(st.tuples(ANSWERS, st.sampled_from(LABELS[:4])), min_size=1, max_size=40)
OTHER = "(other)"


def whole(pairs: list[tuple[str, str]], labels: list[str]) -> WholeSplit:
    return classes(labels)([given for given, _ in pairs], [(right,) for _, right in pairs])


def theirs(right: list[str], said: list[str], labels: list[str], **options: Any) -> list[Any]:
    return list(precision_recall_fscore_support(right, said, labels=labels, zero_division=0, **options))


@given(PAIRS, st.integers(1, len(LABELS)))
@settings(deadline=None, max_examples=200)
@example([("", "spam")], 2)
@example([("spam", "spam")], 6)
def test_the_numbers_are_those_of_scikit_learn(pairs: list[tuple[str, str]], size: int) -> None:
    """Also where examples have labels outside the label set, as the policy of the rule `label` may allow."""
    labels = LABELS[:size]
    result = whole(pairs, labels)
    right = [one for _, one in pairs]
    said = [given.strip() if given.strip() in LABELS else OTHER for given, _ in pairs]

    involved = any(one in labels for one in [*right, *said])
    for average in ("micro", "macro"):
        wanted = theirs(right, said, labels, average=average)[2]
        assert result.corpus[f"{average}_f1"] == (wanted if involved else None)

    precision, recall, f1, support = theirs(right, said, labels)
    for position, label in enumerate(labels):
        ours, occurs, given = result.classes[label], label in right, label in said
        assert ours.support == support[position]
        assert ours.precision == (precision[position] if given else None)
        assert ours.recall == (recall[position] if occurs else None)
        assert ours.f1 == (f1[position] if given or occurs else None)

    assert result.confusion is not None and result.confusion.labels == [*labels, OTHER]
    inside = [[one if one in labels else OTHER for one in side] for side in (right, said)]
    assert np.array_equal(result.confusion.counts, confusion_matrix(*inside, labels=[*labels, OTHER]))
    assert sum(map(sum, result.confusion.counts)) == len(pairs)


def test_worked_by_hand() -> None:
    """Spam: one of two found, one of two said is right. Ham: one of two found. The third label is nowhere."""
    pairs = [("spam", "spam"), ("I think spam", "spam"), ("spam", "ham"), (" ham ", "ham")]
    result = whole(pairs, ["spam", "ham", "never"])
    assert result.corpus == pytest.approx({"micro_f1": 2 * 2 / 7, "macro_f1": (1 / 2 + 2 / 3 + 0) / 3})
    never = result.classes["never"]
    assert (never.precision, never.recall, never.f1, never.support) == (None, None, None, 0)
    assert result.confusion is not None
    assert result.confusion.counts == [[1, 0, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_label_that_is_said_but_has_no_examples() -> None:
    result = whole([("never", "spam")], ["spam", "never"])
    assert result.classes["never"].model_dump() == {"precision": 0, "recall": None, "f1": 0, "support": 0}
    assert result.classes["spam"].model_dump() == {"precision": None, "recall": 0, "f1": 0, "support": 1}


def test_of_several_right_labels_the_one_that_was_given_counts() -> None:
    result = classes(["spam", "ham"])(["ham", "no"], [("spam", "ham"), ("spam", "ham")])
    assert result.confusion is not None and result.confusion.counts == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_what_stands_for_other_answers_is_no_label() -> None:
    result = whole([("x", "(other)")], ["(other)", "b"])
    assert result.confusion is not None and result.confusion.labels == ["(other)", "b", "((other))"]


@given(PAIRS, st.integers(1, len(LABELS)), st.lists(st.lists(st.integers(0), max_size=20), min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
@example([("", "spam")], 2, [[0], []])
def test_sums_give_the_same_for_any_choice_of_examples(
    pairs: list[tuple[str, str]], size: int, choices: list[list[int]]
) -> None:
    labels = LABELS[:size]
    found = sums(labels)([given for given, _ in pairs], [(right, "ham") for _, right in pairs])
    chosen = [[number % len(pairs) for number in some] for some in choices]
    scores = found.score(np.array([found.rows[some].sum(axis=0) for some in chosen]))
    for some, score in zip(chosen, scores, strict=True):
        wanted = classes(labels)([pairs[one][0] for one in some], [(pairs[one][1], "ham") for one in some]).corpus
        for name, value in zip(found.names, score.tolist(), strict=True):
            expected = wanted[name]
            assert np.isnan(value) if expected is None else value == pytest.approx(expected, rel=1e-14)
