"""Taking a promotion back, and taking that back."""

import pytest

from gemini_sft.errors import RunError, UserError
from gemini_sft.release import Rollback, promote, rollback
from tests.contract.release.conftest import Team
from vertex_emulator.environment import LOCATION, PROJECT


def back(team: Team) -> Rollback:
    return rollback(PROJECT, LOCATION, team.name)


def test_two_end_where_they_began(team: Team) -> None:
    first, second, third = team.model(), team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first))
    promote(team.promotion(third, second))
    before = team.aliases()
    assert back(team) == Rollback(third, second, third)
    assert team.aliases() == {second: {"champion"}, third: {"previous"}}
    assert back(team) == Rollback(second, third, second)
    assert team.aliases() == before


def test_what_was_rolled_back_is_not_promoted_again_by_the_next_run(team: Team) -> None:
    """A run of the same experiment adopts its job and comes to the same verdict; a person has decided otherwise."""
    first, second = team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first))
    back(team)
    with pytest.raises(RunError, match=r"was taken out of use by a rollback at .*set tuning\.attempt"):
        promote(team.promotion(second, first))
    assert team.standing() == (first, second)
    back(team)
    assert team.standing() == (second, first)
    assert promote(team.promotion(second, second)).champion == second, "another rollback has put it back"


def test_nothing_but_aliases_and_the_time_is_moved(team: Team) -> None:
    first, second = team.model(), team.model()
    promote(team.promotion(first, None))
    promote(team.promotion(second, first, checkpoint="2"))
    before = {one.name: one for one in team.versions()}
    back(team)
    for one in team.versions():
        assert one.default_checkpoint == before[one.name].default_checkpoint
        changed = {"promoted": "", "withdrawn": ""}
        assert one.labels | changed == before[one.name].labels | changed


def test_no_champion(team: Team) -> None:
    team.model()
    with pytest.raises(UserError, match="nothing has been promoted there yet"):
        back(team)


def test_no_previous(team: Team) -> None:
    model = team.model()
    promote(team.promotion(model, None))
    with pytest.raises(UserError, match="nothing to roll back to") as caught:
        back(team)
    assert model in str(caught.value)
    assert team.aliases() == {model: {"champion"}}


def test_several_that_may_be_the_previous_one(team: Team) -> None:
    first, second, third = team.model(), team.model(), team.model()
    promote(team.promotion(first, None))
    for model in (second, third):
        team.give(model, "previous")
    with pytest.raises(UserError, match="alias previous") as caught:
        back(team)
    assert second in str(caught.value) and third in str(caught.value)
