"""What a scheduled run or a recheck has brought: on the terminal, and in one object."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from gemini_sft import storage
from gemini_sft.decision.level import level
from gemini_sft.retraining.plan import Path as Taken
from gemini_sft.retraining.plan import Plan
from gemini_sft.retraining.recheck import Recheck, State
from launcher import results, showing
from launcher.place import PipelineName

_PATHS = {
    Taken.TUNE: "The run tuned",
    Taken.RECHECK: "The champion was asked again, and nothing tuned",
    Taken.SKIP: "Nothing was done",
}
_STATES = {
    State.HELD: ("the champion has held", "bold green"),
    State.FALLEN: ("the champion has fallen", "bold red"),
    State.UNKNOWN: ("whether the champion has held is not known", "bold yellow"),
}


def is_retraining(folder: Path) -> bool:
    """Returns whether a fetched run has no verdict, since it was a recheck or was skipped."""
    return (folder / results.RECHECK).exists() or (
        (folder / results.PLAN).exists() and not (folder / results.COMPARISON).exists()
    )


def show(folder: Path, console: Console) -> None:
    """Prints the outcome of a fetched run: the path taken and why, alarms, then and now; or the verdict if it tuned."""
    plan, rechecked = _read(folder)
    if plan:
        console.print(Text(f"{_PATHS[plan.path]}:"))
        for reason in plan.reasons:
            console.print(Text(f"- {reason}."))
    for alarm in _alarms(plan, rechecked):
        console.print(Text(f"ALARM: {alarm}.", "bold red"))
    if rechecked:
        _show_recheck(rechecked, console)
        showing.show_report(folder / results.REPORT, console)
    elif (folder / results.COMPARISON).exists():
        showing.show(folder, console)


def summary(run_id: str, state: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Returns a scheduled run or a recheck as the object that `--json` prints; see `nothing` for one that failed."""
    plan, rechecked = _read(folder)
    tuned = (folder / results.COMPARISON).exists()
    page = folder / results.REPORT
    return {
        "run_id": run_id,
        "state": state,
        "path": (plan.path if plan else Taken.RECHECK).value,
        "reasons": plan.reasons if plan else rechecked.reasons if rechecked else [],
        "alarms": _alarms(plan, rechecked),
        "new_examples": plan.new_examples if plan else None,
        "recheck": rechecked and rechecked.model_dump(mode="json", exclude={"alarms", "report"}),
        "run": results.summary(run_id, state, folder, seconds) if tuned else None,
        "report": str(page) if page.exists() else None,
        "artifacts": str(folder),
        "seconds": round(seconds, 1),
    }


def reported(folder: Path) -> dict[str, Any]:
    """Returns a fetched run without a verdict as the object that `report --json` prints."""
    whole = summary(folder.resolve().name, "SUCCEEDED", folder, 0.0)
    return {name: whole[name] for name in ("run_id", "path", "reasons", "alarms", "recheck", "report", "artifacts")}


def nothing_of(pipeline: PipelineName) -> Callable[[str | None, str, list[str], float], dict[str, Any]]:
    """Returns what makes the object of a run of that pipeline which has no result."""
    return results.nothing if pipeline == "finetune" else nothing


def nothing(run_id: str | None, state: str, reasons: list[str], seconds: float) -> dict[str, Any]:
    """Returns the same object for a run without a result: its state, why, and nulls."""
    blanks = ("alarms", "new_examples", "recheck", "run", "report", "artifacts")
    head = {"run_id": run_id, "state": state, "path": None, "reasons": reasons}
    return head | dict.fromkeys(blanks) | {"seconds": round(seconds, 1)}


def _show_recheck(found: Recheck, console: Console) -> None:
    said, style = _STATES[found.state]
    if found.then is not None and found.now is not None:
        line = f"{found.metric} of the champion: {found.then:.3f} then, {found.now:.3f} now"
        if found.change is not None and found.low is not None and found.high is not None:
            interval = f"{level(found.confidence)} interval [{found.low:+.3f}, {found.high:+.3f}]"
            line += f", {found.change:+.3f}, {interval}"
        console.print(Text(line))
    if found.served_by.startswith("stand-in"):
        console.print(Text("A local stand-in answered, not Gemini: these scores say nothing about Gemini.", "yellow"))
    console.print(Text("Recheck: ").append(said, style).append("."))
    for reason in found.reasons:
        console.print(Text(f"- {reason}."))


def _alarms(plan: Plan | None, rechecked: Recheck | None) -> list[str]:
    """Returns each alarm once: a champion that retires alarms whoever looks at it."""
    return list(dict.fromkeys([*(plan.alarms if plan else ()), *(rechecked.alarms if rechecked else ())]))


def _read(folder: Path) -> tuple[Plan | None, Recheck | None]:
    plan, rechecked = folder / results.PLAN, folder / results.RECHECK
    return (
        Plan.model_validate(storage.read_json(str(plan))) if plan.exists() else None,
        Recheck.model_validate(storage.read_json(str(rechecked))) if rechecked.exists() else None,
    )
