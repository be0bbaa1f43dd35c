"""What the trials of a sweep and the evaluation of checkpoints add to a quote."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import Quote, SplitCount, asks_validation, quote
from gemini_sft.cost.words import usd
from tests.unit.gemini_sft.cost.test_quote import TEST, TRAIN, VALIDATION, counted, experiment, tokens

ONE_CHECKPOINT = (100_000 * 0.30 + 20_000 * 2.50) / 1e6
"""USD for the whole validation split."""
EXAMPLE = [((15_328, 64), (2_700, 64)), ((8_302, 35), (1_506, 35))]
"""Of shipped data: tokens and examples of the prompts and the answers, in test and validation."""
CHOICES = st.sampled_from(["metric", "loss", "last"])
TRIALS = st.lists(
    st.fixed_dictionaries({"epochs": st.integers(1, 30)}, optional={"adapter_size": st.sampled_from([1, 2, 4, 8])}),
    min_size=1,
    max_size=6,
    unique_by=lambda one: (one["epochs"], one.get("adapter_size")),
)


def quoted(
    epochs: int | None = 10,
    validation: SplitCount | None = VALIDATION,
    model: str = "gemini-2.5-flash",
    train: SplitCount = TRAIN,
    **sections: Any,
) -> Quote:
    return quote(experiment(model, epochs, **sections), "us-central1", train, TEST, validation=validation)


def names(made: Quote) -> list[str]:
    """The lines before those of the test split."""
    return [line.what for line in made.lines[:-2]]


def asked(made: Quote) -> list[str]:
    return [name for name in names(made) if "checkpoint" in name]


@pytest.mark.parametrize(
    ("epochs", "choice", "number"),
    [
        (1, "metric", None),
        (2, "metric", 2),
        (10, "metric", 10),
        (11, "metric", 10),
        (100, "metric", 10),
        (None, "metric", 10),
        (10, "loss", None),
        (10, "last", None),
    ],
)
def test_the_checkpoints_of_a_job_are_asked_if_there_is_a_choice(
    epochs: int | None, choice: str, number: int | None
) -> None:
    made = quoted(epochs, tuning={"checkpoint": choice})
    assert names(made) == ["tuning"] + [f"evaluation of {number} checkpoints on validation"] * bool(number)
    assert asks_validation(experiment(epochs=epochs, tuning={"checkpoint": choice}), 100) == bool(number)
    assert not asked(quoted(epochs, None, tuning={"checkpoint": choice})), "nobody can be asked no examples"


def test_what_a_checkpoint_costs() -> None:
    line = quoted(3).lines[1]
    assert (line.what, line.tokens, line.output_tokens) == (
        "evaluation of 3 checkpoints on validation",
        300_000,
        60_000,
    )
    assert line.usd == pytest.approx(3 * ONE_CHECKPOINT) and line.error_usd == 0
    assert line.how == (
        "3 checkpoints x (100,000 tokens sent at 0.30 USD per 1M, 20,000 tokens answered at 2.50 USD per 1M)"
    )
    sampled = counted(tokens(100_000, 9000, 1000, error=1000), tokens(20_000, 9000, 1000, error=200))
    made = quoted(3, sampled)
    assert made.lines[1].error_usd == pytest.approx(3 * (1000 * 0.30 + 200 * 2.50) / 1e6)
    assert "Of 9,000 validation examples, 1,000 drawn at random were counted." in made.notes


def test_no_batch_job_asks_a_checkpoint() -> None:
    batch = quoted(3, evaluation={"backend": "batch"})
    assert batch.lines[1] == quoted(3).lines[1]
    assert any("So are checkpoints, which batch jobs cannot ask one by one." in note for note in batch.notes)
    batch = quoted(3, evaluation={"backend": "batch"}, tuning={"checkpoint": "last"})
    assert not any("checkpoint" in note for note in batch.notes)
    batch = quoted(3, None, evaluation={"backend": "batch"})
    assert not any("checkpoint" in note for note in batch.notes)


def test_a_model_that_must_think_does_so_at_every_checkpoint() -> None:
    assert quoted(3, model="gemini-2.5-pro").lines[1].output_tokens == 3 * (20_000 + 20 * 128)


@pytest.mark.parametrize("choice", ["metric", "loss", "last"])
def test_evaluation_inside_tuning_costs_what_a_batch_job_does(choice: str) -> None:
    made = quoted(20, tuning={"checkpoint": choice, "evaluation": ["bleu", "rouge"]})
    line = made.line("evaluation of 10 checkpoints inside tuning")
    assert line.usd == pytest.approx(10 * ONE_CHECKPOINT / 2) and line.how.startswith("10 checkpoints x (100,000 ")
    assert quoted(1, tuning={"evaluation": ["bleu"]}).lines[1].what == "evaluation of 1 checkpoint inside tuning"
    assert len(quoted(20, None, tuning={"evaluation": ["bleu"]}).lines) == 3
    assert asks_validation(experiment(epochs=1, tuning={"evaluation": ["bleu"]}), 100)


def test_a_sweep_is_quoted_whole() -> None:
    made = quoted(sweep={"grid": {"epochs": [2, 4], "adapter_size": [4, 8]}}, tuning={"evaluation": ["bleu"]})
    assert names(made) == [
        "tuning, epochs=2 adapter_size=4",
        "tuning, epochs=2 adapter_size=8",
        "tuning, epochs=4 adapter_size=4",
        "tuning, epochs=4 adapter_size=8",
        "evaluation of 12 checkpoints inside tuning",
        "evaluation of 12 checkpoints on validation",
    ]
    assert made.trials == {
        "epochs=2 adapter_size=4": 2,
        "epochs=2 adapter_size=8": 2,
        "epochs=4 adapter_size=4": 4,
        "epochs=4 adapter_size=8": 4,
    }
    assert (made.epochs, made.epochs_assumed) == (12, False)
    assert [line.tokens for line in made.lines[:4]] == [2_400_000, 2_400_000, 4_800_000, 4_800_000]
    assert made.lines[5].how.startswith("12 checkpoints of 4 jobs x (100,000 tokens sent")
    assert made.usd == pytest.approx(1.2 * 12 * 5.00 + 12 * 1.5 * ONE_CHECKPOINT + 2 * 0.24)
    assert made.summary()["tuning_jobs"] == 4 and made.summary()["epochs"] == 12
    assert made.notes[0] == (
        "The sweep is quoted whole: each of its 4 trials is a tuning job. Only the best is asked the test split."
    )
    assert Quote.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(("choice", "number"), [("metric", 1 + 10), ("last", 2), ("loss", None)])
def test_trials_are_compared_by_what_the_checkpoint_is_chosen_by(choice: str, number: int | None) -> None:
    made = quoted(sweep={"grid": {"epochs": [1, 40]}}, tuning={"checkpoint": choice})
    assert asked(made) == [f"evaluation of {number} checkpoints on validation"] * bool(number)
    assert asks_validation(experiment(sweep={"grid": {"epochs": [1]}}, tuning={"checkpoint": choice}), 100) == bool(
        number
    )


def test_trials_in_brief() -> None:
    made = quoted(sweep={"trials": [{"epochs": number} for number in range(1, 21)]})
    tuning, *others = made.brief
    assert (tuning.what, tuning.tokens) == ("tuning in 20 jobs", 210 * 1_200_000)
    assert tuning.usd == pytest.approx(sum(line.usd or 0 for line in made.lines[:20]))
    assert tuning.how == "1,200,000 tokens x 210 epochs at 5.00 USD per 1M"
    assert others == made.lines[20:]


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([{"adapter_size": 1}, {"adapter_size": 2}], "20 epochs are assumed for each of the 2 trials, the upper end"),
        ([{"adapter_size": 1}, {"epochs": 2}, {}], "20 epochs are assumed for 2 of the 3 trials, the upper end"),
        ([{"adapter_size": 1}], "20 epochs are assumed, the upper end"),
    ],
)
def test_of_how_many_trials_the_epochs_are_assumed(trials: list[dict[str, int]], said: str) -> None:
    made = quoted(None, sweep={"trials": trials})
    assert made.epochs_assumed and said in " ".join(made.notes)
    assert made.epochs == sum(one.get("epochs", 20) for one in trials)
    assert not quoted(None, sweep={"grid": {"epochs": [1, 2]}}).epochs_assumed


def test_a_sweep_whose_price_is_not_known_says_so_once() -> None:
    made = quoted(model="gemini-3.5-flash-lite", sweep={"grid": {"epochs": [1, 2]}})
    assert (
        "What tuning in 2 jobs costs with gemini-3.5-flash-lite is not known, and is not in the amount." in made.notes
    )
    assert made.usd is None and made.brief[0].usd is None


def test_the_worked_example_of_the_page_on_costs() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "costs.md").read_text("utf-8")
    wanted = experiment("gemini-3.1-flash-lite", None, sweep={"grid": {"epochs": [2, 4], "adapter_size": [4, 8]}})
    train = counted(tokens(38_000, 170), tokens(8_138, 170))
    test, validation = (counted(tokens(*prompts), tokens(*answers)) for prompts, answers in EXAMPLE)
    made = quote(wanted, "us-central1", train, test, validation=validation)
    shown = [f"{line.what}  {usd(line.usd or 0).removesuffix(' USD')}  {line.how}" for line in made.lines]
    said = [" ".join(line.split()) for line in page.splitlines()]
    for line in [*shown, f"together {usd(made.usd or 0).removesuffix(' USD')}"]:
        assert " ".join(line.split()) in said
    assert f"{made.epochs} times, at {usd((made.brief[0].usd or 0) / made.epochs)} each" in page
    assert f"ask one costs {usd((made.brief[1].usd or 0) / 12)}." in " ".join(said)


@given(TRIALS, CHOICES, st.booleans())
def test_a_sweep_costs_what_its_trials_do_alone(trials: list[dict[str, int]], choice: str, inside: bool) -> None:
    settings = {"checkpoint": choice, "evaluation": ["bleu"] if inside else []}
    whole = quoted(sweep={"trials": trials}, tuning=settings)
    alone = [quoted(sweep={"trials": [one]}, tuning=settings) for one in trials]
    shared = quoted(validation=None).lines[1:]
    evaluations = sum(line.usd or 0 for line in shared)
    assert whole.lines[-2:] == shared
    assert whole.usd == pytest.approx(sum((one.usd or 0) - evaluations for one in alone) + evaluations)
    assert whole.lines[: len(trials)] == [one.lines[0] for one in alone]
    assert sum(line.usd or 0 for line in whole.brief) == pytest.approx(whole.usd)


@given(TRIALS, CHOICES, st.booleans())
def test_another_trial_is_never_for_nothing(trials: list[dict[str, int]], choice: str, inside: bool) -> None:
    settings = {"checkpoint": choice, "evaluation": ["bleu"] if inside else []}
    fewer, more = (
        quoted(sweep={"trials": some}, tuning=settings) for some in (trials, [*trials, {"epochs": 1, "attempt": 2}])
    )
    assert (more.usd or 0) >= (fewer.usd or 0) + 1.2 * 5 * 0.999 and more.epochs == fewer.epochs + 1


@given(st.integers(1, 99), CHOICES, st.booleans())
def test_another_epoch_is_never_for_nothing(epochs: int, choice: str, swept: bool) -> None:
    sections = [_with_epochs(number, choice, swept) for number in (epochs, epochs + 1)]
    fewer, more = (quoted(**one) for one in sections)
    assert (more.usd or 0) > (fewer.usd or 0)
    assert asks_validation(experiment(**sections[0]), 100) == bool(asked(fewer)), "what is counted is in the quote"


def _with_epochs(epochs: int, choice: str, swept: bool) -> dict[str, Any]:
    sections: dict[str, Any] = {"tuning": {"epochs": epochs, "checkpoint": choice}}
    return sections | ({"sweep": {"grid": {"epochs": [epochs]}}} if swept else {})
