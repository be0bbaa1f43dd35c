"""Candidates and their features."""

import numpy as np

from tests.learning.toys import user
from vertex_emulator.standin.candidates import (
    LABELLED,
    MAX_SPAN_SENTENCES,
    SENTENCE,
    SPAN,
    STRING,
    Candidates,
    find_candidates,
)
from vertex_emulator.standin.columns import DENSE_FEATURES, HOT_SLOTS, HOT_WIDTH, NO_COLUMN, class_column
from vertex_emulator.standin.features import describe
from vertex_emulator.standin.reading import read_page
from vertex_emulator.standin.words import CAPITAL, EDGE, INITIAL_CAPITAL, PREPOSITION


def find(text: str, memory: tuple[str, ...] = ()) -> Candidates:
    return find_candidates(read_page("", user(text)), memory)


def texts(found: Candidates, kind: int) -> list[str]:
    return [found.text(number) for number in range(len(found)) if found.kinds[number] == kind]


def feature(found: Candidates, text: str, name: str) -> float:
    number = [found.text(number) for number in range(len(found))].index(text)
    return float(describe(found).dense[number, DENSE_FEATURES.index(name)])


QUESTION = "Context: Mara Jensen lived in Oslo, Norway. Rain fell in May.\nQuestion: Where did Mara live?"


def test_spans_start_on_words_and_end_on_content_words() -> None:
    spans = texts(find("The cost was $5, he said."), SPAN)
    assert "$5" in spans
    assert "cost was $5" in spans
    assert not any(span.endswith((",", ".", "was", "he")) for span in spans)
    assert not any(span.startswith(",") for span in spans)


def test_every_kind_is_found() -> None:
    found = find("Labels: [yes, no]\nAnn: It rains. We stay.\nBob: Fine.\nAnn: Good.", ("maybe", "no"))
    assert texts(found, SENTENCE) == texts(found, LABELLED) == ["It rains.", "We stay.", "Fine.", "Good."]
    assert texts(found, STRING) == ["yes", "no", "maybe"]
    assert found.listed == 2


def test_sentences_of_one_speaker_have_no_labelled_twin() -> None:
    assert texts(find("Context: It rains. We stay."), LABELLED) == []


def test_long_pages_give_spans_of_the_nearest_sentences_only() -> None:
    text = " ".join(f"Number {number} is grey." for number in range(100)) + " The purple door is locked."
    found = find(f"Context: {text}\nQuestion: Which door is purple?")
    spans = texts(found, SPAN)
    assert "purple door" in spans
    assert len(texts(found, SENTENCE)) == 101
    assert len({found.sentence(number).text for number in range(len(spans))}) == MAX_SPAN_SENTENCES


def test_sentence_features() -> None:
    found = find(QUESTION)
    first, second = texts(found, SENTENCE)
    assert feature(found, first, "query_share") > 0.6
    assert feature(found, second, "query_share") < 0.1
    assert feature(found, first, "is_best") == 1
    assert feature(found, first, "opens_line") == feature(found, second, "closes_line") == 1
    assert feature(found, second, "opens_line") == feature(found, first, "closes_line") == 0
    assert feature(found, second, "is_2nd") == 1


def test_piece_features() -> None:
    found = find(QUESTION)
    assert feature(found, "Jensen", "cuts_name") == 1
    assert feature(found, "Mara Jensen", "cuts_name") == 0
    assert feature(found, "Oslo, Norway", "comma") == 1
    assert feature(found, "Oslo", "whole") == 1
    assert feature(found, "May", "month") == 1
    assert feature(found, "Oslo", "left_context") > feature(found, "Rain", "left_context") == 0
    assert feature(found, "Oslo", "query_inside") == 0 < feature(found, "Mara", "query_inside")


def test_word_classes_around_a_piece() -> None:
    found = find(QUESTION)
    hot = describe(found).hot
    number = texts(found, SPAN).index("Oslo")
    assert class_column("before", PREPOSITION) in hot[number]
    assert class_column("first", CAPITAL) in hot[number]
    number = texts(found, SPAN).index("Rain")
    assert class_column("before", EDGE) in hot[number]
    assert class_column("first", INITIAL_CAPITAL) in hot[number]


def test_string_features() -> None:
    found = find("Labels: [lost_card, top_up]\nText: I lost the card.", ("other",))
    assert feature(found, "lost_card", "focus_share") == 1
    assert feature(found, "lost_card", "is_top") == feature(found, "lost_card", "listed") == 1
    assert feature(found, "top_up", "any") == feature(found, "other", "listed") == 0
    described = describe(found, [0, 0, 9])
    assert described.dense[-3:, DENSE_FEATURES.index("remembered")].tolist() == [0, 0, 1]


def test_features_are_small_finite_numbers() -> None:
    for text in (QUESTION, "", "🙂🙂 ...", "x" * 3000, "Labels: [a, b]"):
        found = find(text, ("one", "two three"))
        described = describe(found)
        assert described.dense.shape == (len(found), len(DENSE_FEATURES))
        assert described.hot.shape == (len(found), HOT_SLOTS)
        assert described.hot.max(initial=0) < HOT_WIDTH
        assert np.isfinite(described.dense).all()
        assert np.abs(described.dense).max() <= 2
    assert (describe(find("", ("one",))).hot[:, 2:] == NO_COLUMN).all()
