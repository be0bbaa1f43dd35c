from collections.abc import Sequence
from typing import Any

import pytest

from gemini_sft.decision import Comparison, Verdict, few_shot_arm, judged, worth
from gemini_sft.decision.comparison import PerRequest
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.judging import Choice, Judgement, tally
from gemini_sft.judging.pair import judged as pair_of
from tests.unit.gemini_sft.decision.evaluations import compared, evaluation, evidence


def with_arm(
    base: Sequence[float], few_shot: Sequence[float], candidate: Sequence[float], tokens: int = 0, **more: Any
) -> Comparison:
    predictions = {
        "base": [],
        "few_shot": [answered(prompt_tokens=tokens)],
        "candidate": [answered(prompt_tokens=tokens // 4)],
    }
    made = compared(base, candidate, **more)
    arm = few_shot_arm(5, evaluation(few_shot), evidence(base, candidate, **more), 0.95, predictions)
    return made.model_copy(update={"few_shot": arm})


def answered(**counts: int) -> Prediction:
    return Prediction(example_id="e", outcome=Outcome.ANSWERED, text="x", **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("few_shot", "candidate", "change", "reading"),
    [
        (0.25, 0.75, "gains 0.5000", "tuning is better"),
        (0.75, 0.5, "loses 0.2500", "the examples are better"),
        (0.5, 0.5, "changes 0.0000", "these 12 test examples cannot tell which is better"),
    ],
)
def test_was_it_worth_it(few_shot: float, candidate: float, change: str, reading: str) -> None:
    made = with_arm([0.125] * 12, [few_shot] * 12, [candidate] * 12)
    low = f"{candidate - few_shot:+.4f}"
    assert worth(made) == (
        f"With 5 examples in its prompt, the base model scores {few_shot:.4f} in rougeL_f (0.1250 without); tuning"
        f" {change} over that, 95% interval [{low}, {low}]: {reading}."
    )
    assert made.verdict is Verdict.PROMOTE, "which the control arm has no say in"
    assert made.few_shot and made.few_shot.differences.keys() == made.differences.keys()
    assert made.few_shot.differences["rouge2_f"].mean == candidate - few_shot


@pytest.mark.parametrize("gains", [[0.5, -0.25] * 6, [0.5] * 9])
def test_what_cannot_be_told_is_not_told(gains: list[float]) -> None:
    n = len(gains)
    said = worth(with_arm([0.0] * n, [0.25] * n, [0.25 + gain for gain in gains]))
    assert said.endswith(f": these {n} test examples cannot tell which is better.")


def test_nor_from_one() -> None:
    assert worth(with_arm([0.0], [0.25], [0.5])).endswith(": this 1 test example cannot tell which is better.")


def test_nor_from_few_groups() -> None:
    scores = [0.0] * 36, [0.25] * 36, [0.75] * 36
    few, enough = ({f"e{row:03d}": str(row // size) for row in range(36)} for size in (4, 3))
    assert worth(with_arm(*scores, clusters=few)).endswith(": these 36 test examples cannot tell which is better.")
    assert worth(with_arm(*scores, clusters=enough)).endswith(": tuning is better.")


@pytest.mark.parametrize(
    ("candidate", "change", "reading"),
    [(0.25, "-0.2500", "tuning is better"), (0.75, "+0.2500", "the examples are better")],
)
def test_where_less_is_better(candidate: float, change: str, reading: str) -> None:
    said = worth(with_arm([1.0] * 12, [0.5] * 12, [candidate] * 12, lower_is_better=["rougeL_f"]))
    span = f"[{candidate - 0.5:+.4f}, {candidate - 0.5:+.4f}]"
    assert said.endswith(f"; tuning changes that by {change} (less is better), 95% interval {span}: {reading}.")


def test_a_score_that_is_no_number() -> None:
    said = worth(with_arm([0.0] * 12, [0.0] * 12, [float("nan")] * 12))
    assert said.endswith("; what tuning gains over that could not be computed for every example.")


def test_prompts_are_compared_if_they_were_counted() -> None:
    said = worth(with_arm([0.0] * 12, [0.0] * 12, [1.0] * 12, tokens=4000))
    assert said.endswith(" A prompt has 4,000 tokens with the examples in it and 1,000 for the tuned model.")
    assert "A prompt" not in worth(with_arm([0.0] * 12, [0.0] * 12, [1.0] * 12))


def test_tokens_are_those_of_the_requests_that_were_answered() -> None:
    failed = Prediction(example_id="e", outcome=Outcome.ERROR)
    some = [answered(prompt_tokens=10, output_tokens=2, thought_tokens=3), answered(prompt_tokens=20), failed]
    predictions = {"base": some, "few_shot": [failed]}
    arm = few_shot_arm(1, evaluation([0.5]), evidence([0.5], [0.5]), 0.95, predictions)
    assert arm.tokens == {"base": PerRequest(prompt=15, answer=2.5)}


def test_without_the_arm_nothing_is_said() -> None:
    assert worth(compared([0.5], [0.5])) == ""


def judgement(wins: int, losses: int, unreadable: int = 0) -> Judgement:
    first, second = Choice.FIRST, Choice.SECOND
    pairs = [pair_of("e", second, first)] * wins + [pair_of("e", first, second)] * losses
    pairs += [pair_of("e", None, first)] * unreadable
    return Judgement(
        model="gemini-2.5-pro", served_by="", criteria="", tally=tally(pairs), base_grades=None, candidate_grades=None,
        failures={}, pairs=pairs,
    )  # fmt: skip


def test_the_win_rate_has_an_interval() -> None:
    made = judged(judgement(20, 10), 0.9)
    assert made.low is not None and made.high is not None and made.low < 2 / 3 < made.high and made.confidence == 0.9
    assert judged(judgement(30, 0), 0.9).low == 1
    assert "Win rate, a tie counting as half: 66.7% of 30, 90% interval [" in made.words


def test_pairs_that_belong_together_count_as_one() -> None:
    """Twenty groups of three, in each of which the judge said the same three times."""
    alone, repeated = judgement(12, 8), judgement(36, 24)
    pairs = [one.model_copy(update={"example_id": f"e{row:03d}"}) for row, one in enumerate(repeated.pairs)]
    repeated = repeated.model_copy(update={"pairs": pairs[::-1]})
    groups = {f"e{row:03d}": str(row // 3) for row in range(60)}
    together, apart, of_each = judged(repeated, 0.9, groups), judged(repeated, 0.9), judged(alone, 0.9)
    assert (together.low, together.high) == (of_each.low, of_each.high)
    assert together.low is not None and apart.low is not None and together.low < apart.low
    assert judged(repeated, 0.9, {one: str(int(one[1:]) // 7) for one in groups}).low is None


def test_but_not_from_a_handful_of_pairs() -> None:
    made = judged(judgement(5, 4), 0.9)
    assert made.low is made.high is None and "interval" not in made.words and "55.6% of 9." in made.words


def test_there_is_none_without_a_win_rate() -> None:
    made = judged(judgement(20, 10, unreadable=10), 0.9)
    assert made.low is None and "Win rate" not in made.words
    assert made.words.endswith(" 10 of 40 are left out, without two readable verdicts: too many for a win rate.")


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (8, 0, " It prefers the first place in 8 of 20 pairs, whatever stands there: do not rely on it."),
        (4, 3, " It prefers the first place in 4 and the second place in 3 of 20 pairs, whatever"),
        (3, 3, None),
    ],
)
def test_a_judge_that_goes_by_the_place_is_not_to_be_relied_on(first: int, second: int, said: str | None) -> None:
    one, other = Choice.FIRST, Choice.SECOND
    pairs = [pair_of("e", one, one)] * first + [pair_of("e", other, other)] * second
    pairs += [pair_of("e", other, one)] * (20 - len(pairs))
    words = judged(judgement(0, 0).model_copy(update={"pairs": pairs, "tally": tally(pairs)}), 0.9).words
    assert (said in words) if said else ("rely" not in words)


def test_why_verdicts_are_missing_reaches_the_words() -> None:
    made = judged(judgement(20, 10, unreadable=10).model_copy(update={"failures": {"blocked SAFETY": 10}}), 0.9)
    assert made.words.endswith(": too many for a win rate (of all its requests 10 × blocked SAFETY).")
