"""Answers, limits and files."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.toys import Training, articles, fit, intents, questions, user
from vertex_emulator.standin import Record, Settings, StandIn, complete, tokens
from vertex_emulator.standin.answering import render
from vertex_emulator.standin.candidates import LABELLED

BASE = StandIn.base()
STORY = user("The sea was calm.\nA boat lay on the beach.\nNobody was there.\n\nSummarize the text:")


def test_the_base_answers_questions_with_the_nearest_sentence() -> None:
    answer = BASE.answer(
        "", user("Context: Rain is wet. The Tiber flows through Rome.\nQuestion: What flows through Rome?")
    )
    assert answer == "The Tiber flows through Rome."


def test_the_base_summarizes_in_whole_sentences() -> None:
    record = articles(1, seed=4)[0]
    answer = BASE.answer("", record.turns)
    sentences = [sentence.text for sentence in BASE.read("", record.turns).sentences]
    assert sum(sentence in answer for sentence in sentences) > 1
    for sentence in sentences:
        answer = answer.replace(sentence, "")
    assert answer.strip() == ""


def test_the_base_summarizes_from_the_start() -> None:
    for record in articles(5, seed=4):
        sentences = [sentence.text for sentence in BASE.read("", record.turns).sentences]
        assert BASE.answer("", record.turns).startswith(sentences[0])
        assert len(BASE.answer("", record.turns).split()) <= 60


def test_nothing_is_said_twice() -> None:
    text = "The old red bridge fell.\nThe old red bridge fell down.\nNobody was hurt that day."
    assert BASE.answer("", user(text)) == "The old red bridge fell. Nobody was hurt that day."


def test_a_speaker_is_named_once_in_a_row() -> None:
    page = BASE.read("", user("Ann: It rains. We stay.\nBob: Fine.\nAnn: Good."))
    found = BASE.find(page)
    labelled = np.flatnonzero(found.kinds == LABELLED).tolist()
    assert render(found, labelled[::-1]) == "Ann: It rains. We stay. Bob: Fine. Ann: Good."


@pytest.mark.parametrize("kind", ["base", "questions", "intents"])
def test_a_loaded_model_answers_as_the_saved_one(
    kind: str, tmp_path: Path, question_training: Training, intent_training: Training
) -> None:
    model = {"base": BASE, "questions": question_training.model, "intents": intent_training.model}[kind]
    model.save(tmp_path / "model.npz")
    loaded = StandIn.load(tmp_path / "model.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]
    records = [*questions(10, seed=9), *intents(10, seed=9, place="prompt"), *articles(3, seed=9)]
    for record in records:
        assert loaded.answer(record.system, record.turns) == model.answer(record.system, record.turns)
    assert loaded.habit == model.habit
    assert loaded.memory == model.memory
    assert loaded.boilerplate == model.boilerplate
    assert loaded.vocabulary.numbers == model.vocabulary.numbers
    for name, array in loaded.adapter.parameters().items():
        assert np.array_equal(array, model.adapter.parameters()[name])


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        BASE.save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.npz is not a stand-in model"):
        StandIn.load(path)
    with pytest.raises(FileNotFoundError):
        StandIn.load(tmp_path / "missing.npz")


def test_without_limits_the_answer_is_whole() -> None:
    completion = complete(BASE, "Be brief.", STORY, max_output_tokens=None, stop_sequences=[])
    assert completion.text == BASE.answer("Be brief.", STORY)
    assert completion.finish_reason == "STOP"
    assert completion.prompt_tokens == tokens.count("Be brief.") + tokens.count(STORY[0][1])
    assert completion.output_tokens == tokens.count(completion.text)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 40))
def test_a_longer_answer_is_cut_to_exactly_the_limit(limit: int) -> None:
    whole = BASE.answer("", STORY)
    completion = complete(BASE, "", STORY, max_output_tokens=limit, stop_sequences=[])
    assert completion.output_tokens == tokens.count(completion.text) == min(limit, tokens.count(whole))
    assert completion.finish_reason == ("STOP" if limit >= tokens.count(whole) else "MAX_TOKENS")
    assert whole.startswith(completion.text)


def test_the_first_stop_sequence_ends_the_answer() -> None:
    stops = ["beach", "was", "", "absent"]
    completion = complete(BASE, "", STORY, max_output_tokens=None, stop_sequences=stops)
    assert completion.text == "The sea "
    assert completion.finish_reason == "STOP"
    assert completion.output_tokens == tokens.count("The sea ")


def test_the_limit_counts_what_is_left_before_the_stop_sequence() -> None:
    stopped = complete(BASE, "", STORY, max_output_tokens=2, stop_sequences=[" was"])
    assert (stopped.text, stopped.finish_reason) == ("The sea", "STOP")
    cut = complete(BASE, "", STORY, max_output_tokens=1, stop_sequences=[" was"])
    assert (cut.text, cut.finish_reason) == ("The", "MAX_TOKENS")


HOSTILE = [
    "",
    " \n\n ",
    "Answer:",
    "🙂" * 2000,
    "x" * 20_000,
    "word " * 4000,
    "no end, " * 2500,
    ". " * 10_000,
    "a: " * 6000,
    "[" * 10_000 + ", ]" * 3000,
    "A. " * 6000,
    "classes: " + "a, " * 6000,
    "what " * 4000,
    "\x00\ud800\u202e",
    "日本語の文章です。次の文です。",
    "- a\n" * 2000,
    "one of " + " " * 19_000 + "a or b",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_prompts_are_answered_in_time(text: str, intent_training: Training) -> None:
    targets = [f"Weekday: {day}." for day in ("Monday", "Tuesday", "Friday")]
    records = [Record("", user(f"We came on {target[9:]}"), target) for target in targets * 4]
    framed = fit(records, Settings(1, 1.0, 2)).model
    assert framed.frame
    started = time.process_time()
    for model in (BASE, intent_training.model, framed):
        for system, turns in ((text, user(text)), ("", (("user", text), ("model", text), ("user", "Why?")))):
            assert isinstance(model.answer(system, turns), str)
    assert time.process_time() - started < 4
    assert BASE.answer("", ()) == ""


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_answered(system: str, text: str) -> None:
    assert isinstance(BASE.answer(system, user(text)), str)
