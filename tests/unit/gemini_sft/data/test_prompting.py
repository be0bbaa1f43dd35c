from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import whole
from gemini_sft.errors import DataError
from tests.unit.gemini_sft.data.cases.case import chat, contents, jsonl, pair
from tests.unit.gemini_sft.data.preparation import Prepared, prepared

ASK = "What is the capital of Burkina Faso?"
RECORDS = [pair(f"What is {number} times {number}?", str(number * number)) for number in range(40)]
LENIENT = {"policy": {"leak": "warn", "conflict": "warn", "duplicate": "warn"}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(
    train: list[dict[str, Any]],
    prompt: dict[str, Any] | None = None,
    test: tuple[dict[str, Any], ...] = (pair("x"),),
    validation: tuple[dict[str, Any], ...] = (pair("v"),),
    **data: Any,
) -> Prepared:
    for name, records in (("train", train), ("validation", validation), ("test", test)):
        Path(f"{name}.jsonl").write_bytes(jsonl(*records))
    given = {"validation": "validation.jsonl"} | LENIENT | data
    return prepared(Path("out"), "train.jsonl", "test.jsonl", prompt=prompt, data=given)


def drawn(outcome: Prepared) -> list[int]:
    """Returns the lines of train that the few-shot examples came from."""
    assert all(place.startswith("train.jsonl:") for place in outcome.summary.few_shot)
    return [int(place.partition(":")[2]) for place in outcome.summary.few_shot]


def test_few_shot_examples_stand_behind_the_system_instruction_of_every_example() -> None:
    outcome = run(RECORDS, {"few_shot": 2, "system_instruction": "Calculate."})
    first, second = (number - 1 for number in drawn(outcome))
    shown = (
        "Calculate.\n\nHere are some examples:\n\n"
        f"What is {first} times {first}?\nAnswer: {first * first}\n\n"
        f"What is {second} times {second}?\nAnswer: {second * second}"
    )
    assert outcome.summary.system_instruction == shown
    examples = [one for name in ("train", "validation", "test") for one in outcome.split(name)]
    assert {one.system_instruction for one in examples} == {shown}


def test_few_shot_examples_need_no_system_instruction() -> None:
    instruction = run(RECORDS, {"few_shot": 1}).summary.system_instruction
    assert instruction is not None and instruction.startswith("Here are some examples:\n\nWhat is ")


def test_few_shot_examples_are_taken_out_of_train() -> None:
    outcome = run(RECORDS, {"few_shot": 5})
    lines = [one.line for one in outcome.split("train")]
    assert len(set(drawn(outcome))) == 5
    assert sorted(lines + drawn(outcome)) == list(range(1, 41))


def test_examples_with_the_prompt_of_a_few_shot_example_are_taken_out_too() -> None:
    again = [record | {"prompt": record["prompt"].upper(), "completion": "?"} for record in RECORDS]
    outcome = run(RECORDS + again, {"few_shot": 5})
    out = {number for line in drawn(outcome) for number in (line, (line + 39) % 80 + 1)}
    assert {one.line for one in outcome.split("train")} == set(range(1, 81)) - out


def test_few_shot_examples_never_have_a_prompt_of_test_or_validation() -> None:
    spaced = [pair(record["prompt"].replace(" ", "  "), "?") for record in RECORDS]
    outcome = run(RECORDS, {"few_shot": 4}, test=tuple(spaced[:20]), validation=tuple(spaced[20:36]))
    assert sorted(drawn(outcome)) == [37, 38, 39, 40]
    assert "few_shot_leak" not in {rule for rule, _, _ in outcome.told}


@pytest.mark.parametrize("seed", range(5))
def test_few_shot_examples_come_from_train_when_one_source_is_divided(seed: int) -> None:
    Path("train.jsonl").write_bytes(jsonl(*RECORDS))
    outcome = prepared(Path(f"{seed}"), "train.jsonl", None, prompt={"few_shot": 6}, data={"seed": seed})
    elsewhere = {one.line for name in ("validation", "test") for one in outcome.split(name)}
    assert len(elsewhere) == 12 and not elsewhere & set(drawn(outcome))
    assert len(outcome.split("train")) == 22


def test_few_shot_examples_follow_from_the_seed_and_not_from_the_order() -> None:
    usual = run(RECORDS, {"few_shot": 3})
    turned = run(RECORDS[::-1], {"few_shot": 3})
    assert turned.summary.system_instruction == usual.summary.system_instruction
    others = {run(RECORDS, {"few_shot": 3}, seed=seed).summary.system_instruction for seed in range(5)}
    assert len(others) == 5


def test_few_shot_examples_and_instructions_of_their_own_do_not_go_together() -> None:
    with pytest.raises(DataError, match="few_shot") as caught:
        run([chat("a"), chat("b", system="Be kind.")], {"few_shot": 1})
    assert len(caught.value.problems) == 1


def test_a_conversation_can_be_a_few_shot_example() -> None:
    talk = contents(("user", "Hi."), ("model", "Hello."), ("user", "Bye."), ("model", "See you."))
    outcome = run([talk, talk | {"contents": talk["contents"][:2]}], {"few_shot": 1})
    assert outcome.summary.system_instruction == "Here are some examples:\n\nHi.\nHello.\nBye.\nAnswer: See you."


# The fingerprint.


def fingerprint(outcome: Prepared) -> str:
    mark = outcome.summary.fingerprint
    assert len(mark) == 16 and int(mark, 16)
    return mark


def test_the_fingerprint_changes_with_what_stands_around_the_text() -> None:
    prompts: list[dict[str, Any]] = [
        {},
        {"system_instruction": "Calculate."},
        {"system_instruction": "Calculate"},
        {"template": "{prompt}"},
        {"template": "Question: {prompt}"},
        {"system_instruction": "Calculate.", "template": "Question: {prompt}"},
        {"few_shot": 1},
        {"few_shot": 2},
        {"few_shot": 2, "system_instruction": "Calculate."},
    ]
    marks = [fingerprint(run(RECORDS, prompt)) for prompt in prompts]
    assert len(set(marks)) == len(prompts)


@pytest.mark.parametrize("prompt", [{}, {"system_instruction": "Calculate."}, {"few_shot": 3}])
def test_the_fingerprint_does_not_change_with_the_order_of_the_data(prompt: dict[str, Any]) -> None:
    assert fingerprint(run(RECORDS[::-1], prompt)) == fingerprint(run(RECORDS, prompt))


def test_the_fingerprint_does_not_change_with_the_data() -> None:
    prompt = {"system_instruction": "Calculate."}
    assert fingerprint(run(RECORDS[:7], prompt)) == fingerprint(run(RECORDS, prompt, test=(pair("y"), pair("z"))))


def test_the_fingerprint_is_the_same_whether_the_instruction_stands_in_the_records_or_the_experiment() -> None:
    told = [chat("a", system="Be kind."), chat("b", system="Be kind.")]
    own = run(told, test=(chat("x", system="Be kind."),), validation=(chat("v", system="Be kind."),))
    given = run([chat("a"), chat("b")], {"system_instruction": "Be kind."}, test=(chat("x"),), validation=(chat("v"),))
    assert fingerprint(own) == fingerprint(given)
    assert own.split("test") == given.split("test")


def test_the_fingerprint_is_stored_with_every_split() -> None:
    outcome = run(RECORDS)
    stored = {content for name, content in outcome.written.items() if name.endswith("prompt.json")}
    assert len(stored) == 1 and fingerprint(outcome).encode() in stored.pop()


# Test prompts that stand in an instruction.


def told_in_advance(instruction: str, *tests: str) -> list[str]:
    outcome = run(RECORDS, {"system_instruction": instruction}, test=tuple(pair(one) for one in tests))
    assert all(rule == "few_shot_leak" for rule, _, _ in outcome.told)
    return [place for _, place, _ in outcome.told]


def test_a_test_prompt_in_the_instruction_is_found_in_other_letters() -> None:
    assert told_in_advance(f"An example.\n\n{ASK.upper()}\n  Ouagadougou", "y", ASK.replace(" ", "\n")) == [
        "test.jsonl:2"
    ]


def test_a_test_prompt_is_found_in_an_instruction_that_is_hardly_longer() -> None:
    assert told_in_advance(f"Like: {ASK}", ASK) == ["test.jsonl:1"]


def test_a_short_prompt_may_stand_in_an_instruction_by_chance() -> None:
    assert told_in_advance("Answer the question: yes or no, and nothing else, please.", "yes or no") == []


def test_a_prompt_of_train_may_stand_in_the_instruction() -> None:
    assert told_in_advance("Such as: What is 3 times 3? 9. And what is 4 times 4? That is 16.", ASK) == []


def test_few_shot_examples_are_not_almost_a_prompt_of_test() -> None:
    story = (
        "In 1874 a company of engineers began to build the lighthouse, and for eleven years they carried its stones. "
    )
    told = [pair(story * 2 + "Who carried the stones?", "Engineers."), *RECORDS[:2]]
    outcome = run(told, {"few_shot": 2}, test=(pair(story * 2 + "Who carried these stones?", "They."),))
    assert [rule for rule, _, _ in outcome.told] == ["near_leak"]
    assert sorted(drawn(outcome)) == [2, 3]


def test_more_few_shot_examples_than_there_are() -> None:
    with pytest.raises(DataError, match="asks for 3 examples"):
        run(RECORDS[:2], {"few_shot": 3})
