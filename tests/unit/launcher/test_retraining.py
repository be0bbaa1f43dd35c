"""What a scheduled run or a recheck has brought, on the terminal and as an object."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gemini_sft import storage
from gemini_sft.retraining.plan import Path as Taken
from gemini_sft.retraining.plan import Plan
from gemini_sft.retraining.recheck import Recheck, State
from launcher import retraining

RETIRES = "gemini-2.5-flash retires on 2027-01-01"


def plan(path: Taken, **changes: Any) -> Plan:
    fields = {"reasons": ["3 of the 123 are new"], "alarms": [RETIRES], "new_examples": 3, "champion": "models/1@2"}
    return Plan.model_validate({"path": path, **fields, **changes})


def recheck(state: State, **changes: Any) -> Recheck:
    numbers = {"then": 0.75, "now": 0.5, "change": -0.25, "low": -0.375, "high": -0.125, "n_then": 40, "n_now": 40}
    fields = {
        "reasons": ["it was asked"],
        "alarms": [RETIRES],
        "metric": "accuracy",
        "confidence": 0.95,
        "model": "m@1",
    }
    return Recheck.model_validate({"state": state, **fields, **numbers, "paired": 40, **changes})


def shown(folder: Path, *, color: bool = False) -> str:
    file = io.StringIO()
    retraining.show(
        folder, Console(file=file, width=300, force_terminal=color, color_system="standard" if color else None)
    )
    return file.getvalue()


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def write(plan: Plan | None = None, recheck: Recheck | None = None) -> Path:
        for name, one in (("plan.json", plan), ("recheck.json", recheck)):
            if one:
                storage.write_json(str(tmp_path / name), one.model_dump(mode="json"))
        if recheck:
            (tmp_path / "report.html").write_text("page")
        return tmp_path

    return write


def test_a_skip_says_why_and_has_no_page(run: Any) -> None:
    folder = run(plan(Taken.SKIP))
    assert retraining.is_retraining(folder)
    assert shown(folder).splitlines() == ["Nothing was done:", "- 3 of the 123 are new.", f"ALARM: {RETIRES}."]
    assert retraining.summary("r", "SUCCEEDED", folder, 1.26) == {
        "run_id": "r",
        "state": "SUCCEEDED",
        "path": "skip",
        "reasons": ["3 of the 123 are new"],
        "alarms": [RETIRES],
        "new_examples": 3,
        "recheck": None,
        "run": None,
        "report": None,
        "artifacts": str(folder),
        "seconds": 1.3,
    }


def test_a_fallen_champion_is_an_alarm_in_red_with_both_scores(run: Any) -> None:
    fallen = recheck(State.FALLEN, alarms=["the champion has fallen", RETIRES])
    folder = run(plan(Taken.RECHECK), fallen)
    assert shown(folder).splitlines() == [
        "The champion was asked again, and nothing tuned:",
        "- 3 of the 123 are new.",
        f"ALARM: {RETIRES}.",
        "ALARM: the champion has fallen.",
        "accuracy of the champion: 0.750 then, 0.500 now, -0.250, 95% interval [-0.375, -0.125]",
        "Recheck: the champion has fallen.",
        "- it was asked.",
        f"Report:  {folder}/report.html",
    ]
    assert "\x1b[1;31mALARM: the champion has fallen.\x1b[0m" in shown(folder, color=True)
    assert retraining.summary("r", "SUCCEEDED", folder, 1)["alarms"] == [RETIRES, "the champion has fallen"]


def test_a_recheck_by_itself_has_its_own_reasons(run: Any) -> None:
    nothing = {"then": None, "change": None, "low": None, "high": None}
    folder = run(recheck=recheck(State.UNKNOWN, alarms=[], **nothing))
    assert shown(folder).splitlines()[:2] == ["Recheck: whether the champion has held is not known.", "- it was asked."]
    found = retraining.reported(folder)
    assert (found["path"], found["reasons"], found["report"]) == ("recheck", ["it was asked"], f"{folder}/report.html")
    assert found["recheck"]["state"] == "unknown" and "alarms" not in found["recheck"]


def test_one_that_tuned_has_a_verdict(run: Any) -> None:
    folder = run(plan(Taken.TUNE))
    (folder / "comparison.json").touch()
    assert not retraining.is_retraining(folder)
