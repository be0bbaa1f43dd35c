"""`gemini-sft report`: the page of a run, or of two held against each other."""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from gemini_sft import storage
from gemini_sft.decision import Comparison
from gemini_sft.errors import UserError
from gemini_sft.report.between import Between, between
from gemini_sft.report.side_by_side import settings
from gemini_sft.report.two_runs import headline, said, two_runs_page
from launcher import retraining
from launcher.place import disk_errors
from launcher.results import REPORT
from launcher.runs import find_run, read_comparison, read_run
from launcher.showing import show_report, show_verdict


def report_one(data_dir: Path, run: str, console: Console) -> dict[str, Any]:
    """Shows the verdict of a run; of one without, which was skipped or a recheck, what it came to instead.

    Args:
        data_dir: Where results are put.
        run: Which run, see `find_run`.
        console: Where to show it.

    Returns:
        The object that `--json` prints: `run_id`, `verdict`, `reasons`, `primary_metric`, `report`, `artifacts`; of a
        run without a verdict `path`, `alarms` and `recheck` in their place.

    Raises:
        UserError: There is no such run, or another version has written it.
    """
    folder = find_run(data_dir, run)
    console.print(Text(f"Run:     {folder.resolve().name}"), soft_wrap=True)
    if retraining.is_retraining(folder):
        retraining.show(folder, console)
        return retraining.reported(folder)
    comparison, report = read_comparison(folder), folder / REPORT
    show_verdict(comparison, report, console)
    return {**_decided(folder.resolve().name, comparison), "report": str(report), "artifacts": str(folder)}


def report_two(data_dir: Path, runs: tuple[str, str], console: Console) -> dict[str, Any]:
    """Compares two runs and writes a page of it.

    Args:
        data_dir: Where results are put, and this page too.
        runs: Which runs, A and B; see `find_run`.
        console: Where to show what was found.

    Returns:
        The object that `--json` prints: `a` and `b`; `better`, a run's id or None; `said`, in sentences; `paired`,
        `confidence`, `differences` (B minus A, by metric); `settings` in which they differ; `report`.

    Raises:
        UserError: There is no such run, a file of one is missing or from another version, or both are the same.
    """
    first, second = (find_run(data_dir, one) for one in runs)
    if first.resolve() == second.resolve():
        raise UserError(f"{runs[0]} and {runs[1]} are the same run, {first}: give another one to compare it with")
    for folder in (first, second):
        if retraining.is_retraining(folder):
            raise UserError(
                f"{folder} is of a run that tuned nothing, so there is no model to compare: `gemini-sft report"
                f" {folder.name}` says what it was"
            )
    found = between(read_run(first), read_run(second))
    page = data_dir / "reports" / f"{found.a.run_id}-vs-{found.b.run_id}.html"
    with disk_errors(data_dir):
        storage.write_text(str(page), two_runs_page(found), "text/html; charset=utf-8")
    for name, one in (("A", found.a), ("B", found.b)):
        console.print(Text(f"{name}: {one.run_id}: {one.comparison.verdict.value}"), soft_wrap=True)
    console.print(Text(f"{headline(found)}.", "bold"))
    for sentence in said(found):
        console.print(Text(f"- {sentence}"))
    show_report(page, console)
    return _document(found, page)


def open_page(page: Path) -> None:
    """Opens a page in the browser, if there is one: that there is none is no fault."""
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(page.resolve().as_uri())


def _decided(run_id: str, comparison: Comparison) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "verdict": comparison.verdict.value,
        "reasons": comparison.reasons,
        "primary_metric": comparison.primary_metric,
    }


def _document(found: Between, page: Path) -> dict[str, Any]:
    differing, _ = settings(found.a, found.b)
    ids = {"A": found.a.run_id, "B": found.b.run_id}
    return {
        **{
            name: {
                **_decided(one.run_id, one.comparison),
                "n": one.result.n,
                "metrics": one.result.metrics,
                "corpus": one.result.corpus,
            }
            for name, one in (("a", found.a), ("b", found.b))
        },
        "better": ids.get(found.better),
        "said": [headline(found), *said(found)],
        "paired": bool(found.differences),
        "confidence": found.confidence,
        "differences": {name: one.model_dump(mode="json") for name, one in found.differences.items()},
        "settings": {one.key: [one.a.text, one.b.text] for one in differing},
        "report": str(page),
    }


def as_json(found: dict[str, Any]) -> str:
    """Returns an object as JSON, in which what is no number is null."""
    return orjson.dumps(found).decode()
