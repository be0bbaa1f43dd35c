"""The judge, asked with the real SDK."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Journal, Outcome, Prediction, Service
from gemini_sft.judging import Choice, Grades, Judgement, Winner, judge
from gemini_sft.judging.pair import Reason
from tests.unit.gemini_sft.inference.fake_gemini import BASE, Gemini, answered, examples, refused
from tests.unit.gemini_sft.judging.conftest import between, longer, says

NONE = ""


def experiment(model: str = "gemini-2.5-flash", **judging: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "demo",
            "task": "summarization",
            "base_model": "gemini-2.5-flash",
            "data": {"train": "t.jsonl", "test": "t.jsonl"},
            "evaluation": {"judge": {"model": model, **judging}},
        }
    )


def predictions(texts: Sequence[str]) -> list[Prediction]:
    return [
        Prediction(example_id=f"e{number}", outcome=Outcome.ANSWERED if text else Outcome.BLOCKED, text=text)
        for number, text in enumerate(texts)
    ]


def judged(
    base: Sequence[str],
    candidate: Sequence[str],
    journal: Path | None = None,
    model: str = "gemini-2.5-flash",
    **how: Any,
) -> Judgement:
    return judge(
        Service("p", "us-central1", model),
        experiment(model, **how),
        examples(len(base)),
        predictions(base),
        predictions(candidate),
        Journal(str(journal), "run") if journal else None,
    )


def test_the_longer_answer_wins_in_both_orders(gemini: Gemini) -> None:
    gemini.answer = says(longer)
    result = judged(["no", "long answer", "same"], ["long answer", "no", "size"])
    assert [one.winner for one in result.pairs] == [Winner.CANDIDATE, Winner.BASE, Winner.TIE]
    assert [one.example_id for one in result.pairs] == ["e0", "e1", "e2"]
    counts = result.tally
    assert (counts.wins, counts.ties, counts.losses, counts.win_rate, counts.n) == (1, 1, 1, 0.5, 3)
    assert (counts.judged, counts.position_bias, counts.unreadable) == (3, 0, 0)
    assert (result.model, result.served_by, result.failures) == ("gemini-2.5-flash", "fake-1", {})
    assert len(gemini.calls) == 6 and {path for path, _ in gemini.calls} == {BASE}
    assert Judgement.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(("place", "counted"), [("A", (4, 0)), ("B", (0, 4))])
def test_a_judge_that_goes_by_the_place_finds_nothing_but_ties(
    gemini: Gemini, place: str, counted: tuple[int, int]
) -> None:
    gemini.answer = says(lambda _: place)
    result = judged(["x"] * 4, ["yy"] * 4)
    counts = result.tally
    assert (counts.wins, counts.ties, counts.losses, counts.win_rate) == (0, 4, 0, 0.5)
    assert (counts.first_place, counts.second_place) == counted and counts.position_bias == 1
    assert {one.reason for one in result.pairs} == {Reason.DISAGREED}


def test_nobody_is_asked_where_there_is_nothing_to_compare(gemini: Gemini) -> None:
    result = judged(["same", NONE, "x", NONE], [" same\n", "y", NONE, NONE])
    assert [one.winner for one in result.pairs] == [Winner.TIE, Winner.CANDIDATE, Winner.BASE, Winner.TIE]
    counts = result.tally
    assert (counts.identical, counts.missing, counts.judged, counts.n, counts.win_rate) == (1, 3, 0, 4, 0.5)
    assert counts.position_bias is None and not gemini.calls and "position_bias" not in result.summary()


def test_a_verdict_that_cannot_be_read_leaves_its_pair_out(gemini: Gemini, caplog: pytest.LogCaptureFixture) -> None:
    def choose(answers: list[str]) -> str:
        return "A, I think" if answers == ["c7", "b7"] else longer(answers)

    gemini.answer = says(choose)
    result = judged([f"b{number}" for number in range(10)], [f"c{number}" for number in range(10)])
    counts = result.tally
    assert (counts.unreadable, counts.n, counts.ties, counts.win_rate) == (1, 9, 9, 0.5)
    (left_out,) = (one for one in result.pairs if one.winner is None)
    assert (left_out.example_id, left_out.reason) == ("e7", Reason.UNREADABLE)
    assert (left_out.base_first, left_out.candidate_first) == (Choice.TIE, None)
    assert result.failures == {"none of the choices": 1}
    assert "gave no verdict on 1 of 10 pairs: 1 x none of the choices" in caplog.text


def test_too_many_of_them_and_there_is_no_rate(gemini: Gemini, caplog: pytest.LogCaptureFixture) -> None:
    gemini.answer = says(lambda answers: "?" if answers[0] in ("b0", "c1") else longer(answers))
    result = judged(
        [f"b{number}" for number in range(10)], [f"cc{number}" if number != 1 else "c1" for number in range(10)]
    )
    assert (result.tally.unreadable, result.tally.wins, result.tally.win_rate) == (2, 8, None)
    assert "on 2 of 10 pairs, too many for a win rate" in caplog.text and "win_rate" not in result.summary()


def test_blocked_verdicts_are_counted_by_their_reason(gemini: Gemini) -> None:
    async def blocked(question: str, attempt: int) -> Response:
        return JSONResponse({"promptFeedback": {"blockReason": "SAFETY"}})

    gemini.answer = blocked
    assert judged(["a"], ["b"]).failures == {"blocked SAFETY": 2}


def test_a_judge_that_may_not_be_asked_fails_nothing_and_is_not_asked_for_long(
    gemini: Gemini, caplog: pytest.LogCaptureFixture
) -> None:
    async def forbidden(question: str, attempt: int) -> Response:
        return refused(403, "PERMISSION_DENIED")

    gemini.answer = forbidden
    with caplog.at_level(logging.WARNING):
        result = judged(["a"] * 200 + ["same"], ["b"] * 200 + ["same"], pointwise=True)
    assert (result.tally.unreadable, result.tally.n, result.tally.win_rate) == (200, 1, None)
    assert result.base_grades == Grades(mean=None, n=0, missing=0, unreadable=201)
    assert len(gemini.calls) < 300 and "PERMISSION_DENIED" in caplog.text


def test_a_judge_that_only_writes_prose_is_asked_to_the_end(gemini: Gemini) -> None:
    """As docs/evaluation.md says; what it is paid for is the quote's, and no rate is made of it."""
    gemini.answer = says(lambda _: "Both have their merits.")
    result = judged([f"b{number}" for number in range(30)], ["c"] * 30)
    assert len(gemini.calls) == 60 and result.failures == {"none of the choices": 60}
    assert (result.tally.unreadable, result.tally.n, result.tally.win_rate) == (30, 0, None)


def test_nothing_of_what_the_service_says_is_told_but_class_and_status(
    gemini: Gemini, caplog: pytest.LogCaptureFixture
) -> None:
    async def repeats_the_prompt(question: str, attempt: int) -> Response:
        error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "the secret row is not allowed"}
        return JSONResponse({"error": error}, 400)

    gemini.answer = repeats_the_prompt
    result = judged(["a"], ["the secret row"])
    assert result.failures == {"ClientError 400 INVALID_ARGUMENT": 2}
    assert "2 x ClientError 400 INVALID_ARGUMENT" in caplog.text and "secret" not in caplog.text
    assert "secret" not in result.model_dump_json()


def test_a_second_attempt_asks_for_the_rest(gemini: Gemini, tmp_path: Path) -> None:
    gemini.answer = says(lambda answers: longer(answers) if answers[0] == "long answer" else "")
    first = judged(["a", "b"], ["long answer"] * 2, tmp_path / "journal")
    assert first.tally.unreadable == 2 and len(gemini.calls) == 4
    kept = judged(["a", "b"], ["long answer"] * 2, tmp_path / "journal")
    assert kept == first and len(gemini.calls) == 4, "an empty verdict is an answer too"
    judged(["a", "b"], ["long answer", "another"], tmp_path / "journal")
    assert len(gemini.calls) == 6, "another answer is another question"


def test_an_error_is_asked_for_again(gemini: Gemini, tmp_path: Path) -> None:
    async def no_room_for_some(question: str, attempt: int) -> Response:
        first = between("answer-A", question)[0]
        return refused(400, "INVALID_ARGUMENT") if first == "b0" and attempt == 1 else answered("TIE")

    gemini.answer = no_room_for_some
    texts = [f"b{number}" for number in range(10)], [f"c{number}" for number in range(10)]
    assert judged(*texts, tmp_path / "journal").tally.unreadable == 1
    assert judged(*texts, tmp_path / "journal").tally.unreadable == 0
    assert len(gemini.calls) == 21


def test_grades(gemini: Gemini) -> None:
    gemini.answer = says(lambda answers: longer(answers) if len(answers) == 2 else str(len(answers[0])))
    result = judged(["aaaa", "bb", "ccc", NONE], ["aaaaa", "bb", NONE, "ddd"], pointwise=True)
    assert [(one.base_grade, one.candidate_grade) for one in result.pairs] == [(4, 5), (2, 2), (3, None), (None, 3)]
    assert result.base_grades == Grades(mean=10 / 4, n=4, missing=1, unreadable=0)
    assert result.candidate_grades == Grades(mean=11 / 4, n=4, missing=1, unreadable=0)
    assert len(gemini.calls) == 2 + 5, "of two identical answers one"
    assert result.summary()["candidate_grade"] == 11 / 4


def test_comparisons_and_grades_are_kept(gemini: Gemini, tmp_path: Path) -> None:
    gemini.answer = says(lambda answers: longer(answers) if len(answers) == 2 else "3")
    texts = [f"b{number}" for number in range(60)], [f"cc{number}" for number in range(60)]
    first = judged(*texts, tmp_path / "journal", pointwise=True)
    assert first.candidate_grades and first.candidate_grades.n == 60 and first.tally.wins == 60
    assert judged(*texts, tmp_path / "journal", pointwise=True) == first and len(gemini.calls) == 240


def test_answers_to_other_examples_are_not_compared() -> None:
    with pytest.raises(EvaluationError, match=r"^the judge was to compare answers to different examples$"):
        judge(Service("p", "l", "m"), experiment(), examples(2), predictions("ab"), predictions("abc")[1:])


def test_grades_are_not_asked_for_unless_wanted(gemini: Gemini) -> None:
    gemini.answer = says(longer)
    result = judged(["a"], ["b"])
    assert result.base_grades is result.candidate_grades is None and len(gemini.calls) == 2


def test_a_grade_that_is_none_is_counted(gemini: Gemini) -> None:
    gemini.answer = says(lambda answers: "TIE" if len(answers) == 2 else "6" if answers[0] == "b3" else "5")
    result = judged([f"b{number}" for number in range(10)], ["x"] * 10, pointwise=True)
    assert result.base_grades == Grades(mean=5, n=9, missing=0, unreadable=1)
    assert result.tally.win_rate == 0.5, "which takes nothing from the comparisons"
