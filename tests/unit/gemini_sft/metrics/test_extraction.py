import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.metrics.extraction import NAMES, PRIMARY, score

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -0.0, 1e30]) | st.text(max_size=2)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc0"), inner, max_size=3)
)
JSONS = VALUES.filter(lambda value: isinstance(value, dict | list)).map(json.dumps)
TEXTS = JSONS | VALUES.map(json.dumps) | st.text(max_size=10) | st.sampled_from(["{", '{"a": NaN}', "[1] [2]"])

NOTHING = dict.fromkeys(NAMES, 0.0)
ALL = dict.fromkeys(NAMES, 1.0)


def scores(exact: float, precision: float, recall: float, f1: float) -> dict[str, float]:
    values = (1, exact, precision, recall, f1)
    return dict(zip(("valid_json", "exact_object", "field_precision", "field_recall", "field_f1"), values, strict=True))


@pytest.mark.parametrize(
    ("answer", "reference", "wanted"),
    [
        # Fields of the answer, of the reference, and of both: 2, 2, 1; then 1, 2, 1; then 3, 2, 2.
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', scores(0, 1 / 2, 1 / 2, 1 / 2)),
        ('{"a": 1}', '{"a": 1, "b": 3}', scores(0, 1, 1 / 2, 2 / 3)),
        ('{"a": 1, "b": 3, "c": null}', '{"b": 3, "a": 1}', scores(0, 2 / 3, 1, 4 / 5)),
        ('{"a": 2}', '{"a": 1}', scores(0, 0, 0, 0)),
        # Paths: a place deeper is another place, a list counts by position.
        ('{"a": {"b": 1}}', '{"b": 1}', scores(0, 0, 0, 0)),
        ('{"a": [1, 2, 3]}', '{"a": [1, 3, 2]}', scores(0, 1 / 3, 1 / 3, 1 / 3)),
        ('{"a": [{"b": 1, "c": 2}, {"b": 3}]}', '{"a": [{"b": 1}, {"b": 3}]}', scores(0, 2 / 3, 1, 4 / 5)),
        ('{"0": 1}', "[1]", scores(0, 0, 0, 0)),
        # An empty object or list is a value of its own.
        ('{"a": []}', '{"a": {}}', scores(0, 0, 0, 0)),
        ('{"a": [], "b": 1}', '{"a": [1], "b": 1}', scores(0, 1 / 2, 1 / 2, 1 / 2)),
        ("{}", '{"a": 1}', scores(0, 0, 0, 0)),
        ("{}", "[]", scores(0, 0, 0, 0)),
        # Values of another type.
        ('{"a": "1"}', '{"a": 1}', scores(0, 0, 0, 0)),
        ('{"a": true}', '{"a": 1}', scores(0, 0, 0, 0)),
        ('{"a": false}', '{"a": 0}', scores(0, 0, 0, 0)),
        ('{"a": null}', '{"a": ""}', scores(0, 0, 0, 0)),
        ('{"a": 0.1}', '{"a": 0.1000000000000000055}', scores(0, 0, 0, 0)),
        ('{"a": "x "}', '{"a": "x"}', scores(0, 0, 0, 0)),
        # A reference that is no JSON is never reached.
        ('{"a": 1}', "a is 1", scores(0, 0, 0, 0)),
        ("{}", "", scores(0, 0, 0, 0)),
    ],
)
def test_worked_by_hand(answer: str, reference: str, wanted: dict[str, float]) -> None:
    assert score(answer, (reference,)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        (' {"b": [1, {}],\n"a": null} ', '{"a": null, "b": [1, {}]}'),
        ('{"a": 1.0}', '{"a": 1}'),
        ('{"a": 1e2}', '{"a": 100}'),
        ('{"a": -0}', '{"a": 0.0}'),
        ('{"a": "\\u00fc"}', '{"a": "ü"}'),
        ("{}", " { } "),
        ("[]", "[]"),
        ("[true]", "[true]"),
        (
            '{"functionCall":{"args":{"city":"Rome"},"name":"f"}}',
            '{"functionCall":{"name":"f","args":{"city":"Rome"}}}',
        ),
        (f"[{'9' * 5000}]", f"[{'9' * 5000}.0]"),
    ],
)
def test_equal_as_json(answer: str, reference: str) -> None:
    assert score(answer, (reference,)) == ALL


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "The answer is 1.",
        '{"a": 1',
        '{"a": 1}.',
        '```json\n{"a": 1}\n```',
        '{"a": 1} {"a": 1}',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN, "b": 1}',
        '{"a": -Infinity}',
        "[Infinity]",
        '{"a": 1, "a": 1}',
        '{"b": {"a": 1, "a": 2}}',
        '{"a": 01}',
        '{"a": "line\nbreak"}',
        '\ufeff{"a": 1}',
        '"a"',
        "1",
        "null",
        "true",
        '{"a": 1e99999999999999999999}',
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_without_valid_json_everything_is_zero(answer: str) -> None:
    assert score(answer, (answer, '{"a": 1}')) == NOTHING


def test_of_several_references_the_one_with_the_best_f1_gives_all_scores() -> None:
    """The first has the better precision, the second the better F1."""
    answer = '{"a": 1, "b": 2, "c": 3}'
    first = '{"a": 1, "b": 2, "c": 3, "d": [0, 0, 0, 0, 0, 0, 0]}'
    second = '{"a": 1, "b": 2, "x": 3}'
    assert score(answer, (first,)) == pytest.approx(scores(0, 1, 3 / 10, 6 / 13))
    for references in ((first, second), (second, first)):
        assert score(answer, references) == pytest.approx(scores(0, 2 / 3, 2 / 3, 2 / 3))
    assert score(answer, (first, "no JSON", answer)) == ALL


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=100)
def test_bounded_and_symmetric(one: str, other: str) -> None:
    there, back = score(one, (other,)), score(other, (one,))
    assert tuple(there) == NAMES and all(0 <= value <= 1 for value in there.values())
    assert there["exact_object"] == (there[PRIMARY] == 1)
    if there["valid_json"] and back["valid_json"]:
        assert there[PRIMARY] == back[PRIMARY]
        assert (there["field_precision"], there["field_recall"]) == (back["field_recall"], back["field_precision"])


@given(JSONS, st.lists(TEXTS, max_size=2))
@settings(deadline=None, max_examples=50)
def test_what_is_identical_to_a_reference_is_right(answer: str, others: list[str]) -> None:
    assert score(answer, (*others, answer)) == ALL


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
@settings(deadline=None, max_examples=50)
def test_another_reference_never_lowers_field_f1(answer: str, references: list[str], another: str) -> None:
    assert score(answer, (*references, another))[PRIMARY] >= score(answer, tuple(references))[PRIMARY]


@given(VALUES, VALUES)
@settings(deadline=None, max_examples=100)
def test_exact_is_equality_of_values(one: Any, other: Any) -> None:
    equal = told_apart(one) == told_apart(other)
    assert score(json.dumps([one]), (json.dumps([other]),))["exact_object"] == equal


def told_apart(value: Any) -> Any:
    """Returns a value for Python to compare, which by itself takes truth values for numbers."""
    if isinstance(value, list):
        return [told_apart(one) for one in value]
    if isinstance(value, dict):
        return {key: told_apart(one) for key, one in value.items()}
    return isinstance(value, bool), value
