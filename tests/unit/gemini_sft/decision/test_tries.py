"""Why tries are corrected, by simulation: models that are no better, on test splits of 80 examples."""

import math

import numpy as np
from numpy.typing import NDArray

from gemini_sft.decision.bootstrap import worlds
from gemini_sft.decision.deciding import corrected
from tests.unit.gemini_sft.decision.evaluations import compared

WORLDS = 2000
N, TEAMS, MODELS, CHECKPOINTS = 80, 200, 20, 16
ONCE = 0.025
"""How often a model that is no better lies wholly above zero at 95 %: one end of the two."""


def by_chance(shares: float) -> float:
    """Four standard deviations of such a share of all teams."""
    return 4 * math.sqrt(shares * (1 - shares) / TEAMS)


def changes(models: int, n: int, seed: int) -> NDArray[np.float64]:
    """Returns shape (n, teams, models): each model has its own luck, and the base model's is the same for all."""
    generator = np.random.default_rng(seed)
    return generator.normal(0, 0.3, (n, TEAMS, models)) - generator.normal(0, 0.2, (n, TEAMS, 1))


def promoted(values: NDArray[np.float64], confidence: float) -> NDArray[np.bool_]:
    """Returns which models are shown to be better, of shape (teams, models)."""
    found = worlds(values.reshape(len(values), -1))
    lows = [found.interval(column, confidence)[0] for column in range(found.means.shape[1])]
    return np.array(lows).reshape(values.shape[1:]) > 0


def test_who_tries_often_enough_wins_by_chance_unless_it_is_corrected() -> None:
    tried = changes(MODELS, N, seed=1)
    honest = promoted(tried[:, :, :1], 0.95).any(axis=1).mean()
    uncorrected = promoted(tried, 0.95).any(axis=1).mean()
    # One after the other, as runs are: the first is held to what was asked, each further one to more.
    each = [promoted(tried[:, :, [model]], corrected(0.95, model + 1)) for model in range(MODELS)]
    held = np.concatenate(each, axis=1).any(axis=1).mean()
    assert abs(honest - ONCE) <= by_chance(ONCE)
    assert uncorrected > 0.2, "more than one team in five would promote a model that is no better"
    most = ONCE * math.pi**2 / 6
    assert held <= most + by_chance(most), "however many they are"


def test_a_checkpoint_chosen_on_other_examples_needs_no_correction() -> None:
    """Chosen on validation it is one try of test, and sixteen if it were chosen on test."""
    validation, test = changes(CHECKPOINTS, 40, seed=2), changes(CHECKPOINTS, N, seed=3)
    teams = np.arange(TEAMS)
    chosen, peeked = (test[:, teams, values.mean(axis=0).argmax(axis=1)] for values in (validation, test))
    assert abs(promoted(chosen[:, :, None], 0.95).mean() - ONCE) <= by_chance(ONCE)
    assert promoted(peeked[:, :, None], 0.95).mean() > 0.15


def test_the_verdict_says_so() -> None:
    drawn = np.random.default_rng(4).normal(0.05, 0.2, 100)
    slices = {f"e{row:03d}": {"lang": "de"} for row in range(100)}
    once, often = (compared([0.5] * 100, 0.5 + drawn, tries=tries, slices=slices) for tries in (1, 20))
    assert (once.confidence, often.confidence, often.tries) == (0.95, corrected(0.95, 20), 20)
    assert often.difference.low < once.difference.low and often.difference.high > once.difference.high
    assert {one.confidence for one in often.differences.values()} == {often.confidence}
    assert [one.difference and one.difference.confidence for one in often.slices] == [often.confidence]
    assert not any("of the tuned models that were compared" in reason for reason in once.reasons)
    (said,) = [reason for reason in often.reasons if "of the tuned models that were compared" in reason]
    assert said == (
        "it is number 20 of the tuned models that were compared with what is in use on these examples, so it is held to"
        " 99.9875% instead of 95%"
    )
