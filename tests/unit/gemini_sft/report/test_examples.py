"""The section of the examples: their order, what a card says, and what the page's own search is given."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.data.example import turn
from gemini_sft.experiment import Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.cards import SHOWN_REFERENCES, Kind, cards
from gemini_sft.report.changes import SHOWN, changes
from gemini_sft.report.explorer import BUDGET, explorer
from tests.unit.gemini_sft.report.sample import INSTRUCTION, answered, conversation, example, made_of, sample_input
from tests.unit.gemini_sft.report.test_page import page_of


def rows(data: ReportInput) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(changes(data).explorer.data)["examples"]
    return found


def labels(base: str, tuned: str, wanted: str, champion: str = "") -> ReportInput:
    """Returns a classification; each letter is the label of one example."""
    test = [example(n, f"which {n}", label) for n, label in enumerate(wanted)]
    before, after, in_use = (
        [answered(one, label) for one, label in zip(test, said, strict=True)] if said else None
        for said in (base, tuned, champion)
    )
    assert before and after
    return made_of(test, before, after, task=Task.CLASSIFICATION, labels=("a", "b"), champion=in_use)


def less_is_better(data: ReportInput) -> ReportInput:
    primary = data.comparison.primary_metric
    difference = data.comparison.difference.model_copy(update={"lower_is_better": True})
    differences = data.comparison.differences | {primary: difference}
    return replace(data, comparison=data.comparison.model_copy(update={"differences": differences}))


def scored(data: ReportInput, base: list[float], tuned: list[float]) -> ReportInput:
    primary, ids = data.comparison.primary_metric, [one.id for one in data.test]
    arms = []
    for arm, values in ((data.base, base), (data.candidate, tuned)):
        scores = {key: arm.result.scores[key] | {primary: value} for key, value in zip(ids, values, strict=True)}
        arms.append(replace(arm, result=arm.result.model_copy(update={"scores": scores})))
    return replace(data, base=arms[0], candidate=arms[1])


def test_changes_are_the_largest_losses_first_then_wins() -> None:
    words = [f"w{n}" for n in range(20)]
    test = [example(n, "say", " ".join(words)) for n in range(30)]
    base = [answered(one, " ".join(words[:10])) for one in test]
    tuned = [answered(one, " ".join(words[: (n % 15) + 3])) for n, one in enumerate(test)]
    found = changes(made_of(test, base, tuned))
    assert (found.worse, found.better, found.n, found.unscored) == (14, 14, 30, 0)
    assert len(found.losses) == len(found.wins) == SHOWN
    assert [one.place for one in found.losses[:3]] == ["test.jsonl:1", "test.jsonl:16", "test.jsonl:2"]
    assert [one.place for one in found.wins[:3]] == ["test.jsonl:15", "test.jsonl:30", "test.jsonl:14"]
    assert {one.kind for one in found.losses} == {Kind.WORSE} and {one.kind for one in found.wins} == {Kind.BETTER}


def test_a_conversation_says_who_speaks() -> None:
    call = {"functionCall": {"name": "f", "args": {"b": 1, "a": 2}}}
    talk = [
        turn("user", "Hi"),
        {"role": "model", "parts": [{"text": "Wait."}, call]},
        {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {"ok": True}}}]},
        turn("model", "restart it"),
    ]
    one = conversation(0, talk, "restart it")
    (change,) = changes(made_of([one], [answered(one, "restart")], [answered(one, "restart it")])).wins
    assert change.prompt.text == (
        'User: Hi\n\nModel: Wait.{"functionCall":{"args":{"a":2,"b":1},"name":"f"}}\n\n'
        'Function: {"functionResponse":{"name":"f","response":{"ok":true}}}'
    )


def test_only_a_system_instruction_unlike_the_others_is_shown_with_its_example() -> None:
    test = [example(0, "q", "a", system="Be brief."), *(example(n, "q", "a") for n in (1, 2))]
    data = made_of(test, [answered(one, "b") for one in test], [answered(one, "a") for one in test])
    assert data.system_instruction == INSTRUCTION
    shown = [change.instruction and change.instruction.text for change in changes(data).wins]
    assert shown == ["Be brief.", None, None]


def test_what_stands_before_all_examples_is_theirs_and_not_the_experiments() -> None:
    """Few-shot examples are in it, and it may come from a file."""
    test = [example(n, "q", "a", system=f"{INSTRUCTION} For example ...") for n in (0, 1)]
    data = made_of(test, [answered(one, "b") for one in test], [answered(one, "a") for one in test])
    assert data.system_instruction == f"{INSTRUCTION} For example ..."
    assert [change.instruction for change in changes(data).wins] == [None, None]


def test_every_right_answer_is_a_reference_and_only_some_are_shown() -> None:
    right = [f"right {n}" for n in range(SHOWN_REFERENCES + 2)]
    test = [example(0, "q", *right), example(1, "q", "right 0")]
    found = changes(made_of(test, [answered(one, "no") for one in test], [answered(one, "right 0") for one in test]))
    many, single = found.wins
    assert [one.text for one in many.references] == right[:SHOWN_REFERENCES] and many.more_references == 2
    assert [one.text for one in single.references] == ["right 0"] and single.more_references == 0


@given(st.lists(st.tuples(*[st.floats(0, 1) | st.just(float("nan"))] * 2), min_size=1, max_size=12), st.booleans())
def test_every_example_has_its_place_in_the_order_of_change(pairs: list[tuple[float, float]], less: bool) -> None:
    test = [example(n, "q", "a") for n in range(len(pairs))]
    data = made_of(test, [answered(one, "a") for one in test], [answered(one, "a") for one in test])
    data = scored(data, [one for one, _ in pairs], [one for _, one in pairs])
    found = cards(less_is_better(data) if less else data)
    assert sorted(one.at for one in found) == list(range(len(pairs)))
    kinds = [one.kind for one in found]
    assert kinds == sorted(kinds, key=list(Kind).index)
    for kind in (Kind.WORSE, Kind.BETTER):
        gains = [(-1 if less else 1) * (pairs[one.at][1] - pairs[one.at][0]) for one in found if one.kind is kind]
        assert all((gain < 0) == (kind is Kind.WORSE) for gain in gains)
        assert gains == sorted(gains, reverse=kind is Kind.BETTER)
    assert all(one.kind is not Kind.SAME or pairs[one.at][0] == pairs[one.at][1] for one in found)


def test_where_an_answer_is_right_or_wrong_a_change_turns_it() -> None:
    found = changes(labels("abab", "aabb", "aaaa"))
    assert [one.change for one in (*found.losses, *found.wins)] == [
        "right before, wrong now",
        "wrong before, right now",
    ]
    html = report_page(labels("abab", "aabb", "aaaa"))
    assert html.index("Lost: right before, wrong now") < html.index("Won: wrong before, right now")


def test_examples_are_held_against_the_champion_if_there_is_one() -> None:
    data = labels("aabb", "abba", "aaaa", champion="bbaa")
    found = changes(data)
    assert [one.place for one in found.losses] == ["test.jsonl:3"]
    assert [one.place for one in found.wins] == ["test.jsonl:1"]
    assert (found.better, found.worse) == (data.comparison.decisive.wins, data.comparison.decisive.losses) == (1, 1)
    assert [said.model for said in found.wins[0].answers] == ["Base", "Tuned", "Champion"]
    text = page_of(data).text
    assert "To 1 of 4 test examples the tuned model's answer is worse than the champion's answer" in text


def test_examples_are_held_against_the_base_model_if_the_champion_could_not_be_evaluated() -> None:
    data = labels("aabb", "abba", "aaaa")
    missing = data.comparison.model_copy(update={"champion_missing": "the champion could not be had: 403"})
    found = changes(replace(data, comparison=missing))
    assert found.against == "the base model"
    assert [one.place for one in (*found.losses, *found.wins)] == ["test.jsonl:2", "test.jsonl:4"]


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=9), st.booleans())
def test_what_the_tuned_model_gets_wrong_can_be_picked(tuned: list[str], less: bool) -> None:
    data = labels("a" * len(tuned), "".join(tuned), "a" * len(tuned))
    data = less_is_better(data) if less else data
    wrong = [n for n, label in enumerate(tuned) if (label == "a") == less]
    assert sorted(one["at"] for one in rows(data) if "tuned model wrong" in one["tags"]) == wrong
    counts = {one.label: one.count for one in changes(data).explorer.kinds}
    assert counts.get("tuned model wrong", 0) == len(wrong)


def test_nothing_is_plainly_wrong_where_the_metric_says_how_good_an_answer_is() -> None:
    data = sample_input()
    scores = data.candidate.result.scores.values()
    assert 0 in [one[data.comparison.primary_metric] for one in scores]
    assert not any("tuned model wrong" in one["tags"] for one in rows(data))


def test_less_is_better_where_the_metric_says_so() -> None:
    test = [example(0, "q", "a"), example(1, "q", "a")]
    data = made_of(test, [answered(one, "a") for one in test], [answered(one, "a") for one in test])
    found = changes(less_is_better(scored(data, [0.25, 0.5], [0.75, 0.25])))
    assert [one.change for one in (*found.losses, *found.wins)] == ["0.5000 worse", "0.2500 better"]
    assert "of which less is better" in report_page(less_is_better(data))


def test_all_examples_can_be_searched_and_filtered() -> None:
    data = sample_input()
    found = changes(data)
    every = rows(data)
    assert sorted(one["at"] for one in every) == list(range(60))
    counts = Counter(tag for one in every for tag in one["tags"])
    assert {one.value: one.count for one in found.explorer.kinds} == counts
    assert (counts["worse"], counts["better"]) == (found.worse, found.better)
    for model, arm in (("base", data.base), ("tuned", data.candidate)):
        assert counts[f"no answer from {model}"] == sum(not one.outcome.has_answer for one in arm.predictions) > 0


def test_the_champions_answers_can_be_searched_when_there_is_one() -> None:
    one = example(0, "q", "a")
    champion = [Prediction(example_id=one.id, outcome=Outcome.TRUNCATED, text="from the champion")]
    data = made_of([one], [answered(one, "b")], [answered(one, "a")], champion=champion)
    (row,) = rows(data)
    assert row["answers"][2]["text"] == "from the champion" and row["answers"][2]["truncated"]
    assert row["tags"] == ["better", "answer cut at the length limit"]
    assert "from the champion" in report_page(data).split("<script")[0]


def test_slices_are_filters_with_their_most_frequent_values_first() -> None:
    values = ["de", "fr", "fr", "<b>"] + [f"rare {n}" for n in range(60)]
    test = [replace(example(n, "q", "a"), slices={"language": value}) for n, value in enumerate(values)]
    said = [answered(one, "a") for one in test]
    data = made_of(test, said, said)
    (column,) = changes(data).explorer.columns
    assert column.name == "language" and len(column.options) == 50
    assert [(one.value, one.count) for one in column.options[:2]] == [("fr", 2), ("de", 1)]
    assert [one["slices"] for one in rows(data)] == [{"language": value} for value in values]
    assert '<option value="&lt;b&gt;">' in report_page(data)


def test_an_answer_that_was_not_kept_is_no_answer() -> None:
    data = sample_input()
    kept = [one for one in data.base.predictions if one.example_id != data.test[3].id]
    row = next(one for one in rows(replace(data, base=replace(data.base, predictions=kept))) if one["at"] == 3)
    assert row["answers"][0]["missing"] == "the answer was not kept" and "no answer from base" in row["tags"]


@pytest.mark.parametrize(("letter", "size"), [("a", 1), ("<", len("\\u003c")), ("\u4e2d", 3)])
def test_texts_are_cut_until_all_fit_and_say_how_long_they_were(letter: str, size: int) -> None:
    test = [example(n, letter * 5000, "short") for n in range(1000)]
    data = made_of(test, [answered(one, "short") for one in test], [answered(one, letter * 5000) for one in test])
    found = changes(data).explorer
    assert found.cut and len(found.data.encode()) <= BUDGET
    row = json.loads(found.data)["examples"][0]
    shown, length = row["prompt"]
    assert shown == row["answers"][1]["text"][0] and length == 5000
    assert 0.75 * BUDGET < 2000 * size * len(shown) < BUDGET
    assert row["references"] == ["short"]


def test_a_text_that_is_cut_on_the_card_is_cut_in_the_data_too() -> None:
    one = example(0, "q", "a")
    found = explorer(cards(made_of([one], [answered(one, "a")], [answered(one, "b" * 5000)])), "F1")
    (row,) = json.loads(found.data)["examples"]
    assert found.cut
    assert row["prompt"] == "q" and row["answers"][1]["text"] == ["b" * 4000, 5000]


def test_nothing_is_cut_in_short_texts() -> None:
    found = changes(sample_input()).explorer
    assert not found.cut and "Long texts are cut" not in report_page(sample_input())
