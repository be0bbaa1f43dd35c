import json
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import preparing, whole
from tests.unit.gemini_sft.data.cases.case import chat, jsonl, pair
from tests.unit.gemini_sft.data.preparation import Prepared, prepared

STORY = (
    "In the autumn of 1874 a company of Norwegian engineers began to build the lighthouse on the northern cape, and "
    "for eleven years they carried every stone of it up the cliff with a small steam winch and four tired horses."
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(train: bytes, test: bytes | None = None, validation: bytes | None = None, **data: Any) -> Prepared:
    given = data
    for name, content in (("train", train), ("test", test or jsonl(pair("x"))), ("validation", validation)):
        if content is not None:
            Path(f"{name}.jsonl").write_bytes(content)
    if validation is not None:
        given = {"validation": "validation.jsonl"} | data
    return prepared(Path("out"), "train.jsonl", "test.jsonl", data=given)


def found(outcome: Prepared, *rules: str) -> list[tuple[str, str]]:
    """Returns the places of the findings of some rules, sorted, and what they are said to be."""
    return [(place, what) for rule, place, what in outcome.told if rule in rules]


def test_the_first_of_equal_examples_is_kept_wherever_the_others_are() -> None:
    for name in ("a", "b"):
        Path(f"{name}.jsonl").write_bytes(jsonl(pair("same"), pair(name)))
    Path("test.jsonl").write_bytes(jsonl(pair("x")))
    outcome = prepared(Path("out"), ["a.jsonl", "b.jsonl"], "test.jsonl")
    assert found(outcome, "duplicate") == [("b.jsonl:1", "is a.jsonl:1 again")]
    assert [(one.source, one.line) for one in outcome.split("train")] == [
        ("a.jsonl", 1),
        ("a.jsonl", 2),
        ("b.jsonl", 2),
    ]


def test_another_system_instruction_makes_another_example() -> None:
    outcome = run(jsonl(chat("a", system="Be kind."), chat("a", system="Be brief.")))
    assert found(outcome, "duplicate", "conflict") == []
    assert len(outcome.split("train")) == 2


def test_an_example_that_is_dropped_leads_to_no_other_finding() -> None:
    outcome = run(jsonl(pair("a"), pair("a", "no"), pair("A", "perhaps")), policy={"conflict": "drop"})
    assert [place for _, place, _ in outcome.told] == ["train.jsonl:2", "train.jsonl:3"]
    leaked = run(jsonl(pair("a"), pair("b")), jsonl(pair("b")), jsonl(pair("b"), pair("v")), policy={"leak": "drop"})
    assert found(leaked, "leak") == [
        ("train.jsonl:2", "has the prompt of test.jsonl:1 in test"),
        ("validation.jsonl:1", "has the prompt of test.jsonl:1 in test"),
    ]
    assert [one.line for one in leaked.split("train")] == [1]
    assert [one.line for one in leaked.split("validation")] == [2]
    assert [one.line for one in leaked.split("test")] == [1]


def test_punctuation_makes_another_prompt() -> None:
    assert run(jsonl(pair("3-1"), pair("31", "no")), jsonl(pair("3.1"))).told == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("STRASSE", "straße"), ("ﬁne", "fine"), ("caf\u00e9", "cafe\u0301"), ("a\u00a0b", "a b"), ("１２", "12")],
)
def test_the_same_prompt_in_other_letters_is_a_leak(one: str, other: str) -> None:
    assert found(run(jsonl(pair(one)), jsonl(pair(other))), "leak") == [
        ("train.jsonl:1", "has the prompt of test.jsonl:1 in test")
    ]


@pytest.mark.parametrize(("pages", "alike"), [((1, 1), []), ((1, 2), ["train.jsonl:2"])])
def test_examples_of_one_group_may_be_alike(pages: tuple[int, int], alike: list[str]) -> None:
    train = [pair(f"{STORY} Question {number}?", page=page) for number, page in enumerate(pages)]
    outcome = run(jsonl(*train), jsonl(pair("x", page=9)), group="page")
    assert [place for place, _ in found(outcome, "near_duplicate")] == alike


def test_a_group_that_is_empty_is_no_group() -> None:
    Path("train.csv").write_bytes(b"prompt,completion,page\na,yes,\nb,no,\n")
    Path("test.csv").write_bytes(b"prompt,completion,page\nx,yes,\n")
    outcome = prepared(Path("out"), "train.csv", "test.csv", data={"group": "page"})
    assert outcome.told == []
    assert [one.group for one in outcome.split("train")] == [None, None]


def test_groups_of_conversations_come_along() -> None:
    outcome = run(jsonl(chat("a") | {"page": 1}, chat("b") | {"page": 2}), jsonl(chat("x") | {"page": 3}), group="page")
    assert outcome.told == []
    assert [one.group for one in outcome.split("train")] == ["1", "2"]


def test_what_was_searched_for_near_duplicates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "NEAR_EXAMPLES", 1)
    outcome = run(jsonl(pair(STORY), pair(f"{STORY}!")), jsonl(pair("x")))
    assert outcome.summary.near_duplicates_among == 1
    assert found(outcome, "near_duplicate") == []


def test_an_answer_to_the_same_conversation_is_a_conflict() -> None:
    told = json.loads(json.dumps(chat("Hi.", "Hello.")))
    longer = {"messages": [*told["messages"], *chat("Bye.", "See you.")["messages"]]}
    other = {"messages": [*told["messages"], *chat("Bye.", "No.")["messages"]]}
    outcome = run(jsonl(told, longer, other))
    assert found(outcome, "conflict") == [("train.jsonl:3", "has the prompt of train.jsonl:2, and another target")]


def conversation(*texts: str) -> dict[str, Any]:
    roles = ("user", "model")
    return {"messages": [{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)]}


def test_a_conversation_that_begins_with_a_test_prompt_leaks() -> None:
    train = jsonl(conversation("Why?", "So.", "And then?", "Nothing."), conversation("Who?", "He."))
    outcome = run(train, jsonl(conversation("why ?", "Because.")), policy={"leak": "drop"})
    assert found(outcome, "leak") == [("train.jsonl:1", "begins with the prompt of test.jsonl:1 in test")]
    assert [one.prompt_text for one in outcome.split("train")] == ["Who?"]


def test_a_test_conversation_may_begin_like_one_of_train_that_goes_elsewhere() -> None:
    outcome = run(jsonl(conversation("Hello", "Hello!", "Why?", "So.")), jsonl(conversation("Why?", "So.")))
    assert found(outcome, "leak") == []


def test_answers_that_are_right_besides_make_another_example() -> None:
    rows = [{"context": "c", "question": "q", "answers": answers} for answers in (["1887"], ["1887", "in 1887"])]
    Path("train.jsonl").write_bytes(jsonl(pair("a")))
    Path("test.jsonl").write_bytes(jsonl(*rows))
    outcome = prepared(Path("out"), "train.jsonl", "test.jsonl", task="question_answering")
    assert found(outcome, "duplicate") == []
    assert [one.references for one in outcome.split("test")] == [("1887",), ("1887", "in 1887")]


@pytest.mark.parametrize("spaced", [True, False])
def test_a_key_that_stands_twice_in_a_plain_line_is_seen_whatever_its_length(spaced: bool) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    good = json.dumps(conversation("Is it?", "Yes."), separators=separators)
    for more in range(40):
        twice = good.replace('"content"', f'"content"{separators[1]}"{"x" * more}"{separators[0]}"content"', 1)
        outcome = run(f"{good}\n{twice}\n".encode(), policy={"duplicate": "warn"})
        assert found(outcome, "duplicate_key"), more


def test_a_number_that_is_too_long_is_refused_and_not_rounded() -> None:
    call = {"functionCall": {"name": "f", "args": {"id": 123456789012345678901234}}}
    turns = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [call]}]
    outcome = run(jsonl({"contents": turns, "tools": [{"functionDeclarations": [{"name": "f"}]}]}))
    said = "is nested too deeply, or holds a number that is too long"
    assert found(outcome, "json") == [("train.jsonl:1", said)]


def test_more_variants_than_twenty_of_a_test_prompt_are_found() -> None:
    words = [f"word{number * 7919 % 9973}" for number in range(120)]
    train = [" ".join([*words[:number], "strange", *words[number + 1 :]]) for number in range(30)]
    test = jsonl(pair(" ".join(words)))
    outcome = run(jsonl(*(pair(text, str(number)) for number, text in enumerate(train))), test)
    assert len(found(outcome, "near_leak")) == 30


def test_the_fingerprint_does_not_see_what_is_left_out() -> None:
    def mark(*records: dict[str, Any]) -> str:
        return run(
            jsonl(*records), jsonl(chat("x", system="Be kind.")), policy={"duplicate": "drop"}
        ).summary.fingerprint

    kind = [chat(text, system="Be kind.") for text in "ab"]
    assert mark(*kind) == mark(*kind, kind[0]) != mark(*kind, chat("c", system="Be brief."))
