import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import Bill, Quote, Reconciliation, SplitCount, quote, reconcile
from tests.unit.gemini_sft.cost.test_budget import SAMPLED
from tests.unit.gemini_sft.cost.test_quote import TEST, TRAIN, experiment, quoted


def bill(tokens: int, epochs: int | None = 10, trial: str = "", *, adopted: bool = False) -> Bill:
    return Bill(trial=trial, tokens=tokens, epochs=epochs, adopted=adopted)


def sweep(*epochs: int, train: SplitCount = TRAIN, model: str = "gemini-2.5-flash") -> Quote:
    trials = {"trials": [{"epochs": one} for one in epochs]}
    return quote(experiment(model, sweep=trials), "us-central1", train, TEST)


def test_a_quote_that_was_right() -> None:
    assert reconcile(quoted(), [bill(1_200_000)]) == Reconciliation(
        quoted_tokens=1_200_000,
        billed_tokens=1_200_000,
        drift=0.0,
        quoted_usd=60.0,
        billed_usd=60.0,
        new_usd=60.0,
        unexpected=False,
        words="1,200,000 tokens an epoch were quoted and 1,200,000 billed (+0.0%): tuning was quoted at 60.00 USD and"
        " costs 60.00 USD by the service's count.",
    )


@pytest.mark.parametrize(
    ("billed", "unexpected"), [(1_224_000, False), (1_224_001, True), (1_176_000, False), (1_175_999, True)]
)
def test_two_in_a_hundred_are_let_pass(billed: int, unexpected: bool) -> None:
    found = reconcile(quoted(), [bill(billed)])
    assert found.unexpected is unexpected is ("The difference is more than counting explains." in found.words)
    assert found.drift == pytest.approx(billed / 1_200_000 - 1)


@pytest.mark.parametrize(("billed", "unexpected"), [(10_250_000, False), (10_250_001, True), (9_749_999, True)])
def test_and_what_the_sample_leaves_open(billed: int, unexpected: bool) -> None:
    assert reconcile(quoted(train=SAMPLED), [bill(billed)]).unexpected is unexpected


def test_epochs_as_they_were_run() -> None:
    found = reconcile(quoted(epochs=None), [bill(1_260_000, 4)])
    assert found.quoted_usd == pytest.approx(1.2 * 20 * 5) and found.billed_usd == pytest.approx(1.26 * 4 * 5)
    assert found.drift == pytest.approx(0.05)
    assert "(+5.0%), in 4 epochs instead of 20: tuning was quoted at 120.00 USD and costs 25.20 USD" in found.words
    assert "in 1 epoch instead" in reconcile(quoted(), [bill(1_260_000, 1)]).words
    assert reconcile(quoted(), [bill(1_260_000, None)]).billed_usd == pytest.approx(1.26 * 10 * 5)


def test_a_price_that_is_not_known() -> None:
    found = reconcile(quoted("gemini-3.5-flash-lite"), [bill(1_000_000)])
    assert found.quoted_usd is None and found.billed_usd is None and found.unexpected
    assert "USD" not in found.words and "-16.7%" in found.words
    found = reconcile(sweep(2, 4, model="gemini-3.5-flash-lite"), [bill(1_000_000, 2, "epochs=2")])
    assert found.quoted_usd is None and found.billed_usd is None


def test_a_service_that_does_not_say() -> None:
    found = reconcile(quoted(), [bill(0)])
    assert (found.billed_tokens, found.drift, found.billed_usd, found.unexpected) == (None, None, None, False)
    assert found.quoted_usd == 60.0 and found.words == (
        "1,200,000 tokens an epoch were quoted; Vertex AI did not say how many it billed."
    )


def test_one_trial_of_a_sweep_alone() -> None:
    found = reconcile(sweep(2, 4), [bill(1_200_000, 4, "epochs=4")])
    assert (found.quoted_tokens, found.quoted_usd, found.billed_usd) == (1_200_000, 24.0, 24.0)
    assert found.words.startswith(
        "1,200,000 tokens an epoch were quoted and 1,200,000 billed (+0.0%): tuning was quoted"
    )
    found = reconcile(sweep(2, 4), [bill(1_200_000, 3, "epochs=4")])
    assert ", in 3 epochs instead of 4:" in found.words and found.billed_usd == pytest.approx(18)
    assert reconcile(sweep(2, 4), [bill(1_200_000, None, "epochs=4")]).billed_usd == pytest.approx(24)


def test_a_sweep_as_a_whole() -> None:
    quote = sweep(2, 4, 6)
    found = reconcile(quote, [bill(1_212_000, one, f"epochs={one}") for one in (2, 4, 6)])
    assert (found.quoted_tokens, found.billed_tokens, found.unexpected) == (3_600_000, 3_636_000, False)
    assert (found.drift, found.quoted_usd, found.billed_usd) == pytest.approx((0.01, 72, 72.72))
    assert found.words == (
        "3 jobs: 1,200,000 tokens an epoch were quoted for each and 1,212,000 billed (+1.0%): tuning was quoted at"
        " 72.00 USD and costs 72.72 USD by the service's count."
    )


def test_jobs_that_were_billed_differently() -> None:
    bills = [bill(1_200_000, 1, "epochs=2"), bill(1_300_000, 4, "epochs=4"), bill(0, 6, "epochs=6")]
    found = reconcile(sweep(2, 4, 6), bills)
    assert found.words == (
        "2 jobs: 1,200,000 tokens an epoch were quoted for each and 1,200,000 to 1,300,000 billed (+4.2%), in 5 epochs"
        " instead of 6: tuning was quoted at 36.00 USD and costs 32.00 USD by the service's count. The difference of 1"
        " job is more than counting explains. Of 1 other job, Vertex AI did not say how many tokens it billed."
    )
    assert (found.quoted_tokens, found.billed_tokens) == (2_400_000, 2_500_000) and found.unexpected


def test_what_balances_out_is_found_all_the_same() -> None:
    found = reconcile(sweep(2, 4), [bill(1_100_000, 2, "epochs=2"), bill(1_300_000, 4, "epochs=4")])
    assert found.drift == 0 and found.unexpected
    assert found.words.endswith(" The difference is more than counting explains.")


def test_a_sweep_of_which_nothing_is_said() -> None:
    found = reconcile(sweep(2, 4), [bill(0, 2, "epochs=2"), bill(0, None, "epochs=4")])
    assert (found.quoted_tokens, found.billed_tokens, found.quoted_usd) == (2_400_000, None, 36.0)
    assert found.words == (
        "2 jobs: 1,200,000 tokens an epoch were quoted for each; Vertex AI did not say how many it billed."
    )
    assert reconcile(sweep(2, 4), []).words.startswith("0 jobs: ")


class TestJobsThatWereThereAlready:
    def found(self, *adopted: bool, tokens: int = 1_200_000, model: str = "gemini-2.5-flash") -> Reconciliation:
        epochs = range(1, len(adopted) + 1)
        bills = [bill(tokens, n, f"epochs={n}", adopted=one) for n, one in zip(epochs, adopted, strict=True)]
        return reconcile(sweep(*epochs, model=model), bills)

    def test_one_is_not_paid_for_again(self) -> None:
        found = reconcile(quoted(), [bill(1_200_000, adopted=True)])
        assert found.words.endswith(
            "costs 60.00 USD by the service's count. The job was made before and is not paid for again."
        )
        assert (found.billed_usd, found.new_usd) == (60.0, 0.0) and found.summary()["new_usd"] == 0

    def test_some_of_a_sweep(self) -> None:
        found = self.found(True, True, False, True)
        assert found.new_usd == pytest.approx(18) and found.billed_usd == pytest.approx(60)
        assert found.words.endswith(
            " 3 of the 4 jobs were made before and are not paid for again: this run pays 18.00 USD."
        )
        assert " 1 of the 2 jobs was made before and is not paid for again: " in self.found(True, False).words

    def test_all_of_a_sweep(self) -> None:
        found = self.found(True, True)
        assert found.words.endswith(" All 2 jobs were made before and are not paid for again.") and found.new_usd == 0

    def test_what_is_paid_for_the_others_may_not_be_known(self) -> None:
        for found in (self.found(True, False, tokens=0), self.found(True, False, model="gemini-3.5-flash-lite")):
            assert found.new_usd is None and "new_usd" not in found.summary()
            assert found.words.endswith(" 1 of the 2 jobs was made before and is not paid for again.")
        assert self.found(False, True, tokens=0).words.count("paid for again") == 1

    def test_without_any_nothing_is_said(self) -> None:
        found = self.found(False, False)
        assert "paid" not in found.words and found.new_usd == found.billed_usd


BILLS = st.lists(st.tuples(st.integers(0, 3_000_000), st.none() | st.integers(1, 20)), min_size=1, max_size=6)


@given(BILLS)
def test_all_trials_together_agree_with_each(made: list[tuple[int, int | None]]) -> None:
    quote = sweep(*range(1, len(made) + 1))
    bills = [bill(tokens, epochs, f"epochs={number}") for number, (tokens, epochs) in enumerate(made, start=1)]
    together, each = reconcile(quote, bills), [reconcile(quote, [one]) for one in bills]
    said = [one for one in each if one.billed_tokens]
    held = said or each
    assert together.quoted_tokens == sum(one.quoted_tokens for one in held)
    assert together.quoted_usd == pytest.approx(sum(one.quoted_usd or 0 for one in held))
    assert (together.billed_tokens or 0) == sum(one.billed_tokens or 0 for one in each)
    assert (together.billed_usd or 0) == pytest.approx(sum(one.billed_usd or 0 for one in each))
    assert together.unexpected == any(one.unexpected for one in each)
    assert (together.drift is None) == (not said)
    if said:
        drifts = [one.drift or 0 for one in said]
        assert together.drift == pytest.approx(sum(drifts) / len(drifts))
        assert min(drifts) - 1e-9 <= (together.drift or 0) <= max(drifts) + 1e-9
