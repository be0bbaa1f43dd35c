"""A move that is killed or loses an answer at any of its calls: one model is in use, and doing it again finishes it."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gemini_sft import vertex
from gemini_sft.errors import RunError, ServiceError
from gemini_sft.release import Champions, Rollback, promote, rollback
from gemini_sft.tuning import default
from tests.contract.release.conftest import Faults, Team
from vertex_emulator.environment import LOCATION, PROJECT

CALLS = [("POST", number) for number in range(1, 6)] + [("PATCH", number) for number in range(1, 4)]
"""What a promotion asks for: evaluation, `previous`, `champion` and twice tidying; checkpoint, labels, `promoted`."""
LOOKED_AFTER = (("POST", 1), ("POST", 4), ("POST", 5))
"""Those that must not be made twice, so that it is looked whether they were made."""


def end(method: str, number: int, served: bool) -> dict[str, Any]:
    """A rule that ends whoever makes the n-th call of a kind, before or after it was served."""
    return {"path": "/models/", "method": method, "every": number, "times": 1, "status": 403, "served": served}


def dies(act: Callable[[], object]) -> bool:
    """Does something that may be ended by such a rule, and returns whether it was."""
    try:
        act()
    except ServiceError as error:
        assert "403" in str(error)
        return True
    return False


def in_use(team: Team) -> tuple[str, str, str]:
    """Returns an experiment's previous champion, its champion, and a model that shall follow."""
    first, second = team.model(promoted="20260101t000000-000000"), team.model(promoted="20260102t000000-000000")
    team.give(first, "previous")
    team.give(second, "champion")
    return first, second, team.model()


def evaluations(model: str) -> int:
    return len(list(vertex.listed(f"{model}/evaluations", LOCATION, "modelEvaluations")))


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_promotion_is_killed_at_any_call(team: Team, faults: Faults, call: tuple[str, int], served: bool) -> None:
    first, old, new = in_use(team)
    faults(end(*call, served))
    died = dies(lambda: promote(team.promotion(new, old)))
    faults()
    assert died or (served and call in LOOKED_AFTER)
    # By the third POST, and nothing else, it comes into use.
    moved = not died or call in (("POST", 4), ("POST", 5)) or (served and call == ("POST", 3))
    assert team.standing() == ((new, old) if moved else (old, first))
    assert promote(team.promotion(new, old)) == Champions(new, old)
    assert team.aliases() == {old: {"previous"}, new: {"champion"}}
    assert evaluations(new) == 1


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("call", [("POST", 1), ("POST", 2), ("POST", 3), ("POST", 4), ("PATCH", 1)], ids=str)
def test_a_rollback_is_killed_at_any_call(team: Team, faults: Faults, call: tuple[str, int], served: bool) -> None:
    """`previous`, `champion` and twice tidying; `promoted`. Whoever starts it again wants one rollback, not two."""
    first, second, _ = in_use(team)
    faults(end(*call, served))
    died = dies(lambda: rollback(PROJECT, LOCATION, team.name))
    faults()
    assert died or (served and call in (("POST", 3), ("POST", 4)))
    moved = call in (("POST", 3), ("POST", 4)) or (served and call == ("POST", 2))
    assert team.standing() == ((first, second) if moved else (second, first))
    if died:
        done = rollback(PROJECT, LOCATION, team.name)
        assert done == Rollback(first if moved else second, first, second)
    assert team.aliases() == {first: {"champion"}, second: {"previous"}}


def test_a_rollback_that_was_killed_leaves_no_trace_in_the_next_promotion(team: Team, faults: Faults) -> None:
    """It has labelled the previous champion as the latest, and then did not move: that one is still not the next."""
    _, second, third = in_use(team)
    faults(end("PATCH", 1, served=True))
    assert dies(lambda: rollback(PROJECT, LOCATION, team.name))
    faults()
    assert promote(team.promotion(third, second)) == Champions(third, second)


@pytest.mark.parametrize("rule", [{"status": 503, "served": True}, {"body": "cut"}, {"body": "truncated"}], ids=str)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_an_answer_that_is_lost_is_noticed_by_nobody(
    team: Team, faults: Faults, monkeypatch: pytest.MonkeyPatch, call: tuple[str, int], rule: dict[str, Any]
) -> None:
    monkeypatch.setattr(default, "_PAUSES", (0.0, 0.0))
    _, old, new = in_use(team)
    faults({"path": "/models/", "method": call[0], "every": call[1], "times": 1, **rule})
    assert promote(team.promotion(new, old)) == Champions(new, old)
    faults()
    assert team.aliases() == {old: {"previous"}, new: {"champion"}} and evaluations(new) == 1


def test_a_service_that_stays_silent_ends_it(team: Team, faults: Faults) -> None:
    first, second, third = in_use(team)
    faults({"path": "mergeVersionAliases", "status": 503})
    with pytest.raises(ServiceError, match="answered 503"):
        promote(team.promotion(third, second))
    assert team.standing() == (second, first)


@pytest.mark.parametrize("attempt", range(3))
def test_two_promotions_at_once(team: Team, faults: Faults, attempt: int) -> None:
    _, old, one = in_use(team)
    other = team.model()
    # Each of them comes to speak while the other one is on its way.
    faults({"path": "mergeVersionAliases|/models/[0-9]+@1$", "latency": 0.05 * (attempt + 1), "every": attempt + 1})

    def attempt_of(model: str) -> Champions | RunError:
        try:
            return promote(team.promotion(model, old))
        except RunError as error:
            return error

    with ThreadPoolExecutor(2) as both:
        ends = dict(zip((one, other), both.map(attempt_of, (one, other)), strict=True))
    champion, previous = team.standing()
    assert champion is not None and isinstance(ends[champion], Champions), "whoever won was told so"
    assert previous in (old, one, other) and previous != champion
    assert sorted(itertools.chain(*team.aliases().values())) == ["champion", "previous"]
    faults()
    (loser,) = {one, other} - {champion}
    with pytest.raises(RunError, match="has become the champion meanwhile"):
        promote(team.promotion(loser, old))
