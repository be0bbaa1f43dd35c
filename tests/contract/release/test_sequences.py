"""Any sequence of promotions, rollbacks and crashes, held against the rule in three lines."""

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from gemini_sft.errors import RunError, UserError
from gemini_sft.release import promote, rollback
from tests.contract.conftest import Server
from tests.contract.release.conftest import Faults, Team
from tests.contract.release.test_crashes import dies, end
from vertex_emulator.environment import LOCATION, PROJECT

CRASHES = some.none() | some.builds(
    end, method=some.sampled_from(["POST", "PATCH"]), number=some.integers(1, 5), served=some.booleans()
)
STEPS = some.lists(
    some.tuples(some.sampled_from(["promote", "promote the previous", "roll back"]), CRASHES), min_size=1, max_size=5
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_who_is_in_use_and_who_was_before(server: Server, faults: Faults, steps: list[tuple[str, Any]]) -> None:
    """If a step has moved the champion, whoever it was is the previous one; if not, nothing has changed."""
    team = Team(server)
    champion: str | None = None
    previous: str | None = None
    for step, crash in steps:
        unfinished = sum("champion" in aliases for aliases in team.aliases().values()) > 1
        faults(*([crash] if crash else []))
        if step == "roll back":
            target = champion if unfinished else previous
            if target is None:
                with pytest.raises(UserError):
                    rollback(PROJECT, LOCATION, team.name)
                died = False
            else:
                died = dies(partial(rollback, PROJECT, LOCATION, team.name))
        else:
            again = step == "promote the previous"
            target = previous if again and previous else team.model()
            if target in {one.name for one in team.versions() if one.labels.get("withdrawn", "no") != "no"}:
                with pytest.raises(RunError, match="taken out of use by a rollback"):
                    promote(team.promotion(target, champion))
                continue
            died = dies(partial(promote, team.promotion(target, champion)))
        faults()
        now, before = team.standing()
        assert died or target is None or now == target
        assert now in (champion, target)
        assert before == (previous if now == champion else champion)
        champion, previous = now, before
