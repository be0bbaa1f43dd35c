import pytest

from gemini_sft.cost import Reconciliation, reconcile
from tests.unit.gemini_sft.cost.test_budget import SAMPLED
from tests.unit.gemini_sft.cost.test_quote import quoted


def test_a_quote_that_was_right() -> None:
    assert reconcile(quoted(), 1_200_000, 10) == Reconciliation(
        quoted_tokens=1_200_000,
        billed_tokens=1_200_000,
        drift=0.0,
        quoted_usd=60.0,
        billed_usd=60.0,
        unexpected=False,
        words="1,200,000 tokens an epoch were quoted and 1,200,000 billed (+0.0%): tuning was quoted at 60.00 USD and"
        " costs 60.00 USD by the service's count.",
    )


@pytest.mark.parametrize(
    ("billed", "unexpected"), [(1_224_000, False), (1_224_001, True), (1_176_000, False), (1_175_999, True)]
)
def test_two_in_a_hundred_are_let_pass(billed: int, unexpected: bool) -> None:
    found = reconcile(quoted(), billed, 10)
    assert found.unexpected is unexpected is ("more than counting explains" in found.words)
    assert found.drift == pytest.approx(billed / 1_200_000 - 1)


@pytest.mark.parametrize(("billed", "unexpected"), [(10_250_000, False), (10_250_001, True), (9_749_999, True)])
def test_and_what_the_sample_leaves_open(billed: int, unexpected: bool) -> None:
    assert reconcile(quoted(train=SAMPLED), billed, 10).unexpected is unexpected


def test_epochs_as_they_were_run() -> None:
    found = reconcile(quoted(epochs=None), 1_260_000, 4)
    assert found.quoted_usd == pytest.approx(1.2 * 20 * 5) and found.billed_usd == pytest.approx(1.26 * 4 * 5)
    assert found.drift == pytest.approx(0.05)
    assert "(+5.0%), in 4 epochs instead of 20: tuning was quoted at 120.00 USD and costs 25.20 USD" in found.words
    assert reconcile(quoted(), 1_260_000, None).billed_usd == pytest.approx(1.26 * 10 * 5)


def test_a_price_that_is_not_known() -> None:
    found = reconcile(quoted("gemini-3.5-flash-lite"), 1_000_000, 10)
    assert found.quoted_usd is None and found.billed_usd is None and found.unexpected
    assert "USD" not in found.words and "-16.7%" in found.words


def test_a_service_that_does_not_say() -> None:
    found = reconcile(quoted(), 0, 10)
    assert (found.billed_tokens, found.drift, found.billed_usd, found.unexpected) == (None, None, None, False)
    assert found.quoted_usd == 60.0 and found.words.endswith("Vertex AI did not say how many it billed.")
