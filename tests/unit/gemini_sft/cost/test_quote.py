from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.catalog import catalog
from gemini_sft.cost import Quote, SplitCount, TokenCount, quote
from gemini_sft.cost.words import usd
from gemini_sft.experiment import Experiment


def experiment(model: str = "gemini-2.5-flash", epochs: int | None = 10, **sections: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "demo",
            "task": "summarization",
            "base_model": model,
            "data": {"train": "t.jsonl", "test": "t.jsonl"},
        }
        | sections
        | {"tuning": {"epochs": epochs} | sections.get("tuning", {})}
    )


def tokens(number: int, examples: int = 100, counted: int = 0, error: int = 0) -> TokenCount:
    return TokenCount(examples=examples, counted=counted or examples, tokens=number, error=error)


def counted(
    prompts: TokenCount, answers: TokenCount, too_long: Sequence[str] = (), conversations: int = 0
) -> SplitCount:
    total = TokenCount(
        examples=prompts.examples,
        counted=prompts.counted,
        tokens=prompts.tokens + answers.tokens,
        error=prompts.error + answers.error,
    )
    return SplitCount(
        total=total, prompts=prompts, answers=answers, too_long=list(too_long), conversations=conversations
    )


TRAIN = counted(tokens(1_000_000), tokens(200_000))
TEST = counted(tokens(300_000, 50), tokens(60_000, 50))
VALIDATION = counted(tokens(100_000, 20), tokens(20_000, 20))


def quoted(
    model: str = "gemini-2.5-flash",
    epochs: int | None = 10,
    location: str = "us-central1",
    train: SplitCount = TRAIN,
    test: SplitCount = TEST,
) -> Quote:
    return quote(experiment(model, epochs), location, train, test)


def test_the_arithmetic() -> None:
    made = quoted()
    assert [line.what for line in made.lines] == [
        "tuning",
        "evaluation of the base model",
        "evaluation of the tuned model",
    ]
    tuning, base, tuned = made.lines
    assert (tuning.tokens, tuning.output_tokens) == (12_000_000, 0)
    assert tuning.usd == pytest.approx(1.2 * 10 * 5.00)
    assert (base.tokens, base.output_tokens) == (300_000, 60_000)
    assert base.usd == tuned.usd == pytest.approx(0.3 * 0.30 + 0.06 * 2.50)
    assert made.usd == made.known_usd == pytest.approx(60 + 2 * 0.24)
    assert made.error_usd == 0 and made.currency == "USD"
    assert (made.model, made.epochs, made.epochs_assumed) == ("gemini-2.5-flash", 10, False)
    assert made.train == TRAIN.total and made.trials == {} and made.brief == made.lines
    assert made.price_date == date(2026, 11, 22)


def test_the_words_say_how_it_was_reckoned() -> None:
    tuning, base, _ = quoted("gemini-3.1-flash-lite").lines
    assert tuning.how == "1,200,000 tokens x 10 epochs at 3.00 USD per 1M"
    assert base.how == "300,000 tokens sent at 0.275 USD per 1M, 60,000 tokens answered at 1.65 USD per 1M"
    assert quoted("gemini-3.5-flash", 1).lines[0].how == "1,200,000 tokens x 1 epoch at 10.00 USD per 1M"


def test_outside_global_models_of_the_third_generation_cost_a_tenth_more_to_ask() -> None:
    region, everywhere = quoted("gemini-3.5-flash"), quoted("gemini-3.5-flash", location="global")
    plain = 0.3 * 1.50 + 0.06 * 9.00
    for line, other in zip(region.lines[1:], everywhere.lines[1:], strict=True):
        assert line.usd == pytest.approx(plain * 1.1) and other.usd == pytest.approx(plain)
    assert region.lines[0].usd == everywhere.lines[0].usd == pytest.approx(120)
    assert quoted(location="global").usd == quoted().usd, "not those of the second"


def test_sampling_errors_become_money() -> None:
    train = counted(tokens(9_000_000, 50_000, 1000, error=40_000), tokens(1_000_000, 50_000, 1000, error=10_000))
    test = counted(tokens(300_000, 9000, 1000, error=3000), tokens(60_000, 9000, 1000, error=600))
    made = quoted(train=train, test=test)
    assert made.lines[0].error_usd == pytest.approx(0.05 * 10 * 5.00)
    assert made.lines[1].error_usd == pytest.approx((3000 * 0.30 + 600 * 2.50) / 1e6)
    assert made.error_usd == pytest.approx(2.5 + 2 * 0.0024)
    assert made.lines[0].how.startswith("10,000,000 tokens (±50,000) x 10 epochs")
    assert "Of 50,000 training examples, 1,000 drawn at random were counted." in made.notes
    assert "Of 9,000 test examples, 1,000 drawn at random were counted." in made.notes
    assert not any("drawn at random" in note for note in quoted().notes)


def test_a_price_that_is_not_known_leaves_the_others() -> None:
    made = quoted("gemini-3.5-flash-lite")
    assert made.usd is None and made.lines[0].usd is None and made.lines[0].error_usd == 0
    assert made.lines[0].how == "1,200,000 tokens x 10 epochs at an unknown price"
    assert made.known_usd == pytest.approx(2 * (0.3 * 0.33 + 0.06 * 2.75))
    assert "What tuning costs with gemini-3.5-flash-lite is not known, and is not in the amount." in made.notes
    assert "usd" not in made.summary() and made.summary()["known_usd"] == made.known_usd
    assert not any("not known" in note for note in quoted().notes)


def test_a_model_without_any_price(monkeypatch: pytest.MonkeyPatch) -> None:
    model = catalog().models["gemini-2.5-pro"]
    monkeypatch.setitem(catalog().models, "gemini-2.5-pro", model.model_copy(update={"price": None}))
    made = quoted("gemini-2.5-pro")
    assert made.usd is None and made.known_usd == 0 and made.price_date is None


@pytest.mark.parametrize(("examples", "epochs"), [(1, 20), (999, 20), (1000, 10), (10**6, 10)])
def test_epochs_that_are_left_to_the_service_are_assumed_and_said(examples: int, epochs: int) -> None:
    train = counted(tokens(500_000, examples), tokens(0, examples))
    made = quoted(epochs=None, train=train)
    assert (made.epochs, made.epochs_assumed) == (epochs, True)
    assert made.lines[0].tokens == 500_000 * epochs
    (note,) = [note for note in made.notes if "tuning.epochs is not set" in note]
    assert f"{epochs} epochs are assumed" in note and "2025-01-07" in note and f"{examples:,} examples" in note
    assert not any("tuning.epochs" in note for note in quoted(train=train).notes)


def test_what_may_make_it_dearer_is_said() -> None:
    train = counted(tokens(10), tokens(5), too_long=[f"e{number}" for number in range(7)], conversations=40)
    notes = " ".join(quoted(train=train).notes)
    assert "7 of the 100 training examples counted have more than 131,072 tokens" in notes
    assert "bill them: e0, e1, e2, e3, e4 and 2 more." in notes
    assert "40 of the 100 training examples counted have several turns of the model" in notes
    plain = " ".join(quoted().notes)
    assert "131,072" not in plain and "several turns" not in plain
    assert "as long as their targets" in plain and "Validation examples are taken to cost nothing in training" in plain


def test_a_quote_survives_being_written() -> None:
    made = quoted("gemini-3.5-flash-lite", epochs=None)
    assert Quote.model_validate_json(made.model_dump_json()) == made


def test_numbers_for_metrics() -> None:
    made = quoted()
    assert made.summary() == {
        "usd": made.usd,
        "known_usd": made.usd,
        "error_usd": 0,
        "train_tokens": 1_200_000,
        "train_examples": 100,
        "tuning_jobs": 1,
        "epochs": 10,
    }


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0.00 USD"),
        (0.00001, "0.0001 USD"),
        (0.0031, "0.0031 USD"),
        (0.07, "0.0700 USD"),
        (1, "1.00 USD"),
        (10.001, "10.01 USD"),
        (1.1, "1.10 USD"),
        (12345.678, "12,345.68 USD"),
    ],
)
def test_money_is_rounded_up(amount: float, said: str) -> None:
    assert usd(amount) == said


@given(st.integers(0, 10**9), st.integers(1, 99), st.sampled_from(["gemini-2.5-pro", "gemini-3.5-flash"]))
def test_the_sum_is_that_of_the_lines_and_grows_with_the_epochs(number: int, epochs: int, model: str) -> None:
    train = counted(tokens(number), tokens(1))
    made, more = quoted(model, epochs, train=train), quoted(model, epochs + 1, train=train)
    assert made.usd == pytest.approx(sum(line.usd or 0 for line in made.lines))
    assert made.usd is not None and more.usd is not None and more.usd > made.usd
    assert more.lines[1:] == made.lines[1:]
